"""Issuers added through the API, and what somebody changes about their own account."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import select

from auth.accounts import link_identity
from auth.audit import AUDIT
from auth.relying.directory import ISSUER, Directory
from auth.relying.faults import SignInRefused
from auth.relying.issuers import ClientAuthentication
from auth.viewer import PlatformRole
from schema.relay import decode_id
from tests.gateway.mutations.door import SECRET, Door, Person

FIELDS = "issuer { id key issuer name clientId authentication algorithms scopes accounts domains strong version }"


def given(**more: Any) -> dict[str, Any]:
    key = f"i-{secrets.token_hex(4)}"
    usual = {
        "key": key,
        "issuer": f"https://{key}.example",
        "name": "Gemeente",
        "clientId": "plein",
        "authentication": "CLIENT_SECRET_BASIC",
        "secret": "zeer geheim",
    }
    return {**usual, **more}


async def operator(door: Door) -> Person:
    return await door.person(role=PlatformRole.OPERATOR)


async def test_an_issuer_is_added_and_its_secret_is_never_told(door: Door):
    boss, asked = await operator(door), given()
    made = (await door.change(boss, "createIssuer", FIELDS, **asked))["issuer"]
    assert (made["key"], made["issuer"], made["authentication"]) == (
        asked["key"],
        asked["issuer"],
        asked["authentication"],
    )
    assert (made["scopes"], made["accounts"], made["version"]) == (["openid", "email", "profile"], "OPEN", 1)
    async with door.database.transaction(None) as tx:
        row = (await tx.execute(select(ISSUER).where(ISSUER.c.key == asked["key"]))).one()
        acts = (await tx.execute(select(AUDIT.c.details).where(AUDIT.c.subject == made["id"]))).scalars().all()
        issuer = await Directory((), SECRET, allows_near=True).find(tx, asked["key"])
        with pytest.raises(SignInRefused):
            await Directory((), "another secret of a platform", allows_near=True).find(tx, asked["key"])
    assert "zeer geheim" not in str(row)
    assert acts == [{"key": asked["key"], "issuer": asked["issuer"]}]
    assert (issuer.secret, issuer.authentication) == ("zeer geheim", ClientAuthentication.BASIC)
    body = await door.ask(boss, "{ issuers(first: 100) { edges { node { key name } } } }")
    assert {"key": asked["key"], "name": "Gemeente"} in [each["node"] for each in body["data"]["issuers"]["edges"]]


async def test_they_are_for_operators_only(door: Door):
    anna, boss = await door.person(), await operator(door)
    made = (await door.change(boss, "createIssuer", FIELDS, **given()))["issuer"]
    for name, asked in (
        ("createIssuer", given()),
        ("updateIssuer", {"id": made["id"], "version": 1, "name": "x"}),
        ("deleteIssuer", {"id": made["id"]}),
    ):
        refused = await door.refused(anna, name, **asked)
        assert refused.code == ("FORBIDDEN" if name == "createIssuer" else "NOT_FOUND")
    body = await door.ask(anna, "query($id: ID!) { issuers { totalCount } node(id: $id) { id } }", id=made["id"])
    assert body["data"] == {"issuers": None, "node": None}
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"


WRONG = [
    ({"key": "Not a key"}, "input.key"),
    ({"issuer": "http://id.example.nl"}, "input.issuer"),
    ({"issuer": "https://id.example.nl#x"}, "input.issuer"),
    ({"name": " "}, "input.name"),
    ({"clientId": ""}, "input.clientId"),
    ({"secret": None}, "input.secret"),
    ({"authentication": "NONE"}, "input.secret"),
    ({"authentication": "PRIVATE_KEY_JWT"}, "input.secret"),
    ({"algorithms": ["HS256"]}, "input.algorithms"),
    ({"algorithms": ["none"]}, "input.algorithms"),
    ({"scopes": ["email"]}, "input.scopes"),
    ({"accounts": "DOMAINS"}, "input.domains"),
    ({"accounts": "DOMAINS", "domains": ["*"]}, "input.domains"),
    ({"maxAgeSeconds": -1}, "input.maxAgeSeconds"),
    ({"strongAcr": ["a b"]}, "input.strongAcr"),
]


@pytest.mark.parametrize(("more", "field"), WRONG, ids=str)
async def test_what_is_wrong_is_named(door: Door, more: dict[str, Any], field: str):
    refused = await door.refused(await operator(door), "createIssuer", **given(**more))
    assert (refused.code, refused.field) == ("BAD_USER_INPUT", field)
    assert "geheim" not in refused.message


async def test_a_key_or_an_address_that_is_taken(door: Door):
    boss, first = await operator(door), given()
    await door.change(boss, "createIssuer", FIELDS, **first)
    refused = await door.refused(boss, "createIssuer", **given(key=first["key"]))
    assert (refused.code, refused.field) == ("CONFLICT", "input.key")
    refused = await door.refused(boss, "createIssuer", **given(issuer=first["issuer"]))
    assert (refused.code, refused.field) == ("CONFLICT", "input.issuer")


async def test_an_issuer_is_changed_and_taken_out(door: Door):
    boss = await operator(door)
    made = (await door.change(boss, "createIssuer", FIELDS, **given()))["issuer"]
    key = RSAKey.generate_key(2048).as_pem(private=True).decode()
    changes = {"name": "Anders", "authentication": "PRIVATE_KEY_JWT", "secret": key, "accounts": "DOMAINS"}
    changed = await door.change(
        boss, "updateIssuer", FIELDS, id=made["id"], version=1, domains=["Example.NL"], **changes
    )
    assert changed["issuer"]["version"] == 2
    assert (changed["issuer"]["name"], changed["issuer"]["domains"]) == ("Anders", ["example.nl"])
    async with door.database.transaction(None) as tx:
        assert (await Directory((), SECRET, allows_near=True).find(tx, made["key"])).secret == key
    refused = await door.refused(boss, "updateIssuer", id=made["id"], version=1, name="x")
    assert (refused.code, refused.field) == ("CONFLICT", "input.version")
    same = await door.change(boss, "updateIssuer", FIELDS, id=made["id"], version=2, name="Anders")
    assert same["issuer"]["version"] == 2, "nothing changed"
    public = await door.change(boss, "updateIssuer", FIELDS, id=made["id"], version=2, authentication="NONE")
    assert public["issuer"]["authentication"] == "NONE"
    assert await door.change(boss, "deleteIssuer", "deletedId", id=made["id"]) == {"deletedId": made["id"]}
    assert (await door.refused(boss, "deleteIssuer", id=made["id"])).code == "NOT_FOUND"
    assert (await door.refused(boss, "updateIssuer", id=made["id"], version=3)).code == "NOT_FOUND"


# --- one's own account -----------------------------------------------------------------------------------------------

ME = "{ viewer { account { id name contact { email language } identities { edges { node { id issuer email } } } } } }"


async def test_a_name_is_changed_once_for_all_sites(door: Door):
    site, owner = await door.site()
    me = await door.change(
        owner, "updateAccount", "account { name contact { language } }", name=" Annie ", language="fy"
    )
    assert me == {"account": {"name": "Annie", "contact": {"language": "fy"}}}
    people = "members { edges { node { account { name contact { email } } } } }"
    query = f'{{ site(slug: "{site.slug}") {{ {people} }} }}'
    body = await door.ask(owner, query)
    names = [each["node"]["account"] for each in body["data"]["site"]["members"]["edges"]]
    assert names == [{"name": "Annie", "contact": None}], "an address is told under `viewer` only"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "input.name"),
        ({"name": "x" * 201}, "input.name"),
        ({"name": "a\nb"}, "input.name"),
        ({"language": "'; DROP"}, "input.language"),
        ({"language": "nl-" + "abcdefgh-" * 5}, "input.language"),
    ],
    ids=str,
)
async def test_what_is_wrong_with_an_account(door: Door, change: dict[str, Any], field: str):
    refused = await door.refused(await door.person(), "updateAccount", **change)
    assert (refused.code, refused.field) == ("BAD_USER_INPUT", field)


async def test_ways_to_sign_in_are_listed_and_the_last_stays(door: Door):
    boss, anna, other = await operator(door), await door.person(), await door.person()
    issuers = [given(), given()]
    for each in issuers:
        await door.change(boss, "createIssuer", FIELDS, **each)
    async with door.database.transaction(None) as tx:
        for each in issuers:
            await link_identity(tx, anna.id, each["issuer"], "a subject that is nobody's business")
    found = (await door.ask(anna, ME))["data"]["viewer"]["account"]["identities"]["edges"]
    ids = {each["node"]["issuer"]: each["node"]["id"] for each in found}
    assert set(ids) >= {each["issuer"] for each in issuers}
    first, second = (ids[each["issuer"]] for each in issuers)
    assert (await door.refused(other, "unlinkIdentity", id=first)).code == "NOT_FOUND"
    body = await door.ask(other, "query($id: ID!) { node(id: $id) { id } }", id=first)
    assert body["data"]["node"] is None
    done = await door.change(anna, "unlinkIdentity", "deletedId account { id }", id=first)
    assert done["deletedId"] == first
    refused = await door.refused(anna, "unlinkIdentity", id=second)
    assert (refused.code, refused.field) == ("CONFLICT", "input.id")
    assert decode_id(second) is not None
    assert "subject" not in str((await door.ask(anna, ME))["data"])
