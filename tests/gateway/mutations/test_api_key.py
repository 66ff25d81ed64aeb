"""Keys for machines: made, shown once, listed, revoked; and everything that a key is refused for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, update

from auth.api_keys import ALPHABET, KEY, PREFIX, SHAPE, KeyVerifier, StoredKey, checksum, load_key, read_key
from auth.audit import AUDIT
from auth.errors import Unauthenticated
from auth.viewer import PlatformRole
from gateway.key_uses import note_uses
from schema.relay import PLATFORM_ID, NodeId, encode_id
from tenants.registry import TenantRef
from tests.gateway.mutations.door import Door, Person, id_of

SHOWN = "id name start scopes isForAllSites sites { edges { node { slug } } } createdAt expiresAt lastUsedAt revokedAt"
ASKED = {"name": "Robot", "scopes": ["READ"]}


def site_id(site: TenantRef) -> str:
    """A site's id as the API tells it."""
    return encode_id(NodeId("S", PLATFORM_ID, site.id))


async def made(door: Door, who: Person, **given: Any) -> tuple[str, dict[str, Any]]:
    """A new key, and what is told of it."""
    payload = await door.change(who, "createApiKey", f"secret apiKey {{ {SHOWN} }}", **{**ASKED, **given})
    return payload["secret"], payload["apiKey"]


def bearer(who: Person, key: str) -> Person:
    """The same person, by a key."""
    return Person(who.id, key)


async def keys_of(door: Door, who: Person) -> list[dict[str, Any]]:
    """Whoever's keys, as they are listed."""
    body = await door.ask(who, f"{{ viewer {{ account {{ apiKeys {{ edges {{ node {{ {SHOWN} }} }} }} }} }} }}")
    assert "errors" not in body, body
    return [edge["node"] for edge in body["data"]["viewer"]["account"]["apiKeys"]["edges"]]


async def audited(door: Door, who: Person) -> list[Any]:
    """What this person did that is worth a row, the first first."""
    async with door.database.transaction(None) as tx:
        rows = await tx.execute(select(AUDIT).where(AUDIT.c.account_id == who.id).order_by(AUDIT.c.happened_at))
        return list(rows)


async def test_a_key_is_told_once_and_lets_its_bearer_in(door: Door) -> None:
    who = await door.person()
    key, told = await made(door, who)
    assert SHAPE.fullmatch(key)
    assert key.startswith(told["start"])
    assert (told["name"], told["scopes"], told["isForAllSites"]) == ("Robot", ["READ"], True)
    body = await door.ask(bearer(who, key), "{ viewer { account { id } } }")
    assert body["data"]["viewer"]["account"]["id"] == encode_id(NodeId("A", PLATFORM_ID, who.id))
    assert await keys_of(door, who) == [told]
    assert key not in str(await keys_of(door, who))
    days = (datetime.fromisoformat(told["expiresAt"]) - datetime.now(UTC)) / timedelta(days=1)
    assert 89.9 < days < 90.1


async def test_nothing_in_the_database_is_the_key(door: Door) -> None:
    who = await door.person()
    key, told = await made(door, who)
    secret = read_key(key)[1]
    async with door.database.transaction(None) as tx:
        row = (await tx.execute(select(KEY).where(KEY.c.account_id == who.id))).one()
    assert secret not in str(row)
    assert secret.encode() not in row.secret_hash
    (act,) = await audited(door, who)
    assert (act.action, act.subject, act.tenant_id) == ("api_key.created", told["id"], None)
    assert secret not in str(act)
    assert act.address == "127.0.0.1"
    assert act.agent.startswith("python-httpx")
    assert act.credential == "token"
    assert re.fullmatch(r"[0-9a-f]{16}", act.request_id)


