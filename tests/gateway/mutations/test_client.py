"""Clients: registered, changed, given a new secret and removed by those who may, and by nobody else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import select

from auth.audit import AUDIT
from auth.policy import Role
from auth.provider.client_authentication import hash_secret
from auth.provider.clients import CLIENT
from auth.provider.consents import CONSENT, create_consent, load_permissions
from auth.provider.signing_keys import PUBLISHED_AHEAD, SIGNING_KEY
from auth.viewer import PlatformRole
from schema.relay import PLATFORM_ID, NodeId, decode_id, encode_id
from tenants.registry import TenantRef
from tests.gateway.mutations.door import Door, Person

SHOWN = (
    "id clientId name site { slug } authentication grantTypes scopes redirectUris logoutRedirectUris logoutUri origins "
    "subjectType idTokenAlgorithm homeUri policyUri jwks isTrusted version"
)
ASKED: dict[str, Any] = {
    "name": "App",
    "authentication": "SECRET",
    "grantTypes": ["AUTHORIZATION_CODE", "REFRESH_TOKEN"],
    "scopes": ["OPENID", "READ"],
    "redirectUris": ["https://app.example/cb"],
}


def site_id(site: TenantRef) -> str:
    return encode_id(NodeId("S", PLATFORM_ID, site.id))


def key_of(told: dict[str, Any]) -> UUID:
    node = decode_id(told["id"])
    assert node is not None
    return node.key


async def registered(door: Door, who: Person, **given: Any) -> tuple[str | None, dict[str, Any]]:
    """A new client's secret, and what is told of it."""
    payload = await door.change(who, "registerClient", f"secret client {{ {SHOWN} }}", **{**ASKED, **given})
    return payload["secret"], payload["client"]


async def clients_of(door: Door, who: Person, filter_: str = "") -> list[str]:
    """The names of the clients that somebody may manage."""
    body = await door.ask(who, f"{{ viewer {{ clients{filter_} {{ edges {{ node {{ name }} }} }} }} }}")
    assert "errors" not in body, body
    return [edge["node"]["name"] for edge in body["data"]["viewer"]["clients"]["edges"]]


async def test_an_admin_registers_a_client_of_their_site(door: Door) -> None:
    site, owner = await door.site()
    secret, told = await registered(door, owner, site=site_id(site), logoutUri="https://app.example/out")
    assert secret is not None
    assert secret.startswith("plein_client_")
    assert told | {"id": "", "clientId": ""} == {
        "id": "",
        "clientId": "",
        "name": "App",
        "site": {"slug": site.slug},
        "authentication": "SECRET",
        "grantTypes": ["AUTHORIZATION_CODE", "REFRESH_TOKEN"],
        "scopes": ["OPENID", "READ"],
        "redirectUris": ["https://app.example/cb"],
        "logoutRedirectUris": [],
        "logoutUri": "https://app.example/out",
        "origins": [],
        "subjectType": "PAIRWISE",
        "idTokenAlgorithm": "RS256",
        "homeUri": None,
        "policyUri": None,
        "jwks": None,
        "isTrusted": False,
        "version": 1,
    }
    assert told["clientId"] == str(key_of(told))
    async with door.database.transaction(None) as tx:
        row = (await tx.execute(select(CLIENT).where(CLIENT.c.id == key_of(told)))).one()
        acts = (await tx.execute(select(AUDIT).where(AUDIT.c.tenant_id == site.id))).all()
    assert row.secret_hash == hash_secret(secret)
    assert secret not in str(row) + str(acts)
    assert [(each.action, each.subject) for each in acts][-1] == ("client.registered", told["id"])
    assert await clients_of(door, owner) == ["App"]


async def test_who_may_register_what(door: Door) -> None:
    site, owner = await door.site()
    other, _ = await door.site()
    operator = await door.person(PlatformRole.OPERATOR)
    _, told = await registered(door, operator, isTrusted=True, scopes=["OPENID", "PLATFORM_ADMIN"])
    assert (told["site"], told["isTrusted"]) == (None, True)
    for role in (Role.GUEST, Role.MEMBER, Role.EDITOR):
        member = await door.member(site, role)
        assert (await door.refused(member, "registerClient", **ASKED, site=site_id(site))).code == "FORBIDDEN"
    admin = await door.member(site, Role.ADMIN)
    await registered(door, admin, site=site_id(site))
    for who in (owner, admin, await door.person(PlatformRole.ANALYST)):
        assert (await door.refused(who, "registerClient", **ASKED)).code == "FORBIDDEN"
        assert (await door.refused(who, "registerClient", **ASKED, site=site_id(other))).code == "FORBIDDEN"
    trusted = await door.refused(owner, "registerClient", **ASKED, site=site_id(site), isTrusted=True)
    assert (trusted.code, trusted.field) == ("FORBIDDEN", "input.isTrusted")
    wide = await door.refused(owner, "registerClient", **{**ASKED, "scopes": ["PLATFORM_ADMIN"]}, site=site_id(site))
    assert (wide.code, wide.field) == ("BAD_USER_INPUT", "input.scopes")


