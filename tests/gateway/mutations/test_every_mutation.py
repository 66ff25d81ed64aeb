"""What holds for every mutation there is: who asks, what is not there, a suspended site, words for every field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_introspection_type,
)

from auth.viewer import PlatformRole
from schema.bind import Mutates
from schema.catalogue import catalogue_of
from schema.relay import NodeId, encode_id
from schema.root import graphql_schema
from tenants.provisioning import drop
from tenants.registry import TenantRef
from tenants.site_tables import Comment, Content, Group, Member, Reaction
from tests.gateway.mutations.door import Door, Person, id_of
from tests.gateway.mutations.test_content import group_of, item, published

SCHEMA = graphql_schema()
assert SCHEMA.mutation_type is not None
MUTATIONS = SCHEMA.mutation_type.fields
NOWHERE = UUID(int=7)

Things = dict[str, str]
"""Ids of a site, and of a group, an item and a comment on it, by the letter of their type."""

GIVEN: dict[str, Callable[[Things], dict[str, Any]]] = {
    "updateSite": lambda ids: {"id": ids["S"], "version": 1, "name": "Nieuw"},
    "suspendSite": lambda ids: {"id": ids["S"]},
    "resumeSite": lambda ids: {"id": ids["S"]},
    "joinSite": lambda ids: {"site": ids["S"]},
    "leaveSite": lambda ids: {"site": ids["S"]},
    "setMemberRole": lambda ids: {"member": ids["M"], "role": "EDITOR"},
    "removeMember": lambda ids: {"member": ids["M"]},
    "offerOwnership": lambda ids: {"member": ids["M"]},
    "acceptOwnership": lambda ids: {"site": ids["S"]},
    "declineOwnership": lambda ids: {"offer": ids["O"]},
    "createGroup": lambda ids: {"site": ids["S"], "name": "Fietsers"},
    "updateGroup": lambda ids: {"id": ids["G"], "version": 1, "name": "Lopers"},
    "joinGroup": lambda ids: {"group": ids["G"]},
    "leaveGroup": lambda ids: {"group": ids["G"]},
    "createContent": lambda ids: {"site": ids["S"], **item("BLOG")},
    "updateContent": lambda ids: {"id": ids["C"], "version": 1, "title": "Nieuw"},
    "deleteContent": lambda ids: {"id": ids["C"]},
    "addComment": lambda ids: {"subject": ids["C"], "body": "Hoi"},
    "react": lambda ids: {"subject": ids["K"], "reaction": "LIKE"},
}
"""A good input for each mutation on a site."""

OF_OPERATORS: dict[str, dict[str, Any]] = {
    "setPlatformRole": {"account": encode_id(NodeId("A", UUID(int=0), NOWHERE)), "role": "ANALYST"},
    "suspendAccount": {"account": encode_id(NodeId("A", UUID(int=0), NOWHERE))},
    "resumeAccount": {"account": encode_id(NodeId("A", UUID(int=0), NOWHERE))},
}
"""An input for each mutation of operators about accounts; the ids are of nobody."""

OF_ACCOUNT: dict[str, dict[str, Any]] = {
    "createApiKey": {"name": "Robot", "scopes": ["READ"]},
    "revokeApiKey": {"id": encode_id(NodeId("Y", UUID(int=0), NOWHERE))},
    "registerClient": {
        "name": "App",
        "authentication": "SECRET",
        "grantTypes": ["CLIENT_CREDENTIALS"],
        "scopes": ["READ"],
    },
    "updateClient": {"id": encode_id(NodeId("L", UUID(int=0), NOWHERE)), "version": 1},
    "rotateClientSecret": {"id": encode_id(NodeId("L", UUID(int=0), NOWHERE))},
    "deleteClient": {"id": encode_id(NodeId("L", UUID(int=0), NOWHERE))},
    "rotateSigningKeys": {},
    "revokeConsent": {"id": encode_id(NodeId("E", UUID(int=0), NOWHERE))},
    "revokeSession": {"id": encode_id(NodeId("N", UUID(int=0), NOWHERE))},
    "revokeOtherSessions": {"keep": encode_id(NodeId("N", UUID(int=0), NOWHERE))},
    "updateAccount": {"name": "Annie"},
    "unlinkIdentity": {"id": encode_id(NodeId("D", UUID(int=0), NOWHERE))},
    "createIssuer": {
        "key": "every-mutation",
        "issuer": "https://id.every-mutation.example",
        "name": "Issuer",
        "clientId": "plein",
        "authentication": "NONE",
    },
    "updateIssuer": {"id": encode_id(NodeId("I", UUID(int=0), NOWHERE)), "version": 1},
    "deleteIssuer": {"id": encode_id(NodeId("I", UUID(int=0), NOWHERE))},
}
"""An input for each mutation that concerns no site, but the account of whoever asks; the ids are of nothing."""

TARGETS = {"id", "site", "group", "subject", "member", "offer"}


async def filled(door: Door, **fields: Any) -> tuple[TenantRef, Person, Things]:
    """A site with something of everything, and its owner."""
    site, owner = await door.site(**fields)
    group, content = await group_of(door, site, owner), await published(door, owner, site)
    made = await door.change(owner, "addComment", "comment { id }", subject=content, body="Hoi")
    member = id_of("M", site, (await door.member(site)).id)
    offer = (await door.change(owner, "offerOwnership", "offer { id }", member=member))["offer"]["id"]
    ids = {"S": id_of("S", site), "G": group, "C": content, "K": made["comment"]["id"], "M": member, "O": offer}
    return site, owner, ids


async def counted(door: Door, site: TenantRef) -> list[list[Any]]:
    """Everything on the site."""
    return [await door.rows(site, model) for model in (Member, Group, Content, Comment, Reaction)]


def test_every_mutation_is_tested_here() -> None:
    assert set(MUTATIONS) == {"createSite", *GIVEN, *OF_ACCOUNT, *OF_OPERATORS}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_has_one_input_and_a_payload_of_its_own(name: str) -> None:
    field = MUTATIONS[name]
    own = name[0].upper() + name[1:]
    assert list(field.args) == ["input"]
    assert isinstance(field.args["input"].type, GraphQLNonNull)
    assert get_named_type(field.args["input"].type).name == f"{own}Input"
    assert get_named_type(field.type).name == f"{own}Payload"
    binding = catalogue_of(SCHEMA).bindings["Mutation", name]
    assert isinstance(binding, Mutates)
    payload = get_named_type(field.type)
    assert isinstance(payload, GraphQLObjectType)
    assert binding.returns in payload.fields


def test_everything_has_a_description() -> None:
    bare = []
    for name, type_ in SCHEMA.type_map.items():
        if is_introspection_type(type_) or name.startswith("_"):
            continue
        bare += [name] * (not type_.description)
        if isinstance(type_, GraphQLEnumType):
            bare += [f"{name}.{each}" for each, value in type_.values.items() if not value.description]
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            bare += [f"{name}.{each}" for each, field in type_.fields.items() if not field.description]
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for each, field in type_.fields.items():
                bare += [f"{name}.{each}({arg})" for arg, said in field.args.items() if not said.description]
    assert bare == []


async def test_who_is_not_signed_in_changes_nothing(door: Door) -> None:
    site, _, ids = await filled(door)
    before = await counted(door, site)
    for name, given in GIVEN.items():
        assert (await door.refused(None, name, **given(ids))).code == "UNAUTHENTICATED", name
        bad = {key: "nonsense" if key in TARGETS else value for key, value in given(ids).items()}
        assert (await door.refused(None, name, **bad)).code == "UNAUTHENTICATED", name
    assert (await door.refused(None, "createSite", name="", slug="A")).code == "UNAUTHENTICATED"
    for name, of_account in {**OF_ACCOUNT, **OF_OPERATORS}.items():
        assert (await door.refused(None, name, **of_account)).code == "UNAUTHENTICATED", name
    assert await counted(door, site) == before


@pytest.mark.parametrize("name", GIVEN)
async def test_what_is_not_there_is_named(door: Door, name: str) -> None:
    site, owner, ids = await filled(door)
    before = await counted(door, site)
    kinds = {"subject": "CK", "group": "G", "site": "S", "member": "M", "offer": "O"}
    tags = kinds.get(next(iter(GIVEN[name](ids))), "SGCK")
    strange = [encode_id(NodeId(tag, tenant, NOWHERE)) for tag in tags for tenant in (site.id, NOWHERE, UUID(int=0))]
    strange += [id_of(tag, site) for tag in "AX"] + ["", "nonsense", ids["S"][:-1], ids["S"].upper(), "💥" * 56]
    for wrong in strange:
        given = GIVEN[name](ids)
        (target,) = TARGETS & set(given)
        refused = await door.refused(owner, name, **given | {target: wrong})
        assert (refused.code, refused.field) == ("NOT_FOUND", f"input.{target}"), wrong
    assert await counted(door, site) == before


@pytest.mark.parametrize("name", [name for name, given in OF_ACCOUNT.items() if "id" in given])
async def test_what_an_account_does_not_have_is_named(door: Door, name: str) -> None:
    site, owner, ids = await filled(door)
    strange = [OF_ACCOUNT[name]["id"], *ids.values(), id_of("Y", site), "", "nonsense", "💥" * 56]
    for wrong in strange:
        refused = await door.refused(owner, name, **{**OF_ACCOUNT[name], "id": wrong})
        assert (refused.code, refused.field) == ("NOT_FOUND", "input.id"), wrong


@pytest.mark.parametrize("name", OF_OPERATORS)
async def test_only_operators_learn_which_accounts_there_are(door: Door, name: str) -> None:
    """Others get the same answer whoever they ask about; operators are told who is not there."""
    operator, analyst = await door.person(PlatformRole.OPERATOR), await door.person(PlatformRole.ANALYST)
    other = await door.person()
    there = encode_id(NodeId("A", UUID(int=0), other.id))
    for who in (analyst, other):
        for id_ in (there, OF_OPERATORS[name]["account"], "nonsense"):
            assert (await door.refused(who, name, **{**OF_OPERATORS[name], "account": id_})).code == "FORBIDDEN"
    elsewhere = encode_id(NodeId("M", other.id, other.id))
    for wrong in (OF_OPERATORS[name]["account"], "nonsense", "", there.upper(), elsewhere):
        refused = await door.refused(operator, name, **{**OF_OPERATORS[name], "account": wrong})
        assert (refused.code, refused.field) == ("NOT_FOUND", "input.account"), wrong


@pytest.mark.parametrize("name", [each for each in GIVEN if each not in {"suspendSite", "resumeSite"}])
async def test_nothing_changes_on_a_suspended_site(door: Door, name: str) -> None:
    site, owner, ids = await filled(door)
    operator, member, stranger = await door.person(PlatformRole.OPERATOR), await door.member(site), await door.person()
    await door.change(operator, "suspendSite", "__typename", id=ids["S"])
    before = await counted(door, site)
    for who in (owner, operator, member, stranger):
        assert (await door.refused(who, name, **GIVEN[name](ids))).code == "SITE_SUSPENDED"
    assert await counted(door, site) == before


@pytest.mark.parametrize("name", GIVEN)
async def test_a_hidden_site_is_not_there_and_neither_is_what_is_on_it(door: Door, name: str) -> None:
    site, owner, ids = await filled(door, visibility=2, access=2)
    stranger = await door.person()
    before = await counted(door, site)
    (target,) = TARGETS & set(GIVEN[name](ids))
    for suspended in (False, True):
        if suspended:
            await door.change(owner, "suspendSite", "__typename", id=ids["S"])
        refused = await door.refused(stranger, name, **GIVEN[name](ids))
        assert (refused.code, refused.field) == ("NOT_FOUND", f"input.{target}")
    assert await counted(door, site) == before


@pytest.mark.parametrize("name", GIVEN)
async def test_a_site_that_was_removed_is_not_there(door: Door, name: str) -> None:
    site, owner, ids = await filled(door)
    async with door.database.transaction(None) as tx:
        await drop(tx, site)
    refused = await door.refused(owner, name, **GIVEN[name](ids))
    assert refused.code == "NOT_FOUND"


async def test_a_failure_undoes_only_its_own(door: Door) -> None:
    site, owner, ids = await filled(door)
    query = """
        mutation M($site: ID!) {
            first: createGroup(input: {site: $site, name: "Een"}) { group { name } }
            wrong: createGroup(input: {site: $site, name: ""}) { group { name } }
            third: createGroup(input: {site: $site, name: "Drie"}) { group { name } }
        }
    """
    body = await door.ask(owner, query, site=ids["S"])
    assert body["data"] == {
        "first": {"group": {"name": "Een"}},
        "wrong": None,
        "third": {"group": {"name": "Drie"}},
    }
    (error,) = body["errors"]
    assert (error["path"], error["extensions"]["field"]) == (["wrong"], "input.name")
    assert sorted(row.name for row in await door.rows(site, Group)) == ["Drie", "Een", "Fietsers"]