async def test_a_repeated_request_makes_one_key_and_tells_it_once(door: Door) -> None:
    who = await door.person()
    first, told = await made(door, who, idempotencyKey="once")
    again = await door.change(who, "createApiKey", "secret apiKey { id }", **ASKED, idempotencyKey="once")
    assert first
    assert again == {"secret": None, "apiKey": {"id": told["id"]}}
    assert len(await keys_of(door, who)) == 1
    refused = await door.refused(who, "createApiKey", **{**ASKED, "name": "Other"}, idempotencyKey="once")
    assert refused.code == "CONFLICT"


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"name": ""}, "BAD_USER_INPUT", "input.name"),
        ({"name": "x" * 101}, "BAD_USER_INPUT", "input.name"),
        ({"scopes": []}, "BAD_USER_INPUT", "input.scopes"),
        ({"scopes": ["ACCOUNT"]}, "BAD_USER_INPUT", "input.scopes"),
        ({"scopes": ["READ", "PLATFORM_ADMIN"]}, "FORBIDDEN", None),
        ({"scopes": ["STATISTICS_READ"]}, "FORBIDDEN", None),
        ({"sites": []}, "BAD_USER_INPUT", "input.sites"),
        ({"sites": ["x"]}, "NOT_FOUND", "input.sites"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "BAD_USER_INPUT", "input.expiresAt"),
        ({"expiresAt": "2999-01-01T00:00:00Z"}, "BAD_USER_INPUT", "input.expiresAt"),
        ({"expiresAt": "2030-01-01T00:00:00"}, "BAD_USER_INPUT", "input.expiresAt"),
    ],
)
async def test_what_no_key_can_be(door: Door, given: dict[str, Any], code: str, field: str | None) -> None:
    who = await door.person()
    refused = await door.refused(who, "createApiKey", **{**ASKED, **given})
    assert refused.code == code
    assert refused.field == (field or "input.scopes")
    assert await keys_of(door, who) == []
    assert await audited(door, who) == []


async def test_a_key_is_for_sites_that_its_maker_is_on(door: Door) -> None:
    mine, who = await door.site()
    theirs, _ = await door.site()
    _, told = await made(door, who, sites=[site_id(mine), site_id(mine)])
    assert told["isForAllSites"] is False
    assert [edge["node"]["slug"] for edge in told["sites"]["edges"]] == [mine.slug]
    unknown = encode_id(NodeId("S", PLATFORM_ID, UUID(int=7)))
    for other in (site_id(theirs), unknown, id_of("G", mine), id_of("C", mine)):
        refused = await door.refused(who, "createApiKey", **ASKED, sites=[site_id(mine), other])
        assert (refused.code, refused.field) == ("NOT_FOUND", "input.sites")


async def test_analysts_and_operators_make_keys_for_what_they_are(door: Door) -> None:
    analyst, operator = await door.person(PlatformRole.ANALYST), await door.person(PlatformRole.OPERATOR)
    await made(door, analyst, scopes=["STATISTICS_READ"])
    assert (await door.refused(analyst, "createApiKey", name="x", scopes=["PLATFORM_ADMIN"])).code == "FORBIDDEN"
    await made(door, operator, scopes=["STATISTICS_READ", "PLATFORM_ADMIN"])


async def test_an_account_has_so_many_keys(door: Door) -> None:
    who = await door.person()
    _, told = await made(door, who)
    columns = [func.gen_random_uuid() if each.name == "id" else each for each in KEY.c]
    copy = select(*columns).where(KEY.c.account_id == who.id).limit(1)
    async with door.database.transaction(None) as tx:
        for _ in range(99):
            await tx.execute(insert(KEY).from_select([each.name for each in KEY.c], copy))
    assert (await door.refused(who, "createApiKey", **ASKED)).code == "LIMIT_EXCEEDED"
    await door.change(who, "revokeApiKey", "__typename", id=told["id"])
    await made(door, who)


