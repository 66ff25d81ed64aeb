"""The audit: every privileged act leaves one row, others leave none, and only those who may read it do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from auth.audit import AUDIT
from auth.local.local import set_password
from auth.policy import Role
from auth.provider.consents import CONSENT
from auth.scopes import Scope
from auth.sessions import Authentication, Device, open_session
from auth.viewer import PlatformRole
from schema.bind import Mutates
from schema.catalogue import catalogue_of
from schema.relay import PLATFORM_ID, NodeId, decode_id, encode_id
from schema.root import graphql_schema
from tenants.ids import uuid7
from tenants.registry import TenantRef
from tests.gateway.mutations.door import Door, Person, id_of
from tests.gateway.mutations.test_content import group_of, published
from tests.gateway.mutations.test_every_mutation import GIVEN, OF_ACCOUNT, OF_OPERATORS, filled

SCHEMA = graphql_schema()
VERBS = ("offer", "accept", "decline")
SHOWN = "action subject accountId account { id } details { name value } address agent credential requestId happenedAt"
FOR_ALL = {"createSite", "createApiKey", "registerClient", "updateAccount"}
"""Those that everybody may do, for themselves."""

REPEATED = (
    {"createIssuer", "updateIssuer", "deleteIssuer", "unlinkIdentity", "rotateSigningKeys"}
    | {
        "registerClient",
        "updateClient",
        "rotateClientSecret",
        "deleteClient",
        "revokeConsent",
        "revokeSession",
    }
    | {
        "createSite",
        "updateSite",
        "createApiKey",
        "removeMember",
        *(f"{each}Ownership" for each in VERBS),
    }
)
"""Those that do something again when they are sent again, or cannot be."""


def binding_of(name: str) -> Mutates:
    """What a mutation is."""
    binding = catalogue_of(SCHEMA).bindings["Mutation", name]
    assert isinstance(binding, Mutates)
    return binding


PRIVILEGED = sorted(
    name
    for (type_, name), binding in catalogue_of(SCHEMA).bindings.items()
    if type_ == "Mutation" and isinstance(binding, Mutates) and binding.is_privileged
)


async def acts(door: Door, who: Person) -> list[Any]:
    """What this person did, in order."""
    async with door.database.transaction(None) as tx:
        rows = await tx.execute(select(AUDIT).where(AUDIT.c.account_id == who.id).order_by(AUDIT.c.happened_at))
        return list(rows)


async def given_for(door: Door, name: str, ids: dict[str, str], site: TenantRef, owner: Person) -> dict[str, Any]:
    """An input that makes a difference, with what it takes."""
    member = await door.member(site)
    found: dict[str, Any] | None = None
    match name:
        case "createSite":
            found = {"name": "Nieuw", "slug": f"nieuw-{member.id.hex[-12:]}"}
        case "resumeSite":
            await door.change(owner, "suspendSite", "__typename", id=ids["S"])
        case "revokeSession" | "revokeOtherSessions":
            sessions = [await session_of(door, owner) for _ in range(2)]
            found = {"id" if name == "revokeSession" else "keep": encode_id(NodeId("N", PLATFORM_ID, sessions[0]))}
        case "revokeApiKey":
            made = await door.change(owner, "createApiKey", "apiKey { id }", name="x", scopes=["READ"])
            found = {"id": made["apiKey"]["id"]}
        case "setPlatformRole" | "suspendAccount" | "resumeAccount":
            account = {"account": encode_id(NodeId("A", PLATFORM_ID, member.id))}
            if name == "resumeAccount":
                await door.change(owner, "suspendAccount", "__typename", **account)
            found = {**OF_OPERATORS[name], **account}
        case "updateClient" | "rotateClientSecret" | "deleteClient" | "revokeConsent":
            found = await client_of(door, name, owner)
        case "createIssuer" | "updateIssuer" | "deleteIssuer":
            unique = member.id.hex[-12:]
            issuer = OF_ACCOUNT["createIssuer"] | {"key": f"i{unique}", "issuer": f"https://{unique}.example"}
            found = issuer if name == "createIssuer" else await issuer_of(door, name, owner, issuer)
        case "unlinkIdentity":
            async with door.database.transaction(None) as tx:
                await set_password(tx, owner.id, "no hash of any password")
            query = "{ viewer { account { identities { edges { node { id } } } } } }"
            edges = (await door.ask(owner, query))["data"]["viewer"]["account"]["identities"]["edges"]
            found = {"id": edges[0]["node"]["id"]}
        case "acceptOwnership":
            second = await door.member(site, Role.OWNER)
            await door.give_role(site, owner, Role.ADMIN)
            me = id_of("M", site, owner.id)
            await door.change(second, "offerOwnership", "__typename", member=me)
    if found is None:
        found = GIVEN[name](ids) if name in GIVEN else OF_ACCOUNT[name]
    return found


async def issuer_of(door: Door, name: str, operator: Person, issuer: dict[str, Any]) -> dict[str, Any]:
    """An input about an issuer that is there."""
    made = await door.change(operator, "createIssuer", "issuer { id version }", **issuer)
    changed = {"version": made["issuer"]["version"], "name": "Anders"} if name == "updateIssuer" else {}
    return {"id": made["issuer"]["id"], **changed}


async def client_of(door: Door, name: str, operator: Person) -> dict[str, Any]:
    """An input about an OAuth client that is there, or about the operator's own consent to it."""
    made = await door.change(operator, "registerClient", "client { id }", **OF_ACCOUNT["registerClient"])
    id_ = made["client"]["id"]
    if name != "revokeConsent":
        return {**OF_ACCOUNT[name], "id": id_, **({"name": "Anders"} if name == "updateClient" else {})}
    client, key, now = decode_id(id_), uuid7(), datetime.now(UTC)
    assert client is not None
    row = {"id": key, "account_id": operator.id, "client_id": client.key, "permissions": ["openid"]}
    async with door.database.transaction(None) as tx:
        await tx.execute(insert(CONSENT).values(row | {"created_at": now, "updated_at": now}))
    return {"id": encode_id(NodeId("E", PLATFORM_ID, key))}


