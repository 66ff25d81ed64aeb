"""Sites that know people only by how they signed in: with a second factor, or with one of their issuers.

Whoever signed in in another way is a visitor there, on every way to the site, and is told where to go.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
import pytest_asyncio
from sqlalchemy import insert, update

from auth.audit import AUDIT
from auth.policy import Role
from auth.revocations import look_anew
from auth.sessions import Authentication, Device, open_session
from gateway.app import Gateway
from schema.relay import PLATFORM_ID, NodeId, encode_id
from tenants.platform_tables import Tenant
from tenants.provisioning import NewTenant, provision
from tenants.registry import TenantRef
from tenants.site_tables import Member, MembershipWindow
from tenants.tables import table_of
from tests.gateway.pages.at_issuer import rows
from tests.gateway.pages.signed_in import new_account
from tests.gateway.pages.visitor import Visitor

LOCAL = "urn:plein:local"
ITEMS = "content { edges { node { title } } }"
CHANGE = "mutation($input: UpdateSiteInput!) { updateSite(input: $input) { site { version requiresSecondFactor } } }"
WRITE = "mutation($input: CreateContentInput!) { createContent(input: $input) { content { id title } } }"


@dataclass
class Person:
    """An account with two browsers: one signed in with a password, one with a second factor too."""

    id: UUID
    weak: Visitor
    strong: Visitor


async def person(door: Gateway) -> Person:
    account_id = await new_account(door)
    return Person(account_id, await browser(door, account_id), await browser(door, account_id, "pwd", "otp", "mfa"))


async def browser(door: Gateway, account_id: UUID, *amr: str, issuer: str = LOCAL) -> Visitor:
    """A browser of this account, signed in with these."""
    visitor = Visitor(door)
    how = Authentication(issuer, str(account_id), None, None, amr or ("pwd",), datetime.now(UTC))
    async with door.square.database.transaction(None) as tx:
        visitor.keep("plein", (await open_session(tx, account_id, how, Device("Test", "192.0.2.7"))).token)
    return visitor


async def join(door: Gateway, site: TenantRef, account_id: UUID, role: Role) -> None:
    row = {"account_id": account_id, "role": int(role), "joined_at": datetime.now(UTC)}
    async with door.square.database.transaction(site) as tx:
        await tx.execute(insert(table_of(Member)).values(row))
        await tx.execute(insert(table_of(MembershipWindow)).values(row | {"tenant_id": site.id, "group_ids": []}))


@dataclass
class Place:
    """A site with an owner, a member, an open item and one for members."""

    site: TenantRef
    owner: Person
    member: Person

    @property
    def id(self) -> str:
        """Its global id."""
        return encode_id(NodeId("S", PLATFORM_ID, self.site.id))


async def place(door: Gateway, **fields: Any) -> Place:
    owner, member = await person(door), await person(door)
    new = NewTenant(slug=f"site-{secrets.token_hex(6)}", **{"name": "Streng", "access": 4, "visibility": 4, **fields})
    site = await provision(door.square.database, new, owner_account_id=owner.id)
    await join(door, site, member.id, Role.MEMBER)
    made = Place(site, owner, member)
    for title, access in (("open", "PUBLIC"), ("besloten", "MEMBERS")):
        given = {"site": made.id, "kind": "BLOG", "title": title, "body": "x", "access": access}
        body = await owner.weak.ask(WRITE, {"input": given})
        assert "errors" not in body, body
    return made


async def demand(made: Place, **changes: Any) -> dict[str, Any]:
    found = await made.owner.strong.ask(f'{{ site(slug: "{made.site.slug}") {{ version }} }}')
    version = found["data"]["site"]["version"]
    return await made.owner.strong.ask(CHANGE, {"input": {"id": made.id, "version": version, **changes}})


@pytest_asyncio.fixture
async def strict(door: Gateway) -> AsyncIterator[Place]:
    """A site that demands a second factor."""
    made = await place(door)
    body = await demand(made, requiresSecondFactor=True)
    assert body["data"]["updateSite"]["site"]["requiresSecondFactor"] is True, body
    yield made


def titles(site: Any) -> list[str]:
    return sorted(edge["node"]["title"] for edge in site["content"]["edges"])


def told(body: dict[str, Any], site: TenantRef) -> bool:
    """Whether the answer says to sign in as this site demands, once."""
    found = [each for each in body.get("errors", ()) if each["extensions"]["code"] == "STEP_UP_REQUIRED"]
    if not found:
        return False
    (error,) = found
    assert error["extensions"]["site"] == site.slug
    assert error["extensions"]["stepUpUrl"] == f"http://localhost:8000/sign-in/step-up?site={site.slug}"
    return True


async def parts_for(visitor: Visitor, document: str) -> list[dict[str, Any]]:
    """An answer in parts."""
    sent = {"origin": str(visitor.http.base_url).rstrip("/"), "accept": "multipart/mixed"}
    answer = await visitor.http.post("/graphql", json={"query": document}, headers=sent)
    assert answer.headers["content-type"].startswith("multipart/mixed")
    return [orjson.loads(part.partition("\r\n\r\n")[2]) for part in answer.text.split("\r\n---")[1:-1]]


async def test_a_part_from_a_site_that_demands_more_is_that_of_a_visitor_and_tells_so(strict: Place):
    late = f"... @defer {{ viewerMembership {{ role }} {ITEMS} }}"
    ask = f"{{ viewer {{ sites {{ edges {{ node {{ slug {late} }} }} }} }} }}"
    first, part = await parts_for(strict.member.weak, ask)
    assert "errors" not in first
    (site,) = part["incremental"]
    assert titles(site["data"]) == ["open"]
    assert site["data"]["viewerMembership"] is None
    assert told(site, strict.site)
    _, part = await parts_for(strict.member.strong, ask)
    (site,) = part["incremental"]
    assert titles(site["data"]) == ["besloten", "open"]
    assert "errors" not in site


async def test_whoever_signed_in_less_well_is_a_visitor_and_told_so(strict: Place):
    ask = f'{{ site(slug: "{strict.site.slug}") {{ name viewerMembership {{ role }} {ITEMS} }} }}'
    body = await strict.member.weak.ask(ask)
    assert titles(body["data"]["site"]) == ["open"]
    assert body["data"]["site"]["viewerMembership"] is None
    assert told(body, strict.site)
    body = await strict.member.strong.ask(ask)
    assert "errors" not in body
    assert titles(body["data"]["site"]) == ["besloten", "open"]
    assert body["data"]["site"]["viewerMembership"] == {"role": "MEMBER"}


async def test_a_visitor_is_told_nothing(door: Gateway, strict: Place):
    body = await Visitor(door).ask(f'{{ site(slug: "{strict.site.slug}") {{ {ITEMS} }} }}')
    assert "errors" not in body
    assert titles(body["data"]["site"]) == ["open"]


async def test_every_other_way_to_it(strict: Place):
    member = strict.member
    ask = f'{{ site(slug: "{strict.site.slug}") {{ content {{ edges {{ node {{ id title }} }} }} }} }}'
    edges = (await member.strong.ask(ask))["data"]["site"]["content"]["edges"]
    closed = next(edge["node"]["id"] for edge in edges if edge["node"]["title"] == "besloten")
    body = await member.weak.ask("query($id: ID!) { node(id: $id) { id } }", {"id": closed})
    assert body["data"] == {"node": None}
    assert told(body, strict.site)
    body = await member.weak.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [closed, strict.id]})
    assert body["data"]["nodes"] == [None, {"id": strict.id}]
    assert told(body, strict.site)
    body = await member.weak.ask(f"{{ viewer {{ sites {{ edges {{ node {{ slug {ITEMS} }} }} }} }} }}")
    (edge,) = body["data"]["viewer"]["sites"]["edges"]
    assert titles(edge["node"]) == ["open"]
    assert told(body, strict.site)
    body = await member.weak.ask("{ feed { totalCount edges { node { title } } } }")
    assert body["data"]["feed"] == {"totalCount": 0, "edges": []}
    body = await member.strong.ask("{ feed { totalCount } }")
    assert body["data"]["feed"] == {"totalCount": 2}
    body = await member.weak.ask('{ search(query: "besloten") { totalCount } }')
    assert body["data"]["search"] == {"totalCount": 0}
    entities = 'query($id: ID!) { _entities(representations: [{__typename: "Blog", id: $id}]) { __typename } }'
    body = await member.weak.ask(entities, {"id": closed})
    assert "besloten" not in str(body)
    assert body.get("data") in (None, {"_entities": [None]})


MUTATIONS = {
    "createContent": {"site": "S", "kind": "BLOG", "title": "x", "body": "y"},
    "joinSite": {"site": "S"},
    "leaveSite": {"site": "S"},
    "createGroup": {"site": "S", "name": "x"},
    "updateSite": {"id": "S", "version": 1, "name": "anders"},
    "suspendSite": {"id": "S"},
    "resumeSite": {"id": "S"},
}


@pytest.mark.parametrize("name", MUTATIONS)
async def test_nothing_can_be_written(strict: Place, name: str):
    given = {key: strict.id if value == "S" else value for key, value in MUTATIONS[name].items()}
    of_type = f"{name[0].upper()}{name[1:]}Input!"
    body = await strict.owner.weak.ask(
        f"mutation($input: {of_type}) {{ {name}(input: $input) {{ __typename }} }}", {"input": given}
    )
    assert body["data"] == {name: None}
    assert told(body, strict.site)


async def test_comments_and_reactions_cannot_be_written_either(strict: Place):
    ask = f'{{ site(slug: "{strict.site.slug}") {{ content(first: 1) {{ edges {{ node {{ id }} }} }} }} }}'
    item = (await strict.member.strong.ask(ask))["data"]["site"]["content"]["edges"][0]["node"]["id"]
    for name, given in (
        ("addComment", {"subject": item, "body": "x"}),
        ("react", {"subject": item, "reaction": "LIKE"}),
        ("deleteContent", {"id": item}),
    ):
        of_type = f"{name[0].upper()}{name[1:]}Input!"
        body = await strict.member.weak.ask(
            f"mutation($input: {of_type}) {{ {name}(input: $input) {{ __typename }} }}", {"input": given}
        )
        assert "errors" in body
        assert told(body, strict.site), body


async def test_it_works_at_once_and_back(door: Gateway):
    made = await place(door)
    ask = f'{{ site(slug: "{made.site.slug}") {{ {ITEMS} }} }}'
    assert titles((await made.member.weak.ask(ask))["data"]["site"]) == ["besloten", "open"]
    await demand(made, requiresSecondFactor=True)
    assert titles((await made.member.weak.ask(ask))["data"]["site"]) == ["open"]
    await demand(made, requiresSecondFactor=False)
    body = await made.member.weak.ask(ask)
    assert titles(body["data"]["site"]) == ["besloten", "open"]
    assert "errors" not in body
    found = await rows(door, AUDIT, AUDIT.c.tenant_id == made.site.id, AUDIT.c.action == "site.updated")
    assert sorted(each.details["second_factor"] for each in found) == [False, True]


async def test_nobody_shuts_themselves_out(door: Gateway):
    made = await place(door)
    given = {"id": made.id, "version": 1}
    body = await made.owner.weak.ask(CHANGE, {"input": given | {"requiresSecondFactor": True}})
    assert told(body, made.site)
    body = await made.owner.strong.ask(CHANGE, {"input": given | {"signInIssuers": ["https://nobody.example"]}})
    assert body["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "field": "input.signInIssuers"}
    body = await made.owner.strong.ask(CHANGE, {"input": given | {"signInIssuers": [LOCAL] * 21}})
    assert body["errors"][0]["extensions"]["field"] == "input.signInIssuers"
    body = await made.owner.strong.ask(CHANGE, {"input": given | {"signInIssuers": [LOCAL]}})
    assert "errors" not in body, body


async def test_a_site_for_people_of_one_issuer(door: Gateway):
    made = await place(door)
    body = await demand(made, signInIssuers=[LOCAL])
    assert "errors" not in body, body
    ask = f'{{ site(slug: "{made.site.slug}") {{ {ITEMS} signInIssuers }} }}'
    other = await browser(door, made.member.id, "mfa", issuer="https://elsewhere.example")
    body = await other.ask(ask)
    assert titles(body["data"]["site"]) == ["open"]
    assert told(body, made.site)
    body = await made.member.weak.ask(ask)
    assert titles(body["data"]["site"]) == ["besloten", "open"]
    assert body["data"]["site"]["signInIssuers"] == [LOCAL]


async def test_that_there_is_a_hidden_site_is_told_to_its_members_only(door: Gateway):
    made = await place(door, access=2, visibility=2)
    await demand(made, requiresSecondFactor=True)
    ask = f'{{ site(slug: "{made.site.slug}") {{ name }} }}'
    stranger = await person(door)
    assert await stranger.weak.ask(ask) == {"data": {"site": None}}
    body = await stranger.weak.ask(
        "mutation($input: JoinSiteInput!) { joinSite(input: $input) { __typename } }", {"input": {"site": made.id}}
    )
    assert body["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    body = await made.member.weak.ask(ask)
    assert body["data"] == {"site": None}
    assert told(body, made.site)


async def test_the_register_is_read_anew_whoever_changed_it(door: Gateway):
    """As another process would: the row changes, and it is told by what is revoked."""
    made = await place(door)
    ask = f'{{ site(slug: "{made.site.slug}") {{ {ITEMS} }} }}'
    assert titles((await made.member.weak.ask(ask))["data"]["site"]) == ["besloten", "open"]
    table = table_of(Tenant)
    async with door.square.database.transaction(None) as tx:
        await tx.execute(update(table).where(table.c.id == made.site.id).values(second_factor=True))
        await look_anew(tx, made.site.id)
    await door.square.catch_up()
    assert titles((await made.member.weak.ask(ask))["data"]["site"]) == ["open"]


async def test_a_write_looks_at_the_row_itself(door: Gateway):
    """What the register remembers may be old by a moment; a write is never let through by it."""
    made = await place(door)
    table = table_of(Tenant)
    async with door.square.database.transaction(None) as tx:
        await tx.execute(update(table).where(table.c.id == made.site.id).values(second_factor=True))
    given = {"site": made.id, "kind": "BLOG", "title": "x", "body": "y"}
    assert told(await made.member.weak.ask(WRITE, {"input": given}), made.site)


async def test_apps_of_the_site_are_managed_by_whom_it_knows_only(strict: Place):
    given = {
        "name": "App",
        "site": strict.id,
        "authentication": "SECRET",
        "grantTypes": ["CLIENT_CREDENTIALS"],
        "scopes": ["READ"],
    }
    register = "mutation($input: RegisterClientInput!) { registerClient(input: $input) { client { id } } }"
    assert told(await strict.owner.weak.ask(register, {"input": given}), strict.site)
    body = await strict.owner.strong.ask(register, {"input": given})
    client = body["data"]["registerClient"]["client"]["id"]
    ask = "query($id: ID!) { viewer { clients { edges { node { id } } } } node(id: $id) { id } }"
    body = await strict.owner.strong.ask(ask, {"id": client})
    assert body["data"] == {"viewer": {"clients": {"edges": [{"node": {"id": client}}]}}, "node": {"id": client}}
    body = await strict.owner.weak.ask(ask, {"id": client})
    assert body["data"] == {"viewer": {"clients": {"edges": []}}, "node": None}
    delete = "mutation($input: DeleteClientInput!) { deleteClient(input: $input) { deletedId } }"
    assert told(await strict.owner.weak.ask(delete, {"input": {"id": client}}), strict.site)
