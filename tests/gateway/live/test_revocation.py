"""What lets somebody in no more closes what it opened, and nothing else; also what it opens at that very moment."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from gateway.over_sse import GraphQLOverSSE
from tests.gateway.live.running import Running
from tests.gateway.live.test_over_websocket import closed
from tests.gateway.live.test_subscriptions import CHANGED
from tests.gateway.mutations.door import Person, id_of

WHO = "{ viewer { account { name } } }"


async def key_of(live: Running, who: Person, *scopes: str) -> tuple[Person, str]:
    """The person by a key of theirs, and the key's id."""
    made = await live.change(who, "createApiKey", "secret apiKey { id }", name="x", scopes=list(scopes or ["READ"]))
    return Person(who.id, made["secret"]), made["apiKey"]["id"]


async def test_a_revoked_key_closes_its_own_connections_only(live: Running) -> None:
    _, owner = await live.site()
    (one, id_), (other, _) = await key_of(live, owner), await key_of(live, owner)
    async with live.socket(one) as mine, live.socket(other) as theirs, live.socket(owner) as session:
        await live.change(owner, "revokeApiKey", "__typename", id=id_)
        code, reason = await closed(mine.connection)
        assert code == 4403
        assert "not valid any more" in reason
        for still in (theirs, session):
            await still.subscribe(WHO)
            assert (await still.next())["viewer"]["account"]


async def test_a_key_without_the_scope_follows_nothing(live: Running) -> None:
    site, owner = await live.site()
    async with live.socket(owner) as socket:
        await socket.subscribe(CHANGED, site=id_of("S", site))
        await live.followed(1)
    statistics = await live.person()
    assert statistics
    elsewhere, _ = await live.site()
    narrow = await live.change(owner, "createApiKey", "secret", name="x", scopes=["READ"], sites=[id_of("S", site)])
    async with live.socket(Person(owner.id, narrow["secret"])) as socket:
        await socket.subscribe(CHANGED, site=id_of("S", elsewhere))
        message = await socket.hear()
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_a_stream_is_for_the_credential_that_reserved_it(live: Running) -> None:
    """A key that may only read does not write by way of a stream of its account's session."""
    _, owner = await live.site()
    key, _ = await key_of(live, owner)
    async with httpx.AsyncClient(base_url=live.url, timeout=10) as client:
        whole, narrow = ({"authorization": f"Bearer {who.token}"} for who in (owner, key))
        token = (await client.put("/graphql", headers=whole)).text
        body = {"query": WHO, "extensions": {"operationId": "1"}}
        given: dict[str, Any] = {"x-graphql-event-stream-token": token}
        assert (await client.post("/graphql", json=body, headers=given | narrow)).status_code == 403
        assert (await client.post("/graphql", json=body, headers=given | whole)).status_code == 202


async def test_what_connects_while_it_is_revoked_is_refused(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is good when the request comes, and revoked before its stream begins."""
    site, owner = await live.site()
    key, id_ = await key_of(live, owner)
    distinct = GraphQLOverSSE._distinct

    async def late(self: Any, *given: Any) -> Any:
        await live.change(owner, "revokeApiKey", "__typename", id=id_)
        return await distinct(self, *given)

    monkeypatch.setattr(GraphQLOverSSE, "_distinct", late)
    async with live.events(key, CHANGED, site=id_of("S", site)) as events:
        assert events.response.status_code == 401
    await asyncio.sleep(0)
    assert live.square.live.count == 0
