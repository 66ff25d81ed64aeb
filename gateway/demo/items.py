"""What was published on a site: items of all kinds, at all levels, inside groups and outside.

Promises: pure; `details` are as `schema.content` stores them; no two items of a site came at the same moment; whoever
wrote one was a member at the time, and of the group where it is in one.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from auth.policy import Level
from gateway.demo.chance import Lot, early, some_id
from gateway.demo.estate import Estate, SitePlan
from gateway.demo.members import Community, Crowd, SiteGroup, SiteMember
from gateway.demo.moments import DAY, HOUR, Distinct, as_datetime, at_work, between, soon_after
from gateway.demo.source import TITLE_MAX, Text, shortened
from gateway.demo.wording import PLACES, POLLS, TAGS, TITLES

KINDS = Lot(
    {
        "BLOG": 22,
        "NEWS": 14,
        "DISCUSSION": 14,
        "QUESTION": 14,
        "STATUS": 12,
        "EVENT": 8,
        "PAGE": 7,
        "WIKI": 5,
        "POLL": 4,
    }
)
BY_EDITORS = ("NEWS", "PAGE")
LENGTHS = {  # of the body, in characters: least and most
    "BLOG": (400, 5000),
    "NEWS": (300, 2500),
    "DISCUSSION": (200, 1500),
    "QUESTION": (80, 900),
    "PAGE": (400, 4000),
    "WIKI": (600, 8000),
    "EVENT": (120, 700),
    "POLL": (60, 300),
}
ACCESS = Lot({Level.PUBLIC: 42, Level.MEMBERS: 32, Level.ACCOUNTS: 17, Level.GROUP: 5, Level.PRIVATE: 4})
ACCESS_IN_GROUP = Lot({Level.GROUP: 40, Level.MEMBERS: 32, Level.PUBLIC: 20, Level.ACCOUNTS: 6, Level.PRIVATE: 2})
IN_GROUPS = 0.4
DELETED = 0.01
CHANGED = 0.2


@dataclass(frozen=True, slots=True)
class Item:
    """An item. `crowd` is who may talk about it, `text` what it was made of."""

    id: UUID
    kind: str
    title: str
    body: str
    author: SiteMember
    group: SiteGroup | None
    access: int
    tags: list[str]
    details: dict[str, Any]
    version: int
    published_us: int
    updated_us: int
    deleted_us: int | None
    crowd: Crowd
    text: Text


def make_items(estate: Estate, plan: SitePlan, people: Community, rng: Random) -> list[Item]:
    """The site's items, in no order."""
    distinct = Distinct()
    return [make_item(estate, plan, people, number, distinct, rng) for number in range(plan.content_count)]


def make_item(estate: Estate, plan: SitePlan, people: Community, number: int, distinct: Distinct, rng: Random) -> Item:
    """One item: its moment, then who wrote it and where, then what."""
    is_whole, texts = estate.scale.whole_texts, estate.source.texts
    text = texts[plan.first_text + number] if is_whole else rng.choice(texts)
    kind = KINDS.draw(rng)
    moment = distinct(at_work(rng, between(rng, plan.created_us + DAY, 0.8), plan.created_us))
    group, author = find_author(people, kind, moment, rng)
    access = int((ACCESS_IN_GROUP if group else ACCESS).draw(rng))
    if group is None and access == Level.GROUP:
        access = int(Level.MEMBERS)  # there is no group that could read it
    is_inside = group is not None and min(access, group.access) <= Level.GROUP
    changed_us = soon_after(rng, moment, 30) if rng.random() < CHANGED else moment
    title = text.title if is_whole else shortened(rng.choice(TITLES[kind]).format(topic=text.topic), TITLE_MAX)
    return Item(
        id=some_id(rng, moment),
        kind=kind,
        title="" if kind == "STATUS" else title[0].upper() + title[1:],
        body=text.body if is_whole and kind != "STATUS" else cut_body(text, kind, rng),
        author=author,
        group=group,
        access=access,
        tags=rng.sample(TAGS, min(early(rng, 5, 1.2), 4)),
        details=make_details(kind, moment, text, rng),
        version=1 if changed_us == moment else 2,
        published_us=moment,
        updated_us=changed_us,
        deleted_us=soon_after(rng, changed_us, 90) if rng.random() < DELETED else None,
        crowd=group.crowd if group is not None and is_inside else people.writers,
        text=text,
    )


def find_author(people: Community, kind: str, moment: int, rng: Random) -> tuple[SiteGroup | None, SiteMember]:
    """Who writes at that moment, and in which group if in one. The founder always can."""
    if people.groups and rng.random() < IN_GROUPS:
        group = people.groups[early(rng, len(people.groups), 1.8)]
        author = group.crowd.someone(rng, moment)
        if author is not None:
            return group, author
    crowd = people.editors if kind in BY_EDITORS else people.writers
    return None, crowd.someone(rng, moment) or people.founder


def cut_body(text: Text, kind: str, rng: Random) -> str:
    """Part of a regulation, as long as items of the kind are; a short message is a sentence."""
    if kind == "STATUS":
        return rng.choice(text.sentences) if text.sentences else shortened(text.body, 200)
    least, most = LENGTHS[kind]
    wanted = least + (most - least) * rng.random() ** 2.5
    start = rng.randrange(len(text.paragraphs)) if text.paragraphs else 0
    taken: list[str] = []
    length = 0
    for paragraph in text.paragraphs[start:] + text.paragraphs[:start]:
        if taken and length + len(paragraph) > wanted:
            break
        taken.append(paragraph)
        length += len(paragraph)
    return "\n\n".join(taken) or text.body


def make_details(kind: str, moment: int, text: Text, rng: Random) -> dict[str, Any]:
    """What only this kind has, as `schema.content` stores it."""
    if kind == "EVENT":
        day = (moment // DAY + 2 + int(rng.expovariate(1 / 21))) * DAY
        starts_us = day + rng.randrange(8 * 2, 20 * 2) * HOUR // 2
        ends_us = starts_us + rng.randrange(2, 9) * HOUR // 2 if rng.random() < 0.8 else None
        return {
            "startsAt": as_datetime(starts_us).isoformat(),
            "endsAt": None if ends_us is None else as_datetime(ends_us).isoformat(),
            "location": rng.choice(PLACES),
        }
    if kind == "POLL":
        return {"options": list(rng.choice(POLLS))}
    if kind == "NEWS" and rng.random() < 0.7:
        return {"source": f"https://wetten.overheid.nl/{text.id}"}
    return {}
