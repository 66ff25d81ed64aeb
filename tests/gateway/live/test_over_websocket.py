"""The protocol graphql-transport-ws to the letter, spoken by a client that also says what it should not."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import websockets
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from auth.issuer import DevelopmentIssuer
from gateway.live import outlet
from gateway.over_websocket import ACK_SECONDS
from tenants.database import Database
from tests.conftest import ProvisionSite
from tests.gateway.live.running import Running, running_gateway
from tests.gateway.live.test_subscriptions import CHANGED, following
from tests.gateway.mutations.door import SECRET, Person, id_of
from tests.gateway.mutations.test_content import item, published

INIT = {"type": "connection_init"}
ACK = {"type": "connection_ack"}
WHO = "{ viewer { account { name } } }"


async def closed(connection: Any, timeout_s: float = 10) -> tuple[int | None, str]:
    """The code and reason with which the server closes, whatever it says before."""
    async with asyncio.timeout(timeout_s):
        with suppress(ConnectionClosedError):
            async for _ in connection:
                pass
        await connection.wait_closed()
    return connection.close_code, connection.close_reason


@pytest.mark.parametrize("offered", [None, ["graphql-ws"], ["mqtt", "graphql-ws"]])
async def test_no_other_protocol_is_spoken(live: Running, offered: list[str] | None) -> None:
    async with live.raw_socket(subprotocols=offered) as connection:
        assert connection.subprotocol is None
        assert await closed(connection) == (4406, "Subprotocol not acceptable")


async def test_it_is_chosen_among_others(live: Running) -> None:
    async with live.raw_socket(subprotocols=["graphql-ws", "graphql-transport-ws"]) as connection:
        assert connection.subprotocol == "graphql-transport-ws"
    with pytest.raises(InvalidStatus):
        async with websockets.connect(live.url.replace("http", "ws", 1) + "/elsewhere"):
            pass


async def test_queries_and_mutations_run_too(live: Running) -> None:
    site, owner = await live.site()
    async with live.socket(owner) as socket:
        id_ = await socket.subscribe(WHO)
        assert await socket.hear() == {
            "id": id_,
            "type": "next",
            "payload": {"data": {"viewer": {"account": {"name": "Anna"}}}},
        }
        assert await socket.hear() == {"id": id_, "type": "complete"}
        create = "mutation ($input: CreateContentInput!) { createContent(input: $input) { content { title } } }"
        await socket.subscribe(create, input={"site": id_of("S", site), **item("BLOG")})
        assert (await socket.next())["createContent"] == {"content": {"title": "Een blog"}}
        assert (await socket.hear())["type"] == "complete"


async def test_a_bad_operation_is_an_error_of_its_own(live: Running) -> None:
    async with live.socket() as socket:
        for query, code in (
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { a: __typename }", "GRAPHQL_VALIDATION_FAILED"),
            ("query A { viewer { account { id } } } query B { viewer { account { id } } }", "BAD_USER_INPUT"),
            ("query ($n: Int!) { sites(first: $n) { totalCount } }", "BAD_USER_INPUT"),
        ):
            id_ = await socket.subscribe(query)
            message = await socket.hear()
            assert (message["id"], message["type"]) == (id_, "error")
            assert {each["extensions"]["code"] for each in message["payload"]} == {code}
        for payload in ({}, {"query": 1}, {"query": WHO, "variables": []}, {"query": WHO, "operationName": 3}):
            await socket.say(id="x", type="subscribe", payload=payload)
            message = await socket.hear()
            assert (message["id"], message["type"]) == ("x", "error")
        await socket.subscribe(WHO)
        assert (await socket.next()) == {"viewer": {"account": None}}


async def test_who_asks_is_said_in_the_first_message_or_in_the_header(live: Running) -> None:
    person = await live.person()
    bearer = f"Bearer {person.token}"
    for headers, payload in (
        ({}, {"authorization": bearer}),
        ({}, {"Authorization": bearer}),
        ({"authorization": bearer}, None),
    ):
        async with live.raw_socket(additional_headers=headers) as connection:
            await connection.send(json.dumps(INIT | ({"payload": payload} if payload else {})))
            assert json.loads(await connection.recv()) == ACK
            await connection.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": WHO}}))
            assert json.loads(await connection.recv())["payload"]["data"]["viewer"]["account"] == {"name": "Anna"}


@pytest.mark.parametrize("given", ["Bearer nonsense", "Basic abc", "Bearer", " "])
async def test_a_bad_token_is_forbidden(live: Running, given: str) -> None:
    async with live.raw_socket() as connection:
        await connection.send(json.dumps(INIT | {"payload": {"authorization": given}}))
        assert (await closed(connection))[0] == 4403


SUBSCRIBE = {"id": "1", "type": "subscribe", "payload": {"query": CHANGED}}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ([SUBSCRIBE], 4401),
        ([{"type": "complete", "id": "1"}], 4401),
        ([INIT, INIT], 4429),
        ([INIT, {"type": "nonsense"}], 4400),
        ([INIT, {"id": "1"}], 4400),
        ([INIT, ["type"]], 4400),
        ([INIT, {"type": "subscribe", "payload": {"query": WHO}}], 4400),
        ([INIT, {"type": "subscribe", "id": "", "payload": {"query": WHO}}], 4400),
        ([INIT, {"type": "subscribe", "id": 7, "payload": {"query": WHO}}], 4400),
        ([INIT, {"type": "subscribe", "id": "1"}], 4400),
        ([INIT, {"type": "complete"}], 4400),
        ([INIT | {"payload": []}], 4400),
        ([INIT | {"payload": {"authorization": 3}}], 4400),
        ([INIT, "not json"], 4400),
        ([INIT, b"\x00\x01"], 4400),
    ],
    ids=str,
)
async def test_what_is_against_the_protocol_closes_with_its_code(live: Running, said: list[Any], code: int) -> None:
    async with live.raw_socket() as connection:
        for message in said:
            await connection.send(message if isinstance(message, str | bytes) else json.dumps(message))
        assert (await closed(connection))[0] == code


async def test_an_id_in_use_cannot_be_used_again_before_it_is_free(live: Running) -> None:
    site, _ = await live.site()
    async with live.socket() as socket:
        await following(live, socket, CHANGED, site=id_of("S", site))
        await socket.say(id="1", type="complete")
        await live.followed(0)
        await socket.say(id="1", type="subscribe", payload={"query": CHANGED, "variables": {"site": id_of("S", site)}})
        await live.followed(1)
        await socket.say(id="1", type="subscribe", payload={"query": WHO})
        assert await closed(socket.connection) == (4409, "Subscriber for 1 already exists")
    await live.followed(0)


async def test_who_completes_hears_no_more(live: Running) -> None:
    site, owner = await live.site()
    async with live.socket(owner) as socket:
        id_ = await following(live, socket, CHANGED, site=id_of("S", site))
        await socket.say(id=id_, type="complete")
        await socket.say(id="unknown", type="complete")
        await live.followed(0)
        await published(live, owner, site)
        assert await socket.is_quiet()


async def test_ping_is_answered_before_and_after_the_greeting(live: Running) -> None:
    async with live.raw_socket() as connection:
        for before in (True, False):
            await connection.send(json.dumps({"type": "ping", "payload": {"n": 1}}))
            assert json.loads(await connection.recv()) == {"type": "pong", "payload": {"n": 1}}
            await connection.send(json.dumps({"type": "ping"}))
            assert json.loads(await connection.recv()) == {"type": "pong"}
            await connection.send(json.dumps({"type": "pong"}))
            if before:
                await connection.send(json.dumps(INIT))
                assert json.loads(await connection.recv()) == ACK


async def test_who_does_not_greet_is_closed(live: Running) -> None:
    async with live.raw_socket() as connection:
        assert await closed(connection, ACK_SECONDS + 5) == (4408, "Connection initialisation timeout")


async def test_a_token_that_ends_closes_the_connection(live: Running) -> None:
    person = await live.person()
    short = Person(person.id, DevelopmentIssuer(SECRET).mint(str(person.id), lifetime_seconds=2).text)
    site, _ = await live.site()
    async with live.socket(short) as socket:
        await following(live, socket, CHANGED, site=id_of("S", site))
        assert await closed(socket.connection) == (4403, outlet.Reason.EXPIRED.value)
    await live.followed(0)


async def test_too_large_a_message_and_too_many_operations(
    square_database: str, database: Database, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    environ = {"PLEIN_LIMIT_BODY_BYTES": "5000", "PLEIN_LIMIT_OPERATIONS": "3", "PLEIN_SUBSCRIPTIONS": "5"}
    async with running_gateway(square_database, tmp_path, database, provision_site, **environ) as live:
        site, _ = await live.site()
        async with live.socket() as socket:
            await socket.say(type="ping", payload={"x": "y" * 6000})
            assert (await closed(socket.connection))[0] == 1009
        async with live.socket() as one, live.socket() as other:
            for _ in range(3):
                await following(live, one, CHANGED, site=id_of("S", site))
            assert "`operations` exceeded: at most 3" in await first_error(one, id_of("S", site))
            for _ in range(2):
                await following(live, other, CHANGED, site=id_of("S", site))
            assert "`subscriptions` exceeded: at most 5" in await first_error(other, id_of("S", site))
        await live.followed(0)


async def first_error(socket: Any, site: str) -> str:
    await socket.subscribe(CHANGED, site=site)
    message = await socket.hear()
    assert message["type"] == "error", message
    assert message["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    return str(message["payload"][0]["message"])


async def test_who_takes_too_slowly_is_dropped_and_nobody_waits_for_them(
    square_database: str, database: Database, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    async with running_gateway(square_database, tmp_path, database, provision_site, PLEIN_LIMIT_WAITING="20") as live:
        site, owner = await live.site()
        body = "x" * 90_000
        query = "subscription ($site: ID!) { contentChanged(site: $site) { content { body a: body b: body } } }"
        async with live.socket(owner, max_queue=1) as slow, live.socket(owner) as quick:
            slow.connection.transport.pause_reading()
            for socket in (slow, quick):
                await following(live, socket, query, site=id_of("S", site))
            for number in range(60):
                await published(live, owner, site, body=body)
                assert (await quick.next())["contentChanged"]["content"]["body"] == body, number
                if live.square.live.count == 1:
                    break
            await live.followed(1)
            await published(live, owner, site)
            assert (await quick.next())["contentChanged"]["content"]["body"] == "Tekst *met* opmaak"
            slow.connection.transport.abort()
        await live.followed(0)


async def test_the_server_ends_in_order(
    square_database: str, database: Database, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    async with running_gateway(square_database, tmp_path, database, provision_site) as live:
        site, owner = await live.site()
        async with live.socket(owner) as socket, live.raw_socket() as silent:
            await following(live, socket, CHANGED, site=id_of("S", site))
            began = asyncio.get_running_loop().time()
            live.server.should_exit = True
            assert await closed(socket.connection) == (1001, outlet.Reason.GOING.value)
            assert (await closed(silent))[0] == 1001
            assert asyncio.get_running_loop().time() - began < 5