async def test_a_client_is_there_for_those_who_run_its_site_only(door: Door) -> None:
    site, owner = await door.site()
    _, neighbour = await door.site()
    _, told = await registered(door, owner, site=site_id(site), name="Of the site")
    _, platform = await registered(door, await door.person(PlatformRole.OPERATOR), name="Of the platform")
    member = await door.member(site, Role.EDITOR)
    document = f'{{ node(id: "{told["id"]}") {{ id }} }}'
    for who in (neighbour, member):
        assert await clients_of(door, who) == []
        assert (await door.ask(who, document))["data"] == {"node": None}
    for who in (neighbour, member, owner):
        for name, more in (("updateClient", {"version": 1}), ("rotateClientSecret", {}), ("deleteClient", {})):
            wrong = platform["id"] if who is owner else told["id"]
            refused = await door.refused(who, name, id=wrong, **more)
            assert (refused.code, refused.field) == ("NOT_FOUND", "input.id"), name
    assert await clients_of(door, owner, f'(filter: {{site: "{site_id(site)}"}})') == ["Of the site"]
    operator = await door.person(PlatformRole.OPERATOR)
    assert "Of the platform" in await clients_of(door, operator)
    assert "Of the site" not in await clients_of(door, operator)


async def test_a_client_is_changed(door: Door) -> None:
    site, owner = await door.site()
    _, told = await registered(door, owner, site=site_id(site), homeUri="https://app.example/")
    change = {"id": told["id"], "version": 1, "name": "Other", "homeUri": "", "origins": ["https://app.example"]}
    new = (await door.change(owner, "updateClient", f"client {{ {SHOWN} }}", **change))["client"]
    assert (new["name"], new["homeUri"], new["origins"], new["version"]) == ("Other", None, ["https://app.example"], 2)
    assert {key: new[key] for key in ("redirectUris", "scopes")} == {
        key: told[key] for key in ("redirectUris", "scopes")
    }
    again = (await door.change(owner, "updateClient", "client { version }", **{**change, "version": 2}))["client"]
    assert again["version"] == 2, "what is so already changes nothing"
    late = await door.refused(owner, "updateClient", id=told["id"], version=1, name="X")
    assert (late.code, late.field) == ("CONFLICT", "input.version")


async def test_a_new_secret_leaves_the_old_one_a_day(door: Door) -> None:
    site, owner = await door.site()
    secret, told = await registered(door, owner, site=site_id(site))
    new = (await door.change(owner, "rotateClientSecret", "secret", id=told["id"]))["secret"]
    async with door.database.transaction(None) as tx:
        row = (await tx.execute(select(CLIENT).where(CLIENT.c.id == key_of(told)))).one()
    assert (row.secret_hash, row.earlier_secret_hash) == (hash_secret(new), hash_secret(secret or ""))
    assert (row.earlier_secret_until - datetime.now(UTC)).total_seconds() == pytest.approx(86_400, abs=60)
    await door.change(owner, "rotateClientSecret", "secret", id=told["id"], atOnce=True)
    async with door.database.transaction(None) as tx:
        row = (await tx.execute(select(CLIENT).where(CLIENT.c.id == key_of(told)))).one()
    assert row.earlier_secret_until <= datetime.now(UTC)
    _, public = await registered(door, owner, site=site_id(site), authentication="NONE")
    assert (await door.refused(owner, "rotateClientSecret", id=public["id"])).code == "BAD_USER_INPUT"