async def session_of(door: Door, who: Person) -> UUID:
    """The id of a new session of theirs."""
    how = Authentication("urn:plein:test", str(who.id), None, None, ("pwd",), datetime.now(UTC))
    async with door.database.transaction(None) as tx:
        return (await open_session(tx, who.id, how, Device("Test", "192.0.2.7"))).id


@pytest.mark.parametrize("name", PRIVILEGED)
async def test_a_privileged_mutation_leaves_one_row(door: Door, name: str) -> None:
    """And none when it is refused, and none when it changes nothing."""
    site, owner, ids = await filled(door)
    stranger = await door.person()
    if "Client" in name or name == "revokeConsent" or binding_of(name).needs is Scope.PLATFORM:
        owner = await door.person(PlatformRole.OPERATOR)
    given = await given_for(door, name, ids, site, owner)
    before = len(await acts(door, owner))
    if name not in FOR_ALL:
        await door.refused(stranger, name, **given)
        assert await acts(door, stranger) == []
    await door.change(owner, name, "__typename", **given)
    *_, act = rows = await acts(door, owner)
    assert len(rows) == before + 1
    assert act.action.count(".") == 1
    assert (act.address, act.credential) == ("127.0.0.1", "token")
    assert act.agent.startswith("python-httpx/")
    assert len(act.request_id) == 16
    of_site = name not in {**OF_ACCOUNT, **OF_OPERATORS}
    assert (act.tenant_id is not None) is of_site
    if name not in REPEATED:  # what is so already
        await door.change(owner, name, "__typename", **given)
        assert len(await acts(door, owner)) == before + 1


@pytest.mark.parametrize("name", sorted({*GIVEN, *OF_ACCOUNT} - set(PRIVILEGED)))
async def test_what_anybody_does_for_themselves_leaves_none(door: Door, name: str) -> None:
    site, owner, ids = await filled(door)
    second = await door.member(site, Role.OWNER)  # so that the first can leave
    assert second
    await door.change(owner, name, "__typename", **GIVEN[name](ids))
    assert [act.action for act in await acts(door, owner)] == ["ownership.offered"]  # of `filled`


