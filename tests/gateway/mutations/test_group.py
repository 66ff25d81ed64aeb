"""Groups: started, changed, joined and left."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from auth.policy import Level, Role
from tenants.platform_tables import Ceiling, Membership
from tenants.registry import TenantRef
from tenants.site_tables import Group, GroupMember
from tenants.tables import table_of
from tests.gateway.mutations.door import Door, Person, id_of

GROUP = "group { id name description access joining version viewerIsMember memberCount }"


async def started(door: Door, site: TenantRef, who: Person, **fields: str) -> str:
    made = await door.change(who, "createGroup", "group { id }", site=id_of("S", site), name="Fietsers", **fields)
    return str(made["group"]["id"])


async def ceilings(door: Door, site: TenantRef) -> list[int]:
    index = table_of(Ceiling)
    async with door.database.transaction(None) as tx:
        return list(await tx.scalars(select(index.c.access).where(index.c.tenant_id == site.id)))


async def groups_of(door: Door, site: TenantRef, person: Person) -> list[list[str]]:
    index = table_of(Membership)
    mine = (index.c.tenant_id == site.id, index.c.account_id == person.id)
    async with door.database.transaction(None) as tx:
        found = await tx.scalars(select(index.c.group_ids).where(*mine))
        return [[id_of("G", site, key) for key in group_ids] for group_ids in found]


@pytest.mark.parametrize("role", [None, *Role])
async def test_members_start_groups(door: Door, role: Role | None) -> None:
    site, _ = await door.site()
    person = await door.person() if role is None else await door.member(site, role)
    if role is None or role < Role.MEMBER:
        refused = await door.refused(person, "createGroup", site=id_of("S", site), name="Fietsers")
        assert refused.code == "FORBIDDEN"
        assert await door.rows(site, Group) == []
        return
    made = (await door.change(person, "createGroup", GROUP, site=id_of("S", site), name=" Fietsers "))["group"]
    group_id = made.pop("id")
    told = {"name": "Fietsers", "description": "", "access": "MEMBERS", "joining": "OPEN", "version": 1}
    assert made == told | {"viewerIsMember": True, "memberCount": 1}
    assert [row.role for row in await door.rows(site, GroupMember)] == [int(Role.OWNER)]
    assert await groups_of(door, site, person) == [[group_id]]
    assert await ceilings(door, site) == [int(Level.MEMBERS)]


@pytest.mark.parametrize("access", ["GROUP", "MEMBERS", "ACCOUNTS", "PUBLIC"])
async def test_a_group_is_started_as_told(door: Door, access: str) -> None:
    site, owner = await door.site()
    told = {"name": "x" * 200, "description": "y" * 5000, "access": access, "joining": "INVITATION"}
    made = await door.change(owner, "createGroup", GROUP, site=id_of("S", site), **told)
    assert made["group"].items() >= told.items()
    assert await ceilings(door, site) == [int(Level[access])]


async def test_a_repeated_request_starts_one_group(door: Door) -> None:
    site, owner = await door.site()
    made = {await started(door, site, owner, idempotencyKey="once") for _ in range(2)}
    assert len(made) == len(await door.rows(site, Group)) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", " "), ("name", "x" * 201), ("description", "x" * 5001), ("access", "PRIVATE")],
)
async def test_bad_input_names_its_field_and_changes_nothing(door: Door, field: str, value: str) -> None:
    site, owner = await door.site()
    group_id = await started(door, site, owner)
    for mutation, given in (
        ("createGroup", {"site": id_of("S", site)}),
        ("updateGroup", {"id": group_id, "version": 1}),
    ):
        refused = await door.refused(owner, mutation, **{"name": "Fine", **given, field: value})
        assert (refused.code, refused.field) == ("BAD_USER_INPUT", f"input.{field}")
    assert [(row.name, row.version) for row in await door.rows(site, Group)] == [("Fietsers", 1)]


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("is_group_owner", [False, True])
async def test_group_owners_and_admins_change_a_group(door: Door, role: Role | None, is_group_owner: bool) -> None:
    site, owner = await door.site()
    if is_group_owner and (role is None or role < Role.MEMBER):
        return
    person = await door.person() if role is None else await door.member(site, role)
    group_id = await started(door, site, person if is_group_owner else owner, access="PUBLIC")
    told = {"name": "Lopers", "description": "Te voet", "access": "GROUP", "joining": "REQUEST"}
    if is_group_owner or (role or 0) >= Role.ADMIN:
        for version in (1, 2):  # the second time it is so already
            changed = await door.change(person, "updateGroup", GROUP, id=group_id, version=version, **told)
            assert changed["group"].items() >= (told | {"version": 2}).items()
        assert await ceilings(door, site) == [int(Level.GROUP)]
        refused = await door.refused(person, "updateGroup", id=group_id, version=1, name="Late")
        assert (refused.code, refused.field) == ("CONFLICT", "input.version")
    else:
        assert (await door.refused(person, "updateGroup", id=group_id, version=1, **told)).code == "FORBIDDEN"
        assert await ceilings(door, site) == [int(Level.PUBLIC)]


async def test_one_of_two_changes_at_once_wins(door: Door) -> None:
    site, owner = await door.site()
    group_id = await started(door, site, owner)
    answers = await asyncio.gather(
        *(door.send(owner, "updateGroup", GROUP, id=group_id, version=1, access=each) for each in ("GROUP", "PUBLIC"))
    )
    (won,) = [answer["data"]["updateGroup"]["group"] for answer in answers if "errors" not in answer]
    assert await ceilings(door, site) == [int(Level[won["access"]])]


async def test_members_join_and_leave_open_groups(door: Door) -> None:
    site, owner = await door.site()
    group_id, member = await started(door, site, owner, access="GROUP"), await door.member(site)
    for _ in range(2):  # again is no fault
        joined = await door.change(member, "joinGroup", GROUP, group=group_id)
        assert (joined["group"]["viewerIsMember"], joined["group"]["memberCount"]) == (True, 2)
        assert await groups_of(door, site, member) == [[group_id]]
    for _ in range(2):
        left = await door.change(member, "leaveGroup", GROUP, group=group_id)
        assert (left["group"]["viewerIsMember"], left["group"]["memberCount"]) == (False, 1)
        assert await groups_of(door, site, member) == [[]]


@pytest.mark.parametrize("joining", ["REQUEST", "DOMAIN", "INVITATION"])
async def test_a_group_that_is_not_open_is_not_joined_at_once(door: Door, joining: str) -> None:
    site, owner = await door.site()
    group_id, member = await started(door, site, owner, joining=joining), await door.member(site)
    assert (await door.refused(member, "joinGroup", group=group_id)).code == "FORBIDDEN"
    assert await groups_of(door, site, member) == [[]]


@pytest.mark.parametrize("role", [None, Role.GUEST])
async def test_only_members_of_the_site_join_its_groups(door: Door, role: Role | None) -> None:
    site, owner = await door.site()
    person = await door.person() if role is None else await door.member(site, role)
    seen, unseen = await started(door, site, owner, access="PUBLIC"), await started(door, site, owner, access="MEMBERS")
    assert (await door.refused(person, "joinGroup", group=seen)).code == "FORBIDDEN"
    refused = await door.refused(person, "joinGroup", group=unseen)
    assert (refused.code, refused.field) == ("NOT_FOUND", "input.group")
    await door.change(person, "leaveGroup", GROUP, group=seen)
    assert (await door.refused(person, "leaveGroup", group=unseen)).code == "NOT_FOUND"


async def test_many_at_once_leave_the_index_right(door: Door) -> None:
    site, owner = await door.site()
    member = await door.member(site)
    groups = [await started(door, site, owner) for _ in range(4)]
    await asyncio.gather(*(door.change(member, "joinGroup", GROUP, group=each) for each in groups))
    assert await groups_of(door, site, member) == [sorted(groups)]
    leaving = [door.change(member, "leaveGroup", GROUP, group=each) for each in groups[:3]]
    await asyncio.gather(*leaving, door.change(member, "joinGroup", GROUP, group=groups[0]))
    places = await door.rows(site, GroupMember, table_of(GroupMember).c.account_id == member.id)
    assert await groups_of(door, site, member) == [sorted(id_of("G", site, row.group_id) for row in places)]


async def test_joining_a_group_while_leaving_the_site_leaves_no_place_behind(door: Door) -> None:
    site, owner = await door.site()
    group_id = await started(door, site, owner)
    for _ in range(5):
        member = await door.member(site)
        await asyncio.gather(
            door.send(member, "leaveSite", "__typename", site=id_of("S", site)),
            door.send(member, "joinGroup", "__typename", group=group_id),
        )
        assert await door.rows(site, GroupMember, table_of(GroupMember).c.account_id == member.id) == []
        assert await groups_of(door, site, member) == []
