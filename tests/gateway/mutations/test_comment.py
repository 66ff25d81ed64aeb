"""Comments and reactions."""

from __future__ import annotations

import asyncio

import pytest

from auth.policy import Role
from schema.kinds import KINDS
from tenants.site_tables import Comment, Reaction
from tests.gateway.mutations.door import Door, id_of
from tests.gateway.mutations.test_content import published

COMMENT = "comment { id body version author { account { name } } content { id } subject { __typename } }"
REACTIONS = "reactionCount viewerReaction reactions { kind count }"
SUBJECT = f"subject {{ __typename ... on Content {{ {REACTIONS} }} ... on Comment {{ {REACTIONS} }} }}"


@pytest.mark.parametrize("word", KINDS)
async def test_items_and_comments_are_spoken_about(door: Door, word: str) -> None:
    site, owner = await door.site()
    item_id, member = await published(door, owner, site, word), await door.member(site)
    first = (await door.change(member, "addComment", COMMENT, subject=item_id, body=" Mooi! "))["comment"]
    comment_id = first.pop("id")
    told = {"version": 1, "author": {"account": {"name": "Anna"}}, "content": {"id": item_id}}
    assert first == told | {"body": " Mooi! ", "subject": {"__typename": word.title()}}
    answer = (await door.change(owner, "addComment", COMMENT, subject=comment_id, body="Dank"))["comment"]
    assert answer.items() >= (told | {"body": "Dank", "subject": {"__typename": "Comment"}}).items()
    for subject, name in ((item_id, word.title()), (comment_id, "Comment")):
        reacted = await door.change(member, "react", SUBJECT, subject=subject, reaction="LIKE")
        told = {"reactionCount": 1, "viewerReaction": "LIKE", "reactions": [{"kind": "LIKE", "count": 1}]}
        assert reacted["subject"] == told | {"__typename": name}


async def test_a_repeated_request_comments_once(door: Door) -> None:
    site, owner = await door.site()
    item_id = await published(door, owner, site)
    asked = {"subject": item_id, "body": "Eens", "idempotencyKey": "once"}
    first = await door.change(owner, "addComment", COMMENT, **asked)
    assert await door.change(owner, "addComment", COMMENT, **asked) == first
    assert len(await door.rows(site, Comment)) == 1


async def test_one_reaction_per_account_and_subject(door: Door) -> None:
    site, owner = await door.site()
    item_id = await published(door, owner, site)
    for reaction in ("LIKE", "LIKE", "THANKS", None, None):
        reacted = await door.change(owner, "react", SUBJECT, subject=item_id, reaction=reaction)
        counts = [{"kind": reaction, "count": 1}] if reaction else []
        assert (reacted["subject"]["viewerReaction"], reacted["subject"]["reactions"]) == (reaction, counts)
    await door.change(owner, "react", SUBJECT, subject=item_id, reaction="LIKE")
    (first,) = await door.rows(site, Reaction)
    await door.change(owner, "react", SUBJECT, subject=item_id, reaction="LIKE")
    assert await door.rows(site, Reaction) == [first]
    assert (await door.change(owner, "react", SUBJECT, subject=item_id))["subject"]["reactionCount"] == 0


async def test_reacting_twice_at_once_is_one_reaction(door: Door) -> None:
    site, owner = await door.site()
    item_id = await published(door, owner, site)
    kinds = ["LIKE", "SUPPORT", "INSIGHTFUL", "THANKS"]
    answers = await asyncio.gather(
        *(door.send(owner, "react", SUBJECT, subject=item_id, reaction=each) for each in kinds)
    )
    assert [answer for answer in answers if "errors" in answer] == []
    assert len(await door.rows(site, Reaction)) == 1


@pytest.mark.parametrize("role", [None, Role.GUEST])
async def test_only_members_speak(door: Door, role: Role | None) -> None:
    site, owner = await door.site()
    person = await door.person() if role is None else await door.member(site, role)
    item_id = await published(door, owner, site, access="PUBLIC")
    assert (await door.refused(person, "addComment", subject=item_id, body="Hoi")).code == "FORBIDDEN"
    assert (await door.refused(person, "react", subject=item_id, reaction="LIKE")).code == "FORBIDDEN"
    assert await door.rows(site, Comment) == await door.rows(site, Reaction) == []


async def test_what_one_cannot_see_is_not_there(door: Door) -> None:
    site, owner = await door.site()
    member, other = await door.member(site), await door.site()
    hidden, gone = await published(door, owner, site, access="PRIVATE"), await published(door, owner, site)
    comments = [
        (await door.change(owner, "addComment", COMMENT, subject=each, body="Hoi"))["comment"]["id"]
        for each in (hidden, gone)
    ]
    await door.change(owner, "deleteContent", "deletedId", id=gone)
    wrong = [id_of("S", site), id_of("C", other[0]), id_of("K", site), id_of("G", site), "nonsense", "é" * 56]
    for subject in [hidden, gone, *comments, *wrong]:
        for mutation, given in (("addComment", {"body": "Hoi"}), ("react", {"reaction": "LIKE"})):
            refused = await door.refused(member, mutation, subject=subject, **given)
            assert (refused.code, refused.field) == ("NOT_FOUND", "input.subject")


@pytest.mark.parametrize("body", ["", " \n", "x" * 10_001])
async def test_a_comment_says_something_and_not_too_much(door: Door, body: str) -> None:
    site, owner = await door.site()
    item_id = await published(door, owner, site)
    refused = await door.refused(owner, "addComment", subject=item_id, body=body)
    assert (refused.code, refused.field) == ("BAD_USER_INPUT", "input.body")
    await door.change(owner, "addComment", COMMENT, subject=item_id, body="x" * 10_000)
