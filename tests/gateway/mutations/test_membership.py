"""Joining and leaving sites."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from auth.policy import Role
from tenants.platform_tables import Membership
from tenants.registry import TenantRef
from tenants.site_tables import GroupMember, Member
from tenants.tables import table_of
from tests.gateway.mutations.door import Door, Person, id_of

SITE = "site { viewerMembership { role joinedAt leftAt } }"
MEMBER, GROUP_MEMBER, MEMBERSHIP = table_of(Member), table_of(GroupMember), table_of(Membership)


async def index_of(door: Door, site: TenantRef, person: Person) -> list[tuple[int, list[object]]]:
    query = select(MEMBERSHIP.c.role, MEMBERSHIP.c.group_ids)
    here = (MEMBERSHIP.c.tenant_id == site.id, MEMBERSHIP.c.account_id == person.id)
    async with door.database.transaction(None) as tx:
        return [(row.role, row.group_ids) for row in await tx.execute(query.where(*here))]


async def test_joining_an_open_site_makes_a_member(door: Door) -> None:
    site, _ = await door.site()
    anna = await door.person()
    joined = await door.change(anna, "joinSite", f"{SITE} member {{ role account {{ name }} }}", site=id_of("S", site))
    assert joined["site"]["viewerMembership"]["role"] == "MEMBER"
    assert joined["member"] == {"role": "MEMBER", "account": {"name": "Anna"}}
    assert await index_of(door, site, anna) == [(int(Role.MEMBER), [])]


@pytest.mark.parametrize("role", [None, *Role])
async def test_joining_again_changes_nothing(door: Door, role: Role | None) -> None:
    site, _ = await door.site()
    person = await door.person() if role is None else await door.member(site, role)
    first = await door.change(person, "joinSite", SITE, site=id_of("S", site))
    assert first["site"]["viewerMembership"]["role"] == (Role.MEMBER if role is None else role).name
    assert await door.change(person, "joinSite", SITE, site=id_of("S", site)) == first


@pytest.mark.parametrize("joining", ["REQUEST", "DOMAIN", "INVITATION"])
async def test_a_site_that_is_not_open_is_not_joined_at_once(door: Door, joining: str) -> None:
    site, owner = await door.site(joining=joining)
    anna = await door.person()
    assert (await door.refused(anna, "joinSite", site=id_of("S", site))).code == "FORBIDDEN"
    assert await index_of(door, site, anna) == []
    await door.change(owner, "joinSite", SITE, site=id_of("S", site))  # who is on it already


async def test_a_hidden_site_is_not_joined(door: Door) -> None:
    site, _ = await door.site(visibility=2, access=2)
    refused = await door.refused(await door.person(), "joinSite", site=id_of("S", site))
    assert (refused.code, refused.field) == ("NOT_FOUND", "input.site")


async def test_joining_twice_at_once_makes_one_member(door: Door) -> None:
    site, _ = await door.site()
    anna = await door.person()
    for _ in range(2):  # new on the site, and back on it
        answers = await asyncio.gather(*(door.send(anna, "joinSite", SITE, site=id_of("S", site)) for _ in range(4)))
        assert [answer for answer in answers if "errors" in answer] == []
        assert len(await door.rows(site, Member, MEMBER.c.account_id == anna.id)) == 1
        assert await index_of(door, site, anna) == [(int(Role.MEMBER), [])]
        await door.change(anna, "leaveSite", SITE, site=id_of("S", site))


async def test_who_leaves_is_no_member_but_stays_known_as_one(door: Door) -> None:
    site, _ = await door.site()
    editor = await door.member(site, Role.EDITOR)
    group = await door.change(editor, "createGroup", "group { id }", site=id_of("S", site), name="Fietsers")
    for _ in range(2):  # again is no fault
        left = await door.change(editor, "leaveSite", SITE, site=id_of("S", site))
        assert left["site"]["viewerMembership"] is None
        assert await index_of(door, site, editor) == []
        assert await door.rows(site, GroupMember, GROUP_MEMBER.c.account_id == editor.id) == []
    (row,) = await door.rows(site, Member, MEMBER.c.account_id == editor.id)
    assert row.left_at is not None
    assert (await door.refused(editor, "joinGroup", group=group["group"]["id"])).code == "NOT_FOUND"

    back = await door.change(editor, "joinSite", SITE, site=id_of("S", site))
    (again,) = await door.rows(site, Member, MEMBER.c.account_id == editor.id)
    assert back["site"]["viewerMembership"]["leftAt"] is None
    assert (again.role, again.joined_at, again.left_at) == (int(Role.MEMBER), row.joined_at, None)


async def test_leaving_a_hidden_site_again_is_no_fault(door: Door) -> None:
    site, _ = await door.site(visibility=2, access=2)
    member = await door.member(site)
    for _ in range(2):
        assert await door.change(member, "leaveSite", SITE, site=id_of("S", site)) == {"site": None}
    assert (await door.refused(await door.person(), "leaveSite", site=id_of("S", site))).code == "NOT_FOUND"


async def test_leaving_where_one_never_was_changes_nothing(door: Door) -> None:
    site, _ = await door.site()
    anna = await door.person()
    left = await door.change(anna, "leaveSite", SITE, site=id_of("S", site))
    assert left == {"site": {"viewerMembership": None}}
    assert await door.rows(site, Member, MEMBER.c.account_id == anna.id) == []


async def test_the_last_owner_cannot_leave(door: Door) -> None:
    site, owner = await door.site()
    refused = await door.refused(owner, "leaveSite", site=id_of("S", site))
    assert (refused.code, refused.field) == ("CONFLICT", "input.site")
    await door.member(site, Role.OWNER)
    await door.change(owner, "leaveSite", SITE, site=id_of("S", site))


async def test_of_owners_that_leave_at_once_one_stays(door: Door) -> None:
    site, owner = await door.site()
    owners = [owner, *[await door.member(site, Role.OWNER) for _ in range(3)]]
    answers = await asyncio.gather(*(door.send(each, "leaveSite", SITE, site=id_of("S", site)) for each in owners))
    codes = [answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer]
    assert codes == ["CONFLICT"]
    assert len(await door.rows(site, Member, MEMBER.c.left_at.is_(None))) == 1
