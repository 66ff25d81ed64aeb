"""WebSockets and event streams by a session's cookie: for pages of the same origin, and only as long as it lasts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import websockets

from auth.sessions import close_session
from gateway.app import Gateway, create_app
from gateway.settings import load_settings
from tenants.provisioning import NewTenant, provision
from tests.gateway.mutations.door import id_of
from tests.gateway.pages.signed_in import new_account, sign_in
from tests.gateway.pages.visitor import Visitor
from tests.wire.conftest import listening

FOLLOW = "subscription ($site: ID!) { siteChanged(site: $site) { site { name } } }"


@pytest_asyncio.fixture(scope="module")
async def running(environ: dict[str, str]) -> AsyncIterator[tuple[Gateway, str]]:
    """A gateway that listens, and its address."""
    gateway = create_app(load_settings(environ))
    async with listening(gateway) as url:
        yield gateway, url


async def cookie_of(gateway: Gateway) -> tuple[str, Any, Any]:
    """A session's cookie as a header, with its account and its id."""
    visitor = Visitor(gateway)
    account_id = await new_account(gateway, "Anna")
    session_id = await sign_in(gateway, visitor, account_id)
    return f"plein={visitor.cookies['plein']}", account_id, session_id


async def greeted(url: str, headers: dict[str, str], init: dict[str, Any] | None = None) -> str:
    """What a socket with these headers is told first: the answer to who is there, or the code it is closed with."""
    address = url.replace("http", "ws", 1) + "/graphql"
    async with websockets.connect(
        address, subprotocols=["graphql-transport-ws"], additional_headers=headers, origin=None
    ) as socket:
        await socket.send(json.dumps({"type": "connection_init"} | ({"payload": init} if init else {})))
        try:
            await socket.recv()
        except websockets.ConnectionClosed:
            return str(socket.close_code)
        who = {"query": "{ viewer { account { name } } }"}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": who}))
        return str(json.loads(await socket.recv())["payload"]["data"]["viewer"]["account"])


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"origin": "{here}"}, "{'name': 'Anna'}"),
        ({"origin": "{here}", "sec-fetch-site": "same-origin"}, "{'name': 'Anna'}"),
        ({"sec-fetch-site": "same-origin"}, "{'name': 'Anna'}"),
        ({"origin": "https://evil.example"}, "4403"),
        ({"origin": "null"}, "4403"),
        ({"origin": "http://127.0.0.1:1"}, "4403"),
        ({"origin": "{here}.evil.example"}, "4403"),
        ({"sec-fetch-site": "same-site"}, "4403"),
        ({}, "4403"),
    ],
    ids=str,
)
async def test_a_socket_of_another_origin_is_refused(
    running: tuple[Gateway, str], headers: dict[str, str], told: str
) -> None:
    """Cross-site WebSocket hijacking: a browser sends the cookie along and asks no leave."""
    gateway, url = running
    cookie, _, _ = await cookie_of(gateway)
    sent = {name: value.replace("{here}", url) for name, value in headers.items()}
    assert await greeted(url, sent | {"cookie": cookie}) == told


async def test_without_the_cookie_any_origin_may_come_as_a_visitor(running: tuple[Gateway, str]) -> None:
    _, url = running
    assert await greeted(url, {"origin": "https://elsewhere.example"}) == "None"


async def test_a_socket_and_a_stream_end_with_their_session(running: tuple[Gateway, str]) -> None:
    gateway, url = running
    cookie, account_id, session_id = await cookie_of(gateway)
    site = await provision(gateway.square.database, NewTenant("zutphen", "Zutphen"), owner_account_id=account_id)
    follow = {"query": FOLLOW, "variables": {"site": id_of("S", site)}}
    headers = {"cookie": cookie, "origin": url}
    address = url.replace("http", "ws", 1) + "/graphql"
    async with (
        websockets.connect(address, subprotocols=["graphql-transport-ws"], additional_headers=headers) as socket,
        httpx.AsyncClient() as http,
    ):
        await socket.send(json.dumps({"type": "connection_init"}))
        assert "connection_ack" in str(await socket.recv())
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": follow}))
        stream = http.stream("POST", f"{url}/graphql", json=follow, headers=headers | {"accept": "text/event-stream"})
        async with stream as answer:
            assert answer.status_code == 200
            async with gateway.square.database.transaction(None) as tx:
                await close_session(tx, account_id, session_id)
            async with asyncio.timeout(10):
                await socket.wait_closed()
                said = b"".join([each async for each in answer.aiter_bytes()])
    assert socket.close_code == 4403
    assert b"UNAUTHENTICATED" in said
