"""Items of every kind: published, changed and deleted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from auth.policy import Level, Role
from schema.content.every import KIND_OF
from schema.kinds import KINDS
from tenants.platform_tables import Activity
from tenants.registry import TenantRef
from tenants.site_tables import Content
from tenants.tables import table_of
from tests.gateway.mutations.door import Door, Person, id_of

ITEM = "content { id kind title body access tags version author { id } group { id } publishedAt updatedAt }"
DETAILS: dict[str, Any] = {
    "EVENT": {"startsAt": "2030-01-31T10:00:00+01:00", "endsAt": "2030-01-31T11:00:00Z", "location": "Utrecht"},
    "POLL": {"options": ["Ja", " Nee "]},
    "NEWS": {"source": "https://example.nl/bericht"},
}
"""Details for each kind that has them; a new kind with details adds a line."""

SHOWN: dict[str, tuple[str, Any]] = {
    "EVENT": (
        "startsAt endsAt location",
        {"startsAt": "2030-01-31T09:00:00+00:00", "endsAt": "2030-01-31T11:00:00+00:00", "location": "Utrecht"},
    ),
    "POLL": ("options { number text }", {"options": [{"number": 1, "text": "Ja"}, {"number": 2, "text": "Nee"}]}),
    "NEWS": ("source", {"source": "https://example.nl/bericht"}),
}


def item(word: str, **more: Any) -> dict[str, Any]:
    """What to give for an item of a kind."""
    kind = KIND_OF[word]
    title = {"title": f"Een {word.lower()}"} if kind.titled else {}
    details = {kind.input_name: DETAILS[word]} if kind.input_name else {}
    return {"kind": word, "body": "Tekst *met* opmaak"} | title | details | more


async def published(door: Door, who: Person, site: TenantRef, word: str = "BLOG", **more: Any) -> str:
    made = await door.change(who, "createContent", "content { id }", site=id_of("S", site), **item(word, **more))
    return str(made["content"]["id"])


async def activity(door: Door, site: TenantRef) -> list[tuple[str, int]]:
    index = table_of(Activity)
    async with door.database.transaction(None) as tx:
        rows = await tx.execute(select(index.c.kind, index.c.access).where(index.c.tenant_id == site.id))
        return [(row.kind, row.access) for row in rows]


async def group_of(door: Door, site: TenantRef, who: Person, **more: Any) -> str:
    made = await door.change(who, "createGroup", "group { id }", site=id_of("S", site), name="Fietsers", **more)
    return str(made["group"]["id"])


def allowed(word: str, role: Role | None) -> bool:
    """The rule, said again in the simplest way."""
    return role is not None and role >= (Role.EDITOR if word in ("NEWS", "PAGE") else Role.MEMBER)


@pytest.mark.parametrize("word", KINDS)
async def test_every_kind_is_published_changed_and_deleted(door: Door, word: str) -> None:
    site, owner = await door.site()
    own_fields, own_values = SHOWN.get(word, ("", {}))
    selection = ITEM[:-1] + (f"... on {word.title()} {{ {own_fields} }} }}" if own_fields else "}")
    asked = item(word, tags=["fiets", " fiets", "Fryslân"], access="PUBLIC")
    made = (await door.change(owner, "createContent", selection, site=id_of("S", site), **asked))["content"]
    told = {"kind": word, "body": "Tekst *met* opmaak", "access": "PUBLIC", "version": 1, "group": None}
    told |= {"tags": ["fiets", "Fryslân"], "author": {"id": id_of("M", site, owner.id)}}
    told |= {"title": asked.get("title", "")} | own_values
    assert made.items() >= told.items()
    assert await activity(door, site) == [(word, int(Level.PUBLIC))]

    changes = {"id": made["id"], "version": 1, "body": "Anders", "access": "PRIVATE", "tags": []}
    changed = (await door.change(owner, "updateContent", selection, **changes))["content"]
    assert changed.items() >= (told | {"body": "Anders", "access": "PRIVATE", "tags": [], "version": 2}).items()
    assert changed["publishedAt"] == made["publishedAt"]
    assert changed["updatedAt"] > made["updatedAt"]
    assert await activity(door, site) == [(word, int(Level.PRIVATE))]

    gone = await door.change(owner, "deleteContent", "deletedId", id=made["id"], version=2)
    assert gone == {"deletedId": made["id"]}
    assert await activity(door, site) == []
    refused = await door.refused(owner, "deleteContent", id=made["id"])
    assert (refused.code, refused.field) == ("NOT_FOUND", "input.id")
    (row,) = await door.rows(site, Content)
    assert (row.deleted_at is not None, row.body) == (True, "Anders")  # nothing is lost


@pytest.mark.parametrize("word", KINDS)
@pytest.mark.parametrize("role", [None, *Role])
async def test_who_may_publish_what(door: Door, word: str, role: Role | None) -> None:
    site, _ = await door.site()
    person = await door.person() if role is None else await door.member(site, role)
    if allowed(word, role):
        await published(door, person, site, word)
    else:
        assert (await door.refused(person, "createContent", site=id_of("S", site), **item(word))).code == "FORBIDDEN"
        assert await door.rows(site, Content) == []
        assert await activity(door, site) == []


@pytest.mark.parametrize("word", DETAILS)
async def test_details_can_be_changed(door: Door, word: str) -> None:
    site, owner = await door.site()
    item_id, name = await published(door, owner, site, word), KIND_OF[word].input_name
    (before,) = await door.rows(site, Content)
    await door.change(owner, "updateContent", ITEM, id=item_id, version=1, **{name: DETAILS[word]})
    await door.change(owner, "updateContent", ITEM, id=item_id, version=1, title="Nieuw")
    (after,) = await door.rows(site, Content)
    assert (after.version, after.title, after.details) == (2, "Nieuw", before.details)
    other = {"EVENT": {"startsAt": "2031-01-01T00:00:00Z"}, "POLL": {"options": ["A", "B"]}, "NEWS": {"source": "B"}}
    await door.change(owner, "updateContent", ITEM, id=item_id, version=2, **{name: other[word]})
    (last,) = await door.rows(site, Content)
    assert last.details != before.details


@pytest.mark.parametrize("word", KINDS)
async def test_details_of_another_kind_are_refused(door: Door, word: str) -> None:
    site, owner = await door.site()
    item_id = await published(door, owner, site, word)
    for other in set(DETAILS) - {word}:
        name = KIND_OF[other].input_name
        create = {"site": id_of("S", site), **item(word), name: DETAILS[other]}
        update = {"id": item_id, "version": 1, name: DETAILS[other]}
        for mutation, given in (("createContent", create), ("updateContent", update)):
            refused = await door.refused(owner, mutation, **given)
            assert (refused.code, refused.field) == ("BAD_USER_INPUT", f"input.{name}")


@pytest.mark.parametrize(
    ("word", "field", "given"),
    [
        ("BLOG", "title", {"title": ""}),
        ("BLOG", "title", {"title": " \n"}),
        ("BLOG", "title", {"title": "x" * 301}),
        ("BLOG", "body", {"body": "x" * 100_001}),
        ("STATUS", "title", {"title": "Titel"}),
        ("STATUS", "body", {"body": ""}),
        ("STATUS", "body", {"body": "  "}),
        ("STATUS", "body", {"body": "x" * 501}),
        ("BLOG", "tags", {"tags": ["x" * 51]}),
        ("BLOG", "title", {"title": "a\u2028b"}),
        ("BLOG", "tags", {"tags": [" "]}),
        ("BLOG", "tags", {"tags": ["a\tb"]}),
        ("BLOG", "tags", {"tags": [f"tag {number}" for number in range(21)]}),
        ("BLOG", "access", {"access": "GROUP"}),
        ("POLL", "poll.options", {"poll": {"options": ["Ja"]}}),
        ("EVENT", "event.endsAt", {"event": {"startsAt": "2030-01-01T10:00:00Z", "endsAt": "2030-01-01T09:00:00Z"}}),
        ("EVENT", "event.startsAt", {"event": {"startsAt": "2030-01-01T10:00:00"}}),
        ("NEWS", "news.source", {"news": {"source": "x" * 501}}),
    ],
)
async def test_bad_input_names_its_field_and_changes_nothing(
    door: Door, word: str, field: str, given: dict[str, Any]
) -> None:
    site, owner = await door.site()
    refused = await door.refused(owner, "createContent", site=id_of("S", site), **item(word) | given)
    assert (refused.code, refused.field) == ("BAD_USER_INPUT", f"input.{field}")
    assert await door.rows(site, Content) == await activity(door, site) == []
    item_id = await published(door, owner, site, word)
    refused = await door.refused(owner, "updateContent", id=item_id, version=1, **given)
    assert (refused.code, refused.field) == ("BAD_USER_INPUT", f"input.{field}")
    assert [row.version for row in await door.rows(site, Content)] == [1]


@pytest.mark.parametrize(
    ("word", "field"), [("BLOG", "title"), ("STATUS", "body"), ("POLL", "poll"), ("EVENT", "event")]
)
async def test_what_a_kind_needs_must_be_given(door: Door, word: str, field: str) -> None:
    site, owner = await door.site()
    given = {name: value for name, value in item(word).items() if name != field}
    refused = await door.refused(owner, "createContent", site=id_of("S", site), **given)
    assert (refused.code, refused.field) == ("BAD_USER_INPUT", f"input.{field}")


async def test_the_longest_texts_fit(door: Door) -> None:
    site, owner = await door.site()
    long = {"title": "ü" * 300, "body": "🚲" * 100_000, "tags": [f"{number:050}" for number in range(20)]}
    made = await door.change(owner, "createContent", ITEM, site=id_of("S", site), kind="BLOG", **long)
    assert made["content"].items() >= long.items()


async def test_a_repeated_request_publishes_once(door: Door) -> None:
    site, owner = await door.site()
    made = {await published(door, owner, site, idempotencyKey="once") for _ in range(2)}
    assert len(made) == len(await door.rows(site, Content)) == len(await activity(door, site)) == 1


async def test_in_a_group_items_are_for_the_group_unless_told_otherwise(door: Door) -> None:
    site, owner = await door.site()
    group = await group_of(door, site, owner)
    made = await door.change(owner, "createContent", ITEM, site=id_of("S", site), group=group, **item("BLOG"))
    assert (made["content"]["access"], made["content"]["group"]) == ("GROUP", {"id": group})
    changed = await door.change(
        owner, "updateContent", ITEM, id=made["content"]["id"], version=1, access="PUBLIC", title="Voor allen"
    )
    assert changed["content"]["access"] == "PUBLIC"
    outside = await door.change(owner, "createContent", ITEM, site=id_of("S", site), **item("BLOG"))
    assert outside["content"]["access"] == "MEMBERS"


@pytest.mark.parametrize("role", [Role.MEMBER, Role.MODERATOR, Role.EDITOR, Role.ADMIN, Role.OWNER])
async def test_only_its_members_and_admins_write_in_a_group(door: Door, role: Role) -> None:
    site, owner = await door.site()
    group, person = await group_of(door, site, owner, access="PUBLIC"), await door.member(site, role)
    asked = {"site": id_of("S", site), "group": group, **item("BLOG")}
    if role < Role.ADMIN:
        assert (await door.refused(person, "createContent", **asked)).code == "FORBIDDEN"
        await door.change(person, "joinGroup", "__typename", group=group)
    await door.change(person, "createContent", ITEM, **asked)


async def test_a_group_of_another_site_is_not_there(door: Door) -> None:
    (site, owner), (other, stranger) = await door.site(), await door.site()
    group = await group_of(door, other, stranger, access="PUBLIC")
    for wrong in (group, id_of("G", site), id_of("S", site), "nonsense", ""):
        refused = await door.refused(owner, "createContent", site=id_of("S", site), group=wrong, **item("BLOG"))
        assert (refused.code, refused.field) == ("NOT_FOUND", "input.group")


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("is_author", [False, True])
async def test_who_may_change_and_delete(door: Door, role: Role | None, is_author: bool) -> None:
    site, _ = await door.site()
    author = await door.member(site)
    item_id = await published(door, author, site, access="PUBLIC")
    person = author
    if not is_author:
        person = await door.person() if role is None else await door.member(site, role)
    elif role is None:
        await door.change(author, "leaveSite", "__typename", site=id_of("S", site))
    else:
        await door.give_role(site, author, role)
    if role is not None and role >= (Role.MEMBER if is_author else Role.EDITOR):
        await door.change(person, "updateContent", ITEM, id=item_id, version=1, title="Anders")
    else:
        refused = await door.refused(person, "updateContent", id=item_id, version=1, title="Anders")
        assert refused.code == "FORBIDDEN"
    if not is_author and role is not None and role >= Role.EDITOR:
        refused = await door.refused(person, "updateContent", id=item_id, version=2, access="PRIVATE")
        assert refused.code == "FORBIDDEN"
    if role is not None and (is_author or role >= Role.MODERATOR):
        await door.change(person, "deleteContent", "deletedId", id=item_id)
    else:
        assert (await door.refused(person, "deleteContent", id=item_id)).code == "FORBIDDEN"
        assert len(await activity(door, site)) == 1


async def test_what_one_cannot_see_is_not_there_to_change(door: Door) -> None:
    site, owner = await door.site()
    author, admin = await door.member(site), await door.member(site, Role.ADMIN)
    item_id = await published(door, author, site, access="PRIVATE")
    for who in (owner, admin, await door.person()):
        for mutation, given in (("updateContent", {"version": 1}), ("deleteContent", {})):
            refused = await door.refused(who, mutation, id=item_id, **given)
            assert (refused.code, refused.field) == ("NOT_FOUND", "input.id")
    await door.change(author, "updateContent", ITEM, id=item_id, version=1, access="MEMBERS")


async def test_an_old_version_is_a_conflict_that_tells_the_current_one(door: Door) -> None:
    site, owner = await door.site()
    item_id = await published(door, owner, site)
    await door.change(owner, "updateContent", ITEM, id=item_id, version=1, title="Een")
    for mutation in ("updateContent", "deleteContent"):
        refused = await door.refused(owner, mutation, id=item_id, version=1)
        assert (refused.code, refused.field) == ("CONFLICT", "input.version")
        assert "version is 2" in refused.message
    assert [row.title for row in await door.rows(site, Content)] == ["Een"]


async def test_of_changes_at_once_one_wins(door: Door) -> None:
    site, owner = await door.site()
    item_id = await published(door, owner, site)
    levels = ["PRIVATE", "ACCOUNTS", "PUBLIC"]
    answers = await asyncio.gather(
        *(door.send(owner, "updateContent", ITEM, id=item_id, version=1, access=level) for level in levels)
    )
    (won,) = [answer["data"]["updateContent"]["content"] for answer in answers if "errors" not in answer]
    lost = [answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer]
    assert (won["version"], lost) == (2, ["CONFLICT"] * 2)
    assert await activity(door, site) == [("BLOG", int(Level[won["access"]]))]


async def test_changing_and_deleting_at_once_leaves_the_index_right(door: Door) -> None:
    site, owner = await door.site()
    for _ in range(5):
        item_id = await published(door, owner, site)
        await asyncio.gather(
            door.send(owner, "updateContent", ITEM, id=item_id, version=1, access="PUBLIC"),
            door.send(owner, "deleteContent", "deletedId", id=item_id),
        )
    assert await activity(door, site) == []
