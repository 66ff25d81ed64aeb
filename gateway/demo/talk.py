"""What is said about items: comments, answers to them, and reactions on both.

Promises: pure; who comments was in the crowd that may talk about the item, at that time; an answer is on the same item
and later than what it answers; nobody reacts twice on the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from uuid import UUID

from auth.policy import Level
from gateway.demo.chance import Lot, early, some_id
from gateway.demo.estate import SitePlan
from gateway.demo.items import Item
from gateway.demo.members import SiteMember
from gateway.demo.moments import END, SECOND, Distinct, soon_after
from gateway.demo.source import Text
from gateway.demo.wording import ANSWERS, ON_A_SENTENCE, REMARKS

TALK_SKEW = 2.0  # a few items get most of the talk
ANSWERING = 0.4
DEPTH_MAX = 4
ON_COMMENTS = 0.3
TRIES_PER_REACTION = 3
REACTIONS = Lot({"LIKE": 62, "THANKS": 16, "SUPPORT": 13, "INSIGHTFUL": 9})


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment, or an answer to one; `depth` counts from 0."""

    id: UUID
    item: Item
    parent: Remark | None
    depth: int
    author: SiteMember
    body: str
    created_us: int


@dataclass(frozen=True, slots=True)
class Reacted:
    """Somebody's reaction on an item or on a comment under it."""

    subject_id: UUID
    account_id: UUID
    content_id: UUID
    kind: str
    created_us: int


def make_comments(plan: SitePlan, items: list[Item], rng: Random) -> list[Remark]:
    """The comments on a site's items. Nobody talks about what is private."""
    open_items = [each for each in rng.sample(items, len(items)) if each.access > Level.PRIVATE]
    distinct = Distinct()
    by_item: dict[UUID, list[Remark]] = {}
    made = []
    for _ in range(plan.comment_count if open_items else 0):
        item = open_items[early(rng, len(open_items), TALK_SKEW)]
        said = by_item.setdefault(item.id, [])
        remark = make_comment(item, said, distinct, rng)
        said.append(remark)
        made.append(remark)
    return made


def make_comment(item: Item, said: list[Remark], distinct: Distinct, rng: Random) -> Remark:
    """A comment on an item about which this was said already."""
    parent = said[-1 - early(rng, len(said), 1.5)] if said and rng.random() < ANSWERING else None
    if parent is not None and parent.depth >= DEPTH_MAX:
        parent = parent.parent
    created_us = soon_after(rng, parent.created_us if parent else item.published_us, 2 if parent else 9)
    created_us = distinct(min(created_us, END))
    return Remark(
        id=some_id(rng, created_us),
        item=item,
        parent=parent,
        depth=parent.depth + 1 if parent else 0,
        author=item.crowd.someone(rng, created_us) or item.author,
        body=say(item.text, parent is not None, rng),
        created_us=created_us,
    )


def say(text: Text, is_answer: bool, rng: Random) -> str:
    """What a comment says."""
    if is_answer and rng.random() < 0.4:
        return rng.choice(ANSWERS)
    if text.sentences and rng.random() < 0.25:
        return rng.choice(ON_A_SENTENCE).format(sentence=rng.choice(text.sentences))
    if rng.random() < 0.2:
        return "\n\n".join(rng.sample(REMARKS, 2))
    return rng.choice(REMARKS)


def make_reactions(plan: SitePlan, items: list[Item], comments: list[Remark], rng: Random) -> list[Reacted]:
    """The reactions; fewer than planned where a small site has given all that it could."""
    open_items = [each for each in rng.sample(items, len(items)) if each.access > Level.PRIVATE]
    given: dict[tuple[UUID, UUID], Reacted] = {}
    for _ in range(plan.reaction_count * TRIES_PER_REACTION if open_items else 0):
        if len(given) >= plan.reaction_count:
            break
        item = open_items[early(rng, len(open_items), TALK_SKEW)]
        subject, since_us = item.id, item.published_us
        if comments and rng.random() < ON_COMMENTS:
            comment = comments[early(rng, len(comments), 1.3)]
            item, subject, since_us = comment.item, comment.id, comment.created_us
        created_us = min(soon_after(rng, since_us, 12), END - SECOND)
        member = item.crowd.someone(rng, created_us)
        if member is not None and (subject, member.account_id) not in given:
            reacted = Reacted(subject, member.account_id, item.id, REACTIONS.draw(rng), created_us)
            given[subject, member.account_id] = reacted
    return list(given.values())
