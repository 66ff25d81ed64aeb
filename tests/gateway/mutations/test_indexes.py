"""The indexes over all sites equal what they stand for, after whatever sequence of mutations, several at a time."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from auth.policy import Role
from schema.kinds import KINDS
from tenants.platform_tables import Activity, Ceiling, Membership
from tenants.registry import TenantRef
from tenants.site_tables import Content, Group, GroupMember, Member
from tenants.tables import table_of
from tests.gateway.mutations.door import Door, Person, id_of
from tests.gateway.mutations.test_content import item

STEPS = 80
AT_ONCE = 4
ALLOWED_ERRORS = {"FORBIDDEN", "NOT_FOUND", "CONFLICT", "BAD_USER_INPUT"}
LEVELS = ["PRIVATE", "GROUP", "MEMBERS", "ACCOUNTS", "PUBLIC"]
OFTEN = [
    *("joinSite", "joinSite", "leaveSite", "createGroup", "joinGroup", "joinGroup", "leaveGroup", "updateGroup"),
    *("createContent", "createContent", "createContent", "updateContent", "updateContent", "deleteContent"),
]
"""What people do, what they do more often more than once."""


@dataclass
class Walk:
    """People who do things at random, also what they may not."""

    door: Door
    site: TenantRef
    people: list[Person]
    chance: random.Random
    groups: list[str] = field(default_factory=list)
    items: list[tuple[str, int]] = field(default_factory=list)
    done: int = 0

    async def step(self) -> None:
        """One mutation by somebody."""
        name = self.chance.choice(OFTEN)
        node = {"Group": "group { id version }", "Content": "content { id version }"}.get(name.removeprefix("create"))
        selection = node or ("content { id version }" if name == "updateContent" else "__typename")
        who = self.chance.choice(self.people)
        body = await self.door.send(who, name, selection, **self.given(name))
        for error in body.get("errors", ()):
            assert error["extensions"]["code"] in ALLOWED_ERRORS, body
        if "errors" not in body:
            self.done += 1
            self.remember(name, body["data"][name])

    def given(self, name: str) -> dict[str, Any]:
        """A likely input."""
        pick, site = self.chance.choice, id_of("S", self.site)
        group = pick(self.groups) if self.groups else id_of("G", self.site)
        content, version = pick(self.items) if self.items else (id_of("C", self.site), 1)
        on_site, level = {"site": site}, {"access": pick(LEVELS)}
        inputs: dict[str, dict[str, Any]] = {
            "joinSite": on_site,
            "leaveSite": on_site,
            "createGroup": on_site | level | {"name": "Groep"},
            "joinGroup": {"group": group},
            "leaveGroup": {"group": group},
            "updateGroup": level | {"id": group, "version": pick([1, 2])},
            "createContent": on_site | level | {"group": pick([group, None])} | item(pick(list(KINDS))),
            "updateContent": level | {"id": content, "version": pick([version, 1]), "tags": [pick("ab")]},
            "deleteContent": {"id": content},
        }
        return inputs[name]

    def remember(self, name: str, payload: dict[str, Any]) -> None:
        """What there is to work on afterwards."""
        if name == "createGroup":
            self.groups.append(payload["group"]["id"])
        if name in {"createContent", "updateContent"} and payload["content"]:
            self.items.append((payload["content"]["id"], payload["content"]["version"]))


async def index_of(door: Door, site: TenantRef, model: Any) -> list[dict[str, Any]]:
    table = table_of(model)
    async with door.database.transaction(None) as tx:
        rows = (await tx.execute(select(table).where(table.c.tenant_id == site.id))).mappings()
        return sorted((dict(row) for row in rows), key=str)


async def truth_of(door: Door, site: TenantRef) -> dict[Any, list[dict[str, Any]]]:
    """The indexes, worked out in Python from the site's own tables."""
    here = {"tenant_id": site.id}
    places = await door.rows(site, GroupMember)
    memberships = [
        here
        | {"account_id": row.account_id, "role": row.role, "joined_at": row.joined_at}
        | {"group_ids": sorted(place.group_id for place in places if place.account_id == row.account_id)}
        for row in await door.rows(site, Member)
        if row.left_at is None
    ]
    ceilings = [here | {"group_id": row.id, "access": row.access} for row in await door.rows(site, Group)]
    columns = ("kind", "access", "group_id", "author_id", "published_at")
    activity = [
        here | {"content_id": row.id} | {name: getattr(row, name) for name in columns}
        for row in await door.rows(site, Content)
        if row.deleted_at is None
    ]
    return {Membership: memberships, Ceiling: ceilings, Activity: activity}


def ordered(model: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = [column.name for column in table_of(model).columns]
    return sorted(({name: row[name] for name in names} for row in rows), key=str)


@pytest.mark.parametrize("seed", range(3))
async def test_the_indexes_are_the_truth_whatever_happens(door: Door, seed: int) -> None:
    site, owner = await door.site()
    people = [owner, await door.member(site, Role.ADMIN), await door.member(site), await door.member(site)]
    walk = Walk(door, site, [*people, await door.person()], random.Random(seed))
    for _ in range(STEPS // AT_ONCE):
        await asyncio.gather(*(walk.step() for _ in range(AT_ONCE)))
        for model, rows in (await truth_of(door, site)).items():
            assert await index_of(door, site, model) == ordered(model, rows)
    assert walk.done > STEPS / 5  # most of it is not theirs to do, or not any more
    members = {row.account_id for row in await door.rows(site, Member) if row.left_at is None}
    assert {row.account_id for row in await door.rows(site, GroupMember)} <= members
