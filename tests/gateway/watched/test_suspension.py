"""A suspended account is out at once: every socket, stream, token and key, in every worker process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import websockets
from websockets.exceptions import ConnectionClosed

from auth.viewer import PlatformRole
from schema.relay import PLATFORM_ID, NodeId, encode_id
from tenants.database import Database
from tests.conftest import ProvisionSite
from tests.gateway.mutations.door import SECRET, Door, Person, id_of
from tests.gateway.watched.processes import Serving, serving, wait_for

SOON_S = 20.0
EACH = 10  # connections of each kind: enough that both processes have some
FOLLOW = "subscription ($site: ID!) { contentChanged(site: $site) { cursor } }"
SIGN = "{ viewer { account { id } } }"


@asynccontextmanager
async def followed_by_socket(running: Serving, token: str, site: str) -> AsyncIterator[Any]:
    """A WebSocket on which something is followed."""
    url = running.url.replace("http", "ws", 1) + "/graphql"
    async with websockets.connect(url, subprotocols=["graphql-transport-ws"]) as connection:  # type: ignore[list-item]
        await connection.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        assert json.loads(await connection.recv()) == {"type": "connection_ack"}
        payload = {"query": FOLLOW, "variables": {"site": site}}
        await connection.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        yield connection


@asynccontextmanager
async def followed_by_stream(running: Serving, token: str, site: str) -> AsyncIterator[httpx.Response]:
    """An event stream of the same."""
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {token}"}
    body = {"query": FOLLOW, "variables": {"site": site}}
    async with (
        httpx.AsyncClient(timeout=SOON_S * 3) as client,
        client.stream("POST", f"{running.url}/graphql", json=body, headers=headers) as response,
    ):
        assert response.status_code == 200
        yield response


async def closed(connection: Any) -> int:
    """The code with which the server ends a socket."""
    try:
        async with asyncio.timeout(SOON_S):
            while True:
                await connection.recv()
    except ConnectionClosed:
        code: int = connection.close_code
        return code


async def ended(response: httpx.Response) -> str:
    """All that still comes on a stream that the server ends."""
    async with asyncio.timeout(SOON_S):
        return (await response.aread()).decode()


async def test_out_at_once_everywhere(
    square_database: str, database: Database, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    door = Door(httpx.AsyncClient(), database, provision_site)
    site, who = await door.site()
    here, operator, bystander = id_of("S", site), await door.person(PlatformRole.OPERATOR), await door.member(site)
    with serving(square_database, tmp_path, "--workers", "2", PLEIN_SECRET=SECRET) as running:
        key = by(running, who, "createApiKey", "secret", name="x", scopes=["READ"])["secret"]
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            tokens = [who.token, key] * (EACH // 2)
            sockets = [await enter(followed_by_socket(running, token, here)) for token in tokens]
            streams = [await enter(followed_by_stream(running, token, here)) for token in tokens]
            other = await enter(followed_by_socket(running, bystander.token, here))
            wait_for(lambda: sum(following(running)) == 2 * EACH + 1, running)
            assert min(following(running)) > 0, "all connections came to one process"
            by(running, operator, "suspendAccount", "accountId", account=account_id(who))
            assert await asyncio.gather(*map(closed, sockets)) == [4403] * EACH
            for said in await asyncio.gather(*map(ended, streams)):
                assert "UNAUTHENTICATED" in said
                assert said.rstrip().endswith("data:")
            for token in [who.token, key] * 10:  # each on a connection of its own, so by both processes
                answer = running.ask(SIGN, headers={"authorization": f"Bearer {token}"})
                assert answer.status_code == 401
            await other.send(json.dumps({"type": "ping"}))
            async with asyncio.timeout(SOON_S):
                assert json.loads(await other.recv()) == {"type": "pong"}
            wait_for(lambda: sum(following(running)) == 1, running)
        by(running, operator, "resumeAccount", "accountId", account=account_id(who))
        assert running.ask(SIGN, headers={"authorization": f"Bearer {who.token}"}).json()["data"]
        assert running.ask(SIGN, headers={"authorization": f"Bearer {key}"}).status_code == 401


def by(running: Serving, who: Person, mutation: str, selection: str, **given: Any) -> Any:
    """The payload of a mutation, which must succeed."""
    of_type = f"{mutation[0].upper()}{mutation[1:]}Input!"
    query = f"mutation ($input: {of_type}) {{ {mutation}(input: $input) {{ {selection} }} }}"
    headers = {"authorization": f"Bearer {who.token}"}
    body = {"query": query, "variables": {"input": given}}
    answer = httpx.post(f"{running.url}/graphql", json=body, headers=headers, timeout=SOON_S).json()
    assert "errors" not in answer, answer
    return answer["data"][mutation]


def following(running: Serving) -> list[float]:
    """How many subscriptions each process carries."""
    return [value for key, value in running.metrics().items() if key[0] == "plein_subscriptions"]


def account_id(who: Person) -> str:
    """An account's id as the API tells it."""
    return encode_id(NodeId("A", PLATFORM_ID, who.id))