async def test_who_gives_a_machine_its_secret_is_who_it_works_as(door: Door) -> None:
    """An admin who gives an owner's client a new secret gets none of the owner's powers, nor the other way round."""
    site, owner = await door.site()
    admin = await door.member(site, Role.ADMIN)
    given = {"site": site_id(site), "grantTypes": ["CLIENT_CREDENTIALS"], "scopes": ["ADMIN"], "redirectUris": []}
    _, told = await registered(door, owner, **given)
    await door.change(admin, "updateClient", "client { version }", id=told["id"], version=1, name="Other")
    for who in (owner, admin, owner):
        await door.change(who, "rotateClientSecret", "secret", id=told["id"])
        async with door.database.transaction(None) as tx:
            row = (await tx.execute(select(CLIENT).where(CLIENT.c.id == key_of(told)))).one()
        assert row.account_id == who.id
    assert row.earlier_secret_until <= datetime.now(UTC), "whoever had the old secret would work as somebody else"
    _, signing_in = await registered(door, admin, site=site_id(site))
    await door.change(owner, "rotateClientSecret", "secret", id=signing_in["id"])
    more = {"id": signing_in["id"], "version": 2, "grantTypes": ["AUTHORIZATION_CODE", "CLIENT_CREDENTIALS"]}
    await door.change(admin, "updateClient", "client { version }", **more)
    async with door.database.transaction(None) as tx:
        row = (await tx.execute(select(CLIENT).where(CLIENT.c.id == key_of(signing_in)))).one()
    assert row.account_id == owner.id
    assert row.earlier_secret_until <= datetime.now(UTC), "the admin knows it"
    keys = [json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=False)]}) for _ in range(2)]
    _, keyed = await registered(door, owner, **given, authentication="PRIVATE_KEY", jwks=keys[0])
    for version, (change, answers) in enumerate([({"name": "X"}, owner), ({"jwks": keys[1]}, admin)], 1):
        await door.change(admin, "updateClient", "client { version }", id=keyed["id"], version=version, **change)
        async with door.database.transaction(None) as tx:
            assert await tx.scalar(select(CLIENT.c.account_id).where(CLIENT.c.id == key_of(keyed))) == answers.id


async def test_a_site_has_so_many_clients_and_no_more(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    site, owner = await door.site()
    monkeypatch.setattr("schema.services.client.MOST_CLIENTS", 2)
    for _ in range(2):
        await registered(door, owner, site=site_id(site))
    assert (await door.refused(owner, "registerClient", **ASKED, site=site_id(site))).code == "LIMIT_EXCEEDED"


async def test_a_client_is_removed(door: Door) -> None:
    site, owner = await door.site()
    _, told = await registered(door, owner, site=site_id(site))
    assert (await door.change(owner, "deleteClient", "deletedId", id=told["id"]))["deletedId"] == told["id"]
    assert await clients_of(door, owner) == []
    assert (await door.refused(owner, "deleteClient", id=told["id"])).code == "NOT_FOUND"


async def test_the_same_request_again_gives_the_same_client_and_no_secret(door: Door) -> None:
    site, owner = await door.site()
    given = {"site": site_id(site), "idempotencyKey": "once"}
    _, told = await registered(door, owner, **given)
    assert await registered(door, owner, **given) == (None, told)


RSA_WEAK = {"keys": [RSAKey.generate_key(1024).as_dict(private=False)]}
PRIVATE = {"keys": [ECKey.generate_key("P-256").as_dict(private=True)]}
PUBLIC = ECKey.generate_key("P-256").as_dict(private=False)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "a\nb"}),
        ("grantTypes", {"grantTypes": []}),
        ("grantTypes", {"grantTypes": ["REFRESH_TOKEN"]}),
        ("grantTypes", {"authentication": "NONE", "grantTypes": ["CLIENT_CREDENTIALS"]}),
        ("scopes", {"scopes": []}),
        ("redirectUris", {"redirectUris": []}),
        ("redirectUris", {"redirectUris": ["https://app.example/cb"] * 2}),
        ("redirectUris", {"redirectUris": [f"https://app.example/{each}" for each in range(21)]}),
        *(
            ("redirectUris", {"redirectUris": [uri]})
            for uri in (
                "http://app.example/cb",
                "https://app.example/cb#x",
                "https://*.example/cb",
                "https://a@app.example/cb",
                "https://app.example/../cb",
                "https://APP.example/cb",
                "https://app.example:x/cb",
                "https://app.éxample/cb",
                "https://app.example/a b",
                "https://app.example\\@evil.example/",
                "nl.example.app:/cb",
                "myapp:/cb",
                "javascript:alert(1)",
                "data:text/html,x",
                "https://",
                "",
                "https://app.example/" + "a" * 3000,
            )
        ),
        ("redirectUris", {"authentication": "NONE", "redirectUris": ["javascript:alert(1)"]}),
        ("redirectUris", {"authentication": "NONE", "redirectUris": ["myapp:/cb"]}),
        ("origins", {"origins": ["https://app.example/"]}),
        ("origins", {"origins": ["https://app.example:443"]}),
        ("origins", {"origins": ["*"]}),
        ("origins", {"origins": ["null"]}),
        ("logoutUri", {"logoutUri": "http://app.example/out"}),
        ("logoutRedirectUris", {"logoutRedirectUris": ["http://app.example/"]}),
        ("homeUri", {"homeUri": "javascript:alert(1)"}),
        ("policyUri", {"policyUri": "x"}),
        ("jwks", {"jwks": "{}"}),
        ("jwks", {"authentication": "PRIVATE_KEY"}),
        *(
            ("jwks", {"authentication": "PRIVATE_KEY", "jwks": jwks})
            for jwks in (
                "{",
                "[]",
                '{"keys":[]}',
                '{"keys":[{"kty":"oct","k":"AAAA"}]}',
                '{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}',
                json.dumps(RSA_WEAK),
                json.dumps(PRIVATE),
                json.dumps({"keys": [PUBLIC, PUBLIC]}),
            )
        ),
    ],
)
async def test_what_is_not_in_order_is_named(door: Door, field: str, given: dict[str, Any]) -> None:
    operator = await door.person(PlatformRole.OPERATOR)
    refused = await door.refused(operator, "registerClient", **{**ASKED, **given})
    assert (refused.code, refused.field) == ("BAD_USER_INPUT", f"input.{field}"), refused.message