async def test_revoked_is_over_at_once(door: Door) -> None:
    who = await door.person()
    key, told = await made(door, who)
    assert (await door.ask(bearer(who, key), "{ viewer { account { id } } }"))["data"]
    payload = await door.change(who, "revokeApiKey", "apiKey { id revokedAt }", id=told["id"])
    assert payload["apiKey"]["revokedAt"]
    body = await door.ask(bearer(who, key), "{ viewer { account { id } } }")
    assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    again = await door.change(who, "revokeApiKey", "apiKey { revokedAt }", id=told["id"])
    assert again == {"apiKey": {"revokedAt": payload["apiKey"]["revokedAt"]}}
    assert [act.action for act in await audited(door, who)] == ["api_key.created", "api_key.revoked"]


async def test_anothers_key_is_not_there(door: Door) -> None:
    who, other = await door.person(), await door.person()
    key, told = await made(door, who)
    for id_ in (told["id"], "x", encode_id(NodeId("Y", PLATFORM_ID, UUID(int=1))), told["id"].upper()):
        refused = await door.refused(other, "revokeApiKey", id=id_)
        assert (refused.code, refused.field) == ("NOT_FOUND", "input.id")
    node = "query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }"
    assert (await door.ask(other, node, id=told["id"]))["data"] == {"node": None, "nodes": [None]}
    assert (await door.ask(who, node, id=told["id"]))["data"]["node"] == {"id": told["id"]}
    assert (await door.ask(None, node, id=told["id"]))["data"] == {"node": None, "nodes": [None]}
    assert (await door.ask(bearer(who, key), "{ viewer { account { id } } }"))["data"]


async def test_an_expired_key_says_so(door: Door) -> None:
    who = await door.person()
    key, told = await made(door, who)
    async with door.database.transaction(None) as tx:
        past = datetime.now(UTC) - timedelta(seconds=1)
        await tx.execute(update(KEY).where(KEY.c.account_id == who.id).values(expires_at=past))
    (error,) = (await door.ask(bearer(who, key), "{ viewer { account { id } } }"))["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert "expired" in error["message"]
    assert told["id"]


async def test_a_text_that_was_never_a_key_asks_nothing(door: Door) -> None:
    """One digit wrong is found by the checksum; a key of the right form with another secret by its hash."""
    who = await door.person()
    key, _ = await made(door, who)
    for place in range(len(PREFIX), len(key)):
        digit = ALPHABET[(ALPHABET.index(key[place]) + 1) % 62]
        with pytest.raises(Unauthenticated):
            read_key(key[:place] + digit + key[place + 1 :])
    for text in (
        key[:-1],
        key + "0",
        key.lower(),
        PREFIX,
        key.replace("plein", "Plein"),
        "plein_" + "z" * 71,
    ):
        with pytest.raises(Unauthenticated):
            read_key(text)
        assert "errors" in await door.ask(bearer(who, text), "{ __typename }"), text
    guessed = key[:28] + "0" * 43
    body = await door.ask(bearer(who, guessed + checksum(guessed)), "{ __typename }")
    assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_the_last_use_is_written_beside_the_requests(door: Door) -> None:
    """Once a minute at the most, by whoever was shown the key."""
    who = await door.person()
    key, _ = await made(door, who)

    async def load(key_id: UUID) -> StoredKey | None:
        async with door.database.transaction(None) as tx:
            return await load_key(tx, key_id)

    verifier = KeyVerifier(load)
    await note_uses(door.database, verifier)
    assert (await keys_of(door, who))[0]["lastUsedAt"] is None
    assert (await verifier.verify(key)).key_id in verifier.used
    await note_uses(door.database, verifier)
    (first,) = await keys_of(door, who)
    assert datetime.now(UTC) - datetime.fromisoformat(first["lastUsedAt"]) < timedelta(seconds=30)
    assert verifier.used == set()
    verifier.used.add(read_key(key)[0])
    await note_uses(door.database, verifier)
    assert await keys_of(door, who) == [first]