async def test_who_acts_on_what_others_made_is_told(door: Door) -> None:
    site, owner = await door.site()
    author, editor = await door.member(site), await door.member(site, Role.EDITOR)
    admin = await door.member(site, Role.ADMIN)
    item, group = await published(door, author, site), await group_of(door, site, owner)
    await door.change(editor, "updateContent", "__typename", id=item, version=1, title="Anders")
    await door.change(editor, "deleteContent", "__typename", id=item)
    await door.change(admin, "updateGroup", "__typename", id=group, version=1, access="PUBLIC")
    updated, deleted = await acts(door, editor)
    assert (updated.action, updated.subject, updated.details["fields"]) == ("content.updated", item, ["title"])
    assert (deleted.action, deleted.subject) == ("content.deleted", item)
    assert deleted.details["author"] == encode_id(NodeId("A", PLATFORM_ID, author.id))
    (grouped,) = await acts(door, admin)
    assert (grouped.action, grouped.subject) == ("group.updated", group)
    assert grouped.details == {"fields": ["access"], "access": "PUBLIC"}


@pytest.mark.parametrize("role", Role)
async def test_the_audit_of_a_site_is_for_its_admins(door: Door, role: Role) -> None:
    site, owner = await door.site()
    await door.change(owner, "updateSite", "__typename", id=id_of("S", site), version=1, name="Nieuw", access="PUBLIC")
    await door.change(owner, "updateSite", "__typename", id=id_of("S", site), version=2, joining="REQUEST")
    who = await door.member(site, role)
    query = (
        f"query ($slug: String!) {{ site(slug: $slug) {{ audit {{ totalCount edges {{ node {{ id {SHOWN} }} }} }} }} }}"
    )
    body = await door.ask(who, query, slug=site.slug)
    nodes = [edge["node"] for edge in body["data"]["site"]["audit"]["edges"]]
    if role < Role.ADMIN:
        assert body["data"]["site"]["audit"] == {"totalCount": 0, "edges": []}
        return
    newest, oldest = nodes
    assert {pair["name"]: pair["value"] for pair in newest["details"]} == {
        "fields": '["joining"]',
        "joining": "REQUEST",
    }
    assert oldest["action"] == "site.updated"
    assert oldest["subject"] == encode_id(NodeId("S", PLATFORM_ID, site.id))
    assert oldest["accountId"] == oldest["account"]["id"] == encode_id(NodeId("A", PLATFORM_ID, owner.id))
    outsider = await door.person(PlatformRole.OPERATOR)
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await door.ask(who, node, id=oldest["id"]))["data"]["node"] == {"id": oldest["id"]}
    for other in (outsider, await door.member(site), None):
        assert (await door.ask(other, node, id=oldest["id"]))["data"]["node"] is None


async def test_the_audit_of_the_square_is_for_operators(door: Door) -> None:
    site, owner = await door.site()
    await door.change(owner, "updateSite", "__typename", id=id_of("S", site), version=1, name="Nieuw")
    account = encode_id(NodeId("A", PLATFORM_ID, owner.id))
    query = f"""query ($account: ID!) {{ audit(filter: {{account: $account, actions: ["site.updated", "x"]}}) {{
        totalCount edges {{ node {{ id site {{ slug }} {SHOWN} }} }} }} }}"""
    operator = await door.person(PlatformRole.OPERATOR)
    page = (await door.ask(operator, query, account=account))["data"]["audit"]
    assert page["totalCount"] == 1
    assert page["edges"][0]["node"]["site"] == {"slug": site.slug}
    for other in (owner, await door.person(PlatformRole.ANALYST), None):
        body = await door.ask(other, query, account=account)
        assert body["data"] == {"audit": None}
        assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_an_operator_on_a_site_is_in_its_audit(door: Door) -> None:
    """Its admins see that it was done and by whom, though that account never was a member."""
    site, owner = await door.site()
    operator = await door.person(PlatformRole.OPERATOR)
    await door.change(operator, "suspendSite", "__typename", id=id_of("S", site))
    await door.change(operator, "resumeSite", "__typename", id=id_of("S", site))
    query = (
        "query ($slug: String!) { site(slug: $slug) { audit { edges { node { action accountId account { id } } } } } }"
    )
    edges = (await door.ask(owner, query, slug=site.slug))["data"]["site"]["audit"]["edges"]
    by = encode_id(NodeId("A", PLATFORM_ID, operator.id))
    assert [edge["node"] for edge in edges] == [
        {"action": f"site.{done}", "accountId": by, "account": None} for done in ("resumed", "suspended")
    ]