async def test_an_app_on_a_device_has_its_own_addresses(door: Door) -> None:
    operator = await door.person(PlatformRole.OPERATOR)
    uris = ["http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost:3000/cb", "nl.example.app:/cb"]
    secret, told = await registered(door, operator, authentication="NONE", redirectUris=uris)
    assert (secret, told["redirectUris"]) == (None, uris)


async def test_operators_renew_the_keys(door: Door) -> None:
    operator = await door.person(PlatformRole.OPERATOR)
    for who in (await door.person(), await door.person(PlatformRole.ANALYST)):
        assert (await door.refused(who, "rotateSigningKeys")).code == "FORBIDDEN"
    before = datetime.now(UTC)
    later = (await door.change(operator, "rotateSigningKeys", "signsFrom"))["signsFrom"]
    assert datetime.fromisoformat(later) >= before + PUBLISHED_AHEAD
    now = (await door.change(operator, "rotateSigningKeys", "signsFrom", atOnce=True))["signsFrom"]
    assert datetime.fromisoformat(now) <= datetime.now(UTC)
    async with door.database.transaction(None) as tx:
        rows = (await tx.execute(select(SIGNING_KEY).where(SIGNING_KEY.c.published_until.is_(None)))).all()
    assert sorted(row.algorithm for row in rows) == ["ES256", "RS256"]
    assert all(row.signs_from <= datetime.now(UTC) for row in rows)


async def test_a_person_sees_what_they_agreed_to_and_takes_it_back(door: Door) -> None:
    site, owner = await door.site()
    _, told = await registered(door, owner, site=site_id(site), homeUri="https://app.example/")
    person, other = await door.person(), await door.person()
    async with door.database.transaction(None) as tx:
        given = [f"read@{site.id}", "openid", "statistics:read"]
        await create_consent(tx, person.id, key_of(told), given, datetime.now(UTC))
    shown = "id application { name homeUri } scopes isForAllSites sites { edges { node { slug } } }"
    document = f"{{ viewer {{ account {{ consents {{ edges {{ node {{ {shown} }} }} }} }} }} }}"
    (edge,) = (await door.ask(person, document))["data"]["viewer"]["account"]["consents"]["edges"]
    consent = edge["node"]
    assert consent | {"id": ""} == {
        "id": "",
        "application": {"name": "App", "homeUri": "https://app.example/"},
        "scopes": ["OPENID", "READ", "STATISTICS_READ"],
        "isForAllSites": False,
        "sites": {"edges": [{"node": {"slug": site.slug}}]},
    }
    for who in (other, owner):
        assert (await door.refused(who, "revokeConsent", id=consent["id"])).code == "NOT_FOUND"
        assert (await door.ask(who, f'{{ node(id: "{consent["id"]}") {{ id }} }}'))["data"] == {"node": None}
    await door.change(person, "revokeConsent", "deletedId", id=consent["id"])
    async with door.database.transaction(None) as tx:
        assert await load_permissions(tx, person.id, key_of(told)) == frozenset()
        assert (await tx.scalar(select(CONSENT.c.id).where(CONSENT.c.account_id == person.id))) is None
