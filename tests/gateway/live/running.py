"""A whole gateway on a port, served as `plein serve` does, with clients for both transports of subscriptions."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import websockets
from websockets.asyncio.client import ClientConnection

from gateway.context import Square
from gateway.server import Server, make_server
from gateway.settings import load_settings
from tenants.database import Database
from tests.conftest import ProvisionSite
from tests.gateway.mutations.door import SECRET, Door, Person

SOON_S = 30.0
QUIET_S = 0.4  # how long nothing has to come to count as nothing


@dataclass
class Running(Door):
    """The door of a gateway that listens, where it is, and what is inside."""

    url: str = ""
    server: Server = field(default=None)  # type: ignore[assignment]

    @property
    def square(self) -> Square:
        """Its living parts."""
        return self.server.gateway.square

    async def followed(self, count: int = 1) -> None:
        """Wait until so many subscriptions run here, in all."""
        async with asyncio.timeout(SOON_S):
            while self.square.live.count != count:  # noqa: ASYNC110 - nobody is told of it
                await asyncio.sleep(0.005)

    @asynccontextmanager
    async def socket(self, who: Person | None = None, **options: Any) -> AsyncIterator[Socket]:
        """A WebSocket that was greeted."""
        async with self.raw_socket(**options) as connection:
            payload = {"authorization": f"Bearer {who.token}"} if who else {}
            await connection.send(json.dumps({"type": "connection_init", "payload": payload}))
            assert json.loads(await connection.recv()) == {"type": "connection_ack"}
            yield Socket(connection)

    def raw_socket(self, **options: Any) -> Any:
        """A WebSocket on which nothing was said yet."""
        given = {"subprotocols": ["graphql-transport-ws"], "max_size": None, "max_queue": None} | options
        return websockets.connect(self.url.replace("http", "ws", 1) + "/graphql", **given)

    @asynccontextmanager
    async def events(
        self, who: Person | None, query: str, headers: dict[str, str] | None = None, **variables: Any
    ) -> AsyncIterator[Events]:
        """An event stream of one operation."""
        given = {"accept": "text/event-stream", **(headers or {})}
        if who:
            given["authorization"] = f"Bearer {who.token}"
        body = {"query": query, "variables": variables}
        async with (
            httpx.AsyncClient(base_url=self.url, timeout=SOON_S) as client,
            client.stream("POST", "/graphql", json=body, headers=given) as response,
        ):
            yield Events(response)


@dataclass
class Socket:
    """The client's end of a WebSocket."""

    connection: ClientConnection
    ids: int = 0

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.connection.send(json.dumps(message))

    async def subscribe(self, query: str, **variables: Any) -> str:
        """Start an operation; its id."""
        self.ids += 1
        payload = {"query": query, "variables": variables}
        await self.say(id=str(self.ids), type="subscribe", payload=payload)
        return str(self.ids)

    async def hear(self, timeout_s: float = SOON_S) -> dict[str, Any]:
        """The next message."""
        message: dict[str, Any] = json.loads(await asyncio.wait_for(self.connection.recv(), timeout_s))
        return message

    async def next(self) -> Any:
        """The data of the next result, which must be one without errors."""
        message = await self.hear()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]

    async def is_quiet(self) -> bool:
        """Nothing comes for a while."""
        try:
            heard = await self.hear(QUIET_S)
        except TimeoutError:
            return True
        raise AssertionError(heard)


@dataclass
class Events:
    """The client's end of an event stream."""

    response: httpx.Response
    lines: Any = None

    def __post_init__(self) -> None:
        self.lines = self._read()

    async def _read(self) -> AsyncIterator[str]:
        """Lines as the standard has them: ended by LF here, whatever else in a text may look like a line's end."""
        rest = b""
        async for chunk in self.response.aiter_raw():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                assert b"\r" not in line
                yield line.decode()

    async def hear(self, timeout_s: float = SOON_S) -> dict[str, str] | None:
        """The next event's fields; None at the end of the stream. Comments are passed over."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(timeout_s):
            async for line in self.lines:
                if not line and fields:
                    return fields
                name, _, value = line.partition(":")
                if name:
                    fields[name] = value.removeprefix(" ")
        return None

    async def next(self) -> Any:
        """The data of the next result, which must be one without errors."""
        heard = await self.hear()
        assert heard is not None
        assert heard["event"] == "next", heard
        body = json.loads(heard["data"])
        assert "errors" not in body, body
        return body["data"]


@asynccontextmanager
async def running_gateway(
    database_url: str, directory: Path, database: Database, provision_site: ProvisionSite, **environ: str
) -> AsyncIterator[Running]:
    """Serve until the block ends, and then end in order."""
    given = {
        "PLEIN_DATABASE_URL": database_url,
        "PLEIN_DATA_DIR": str(directory),
        "PLEIN_SECRET": SECRET,
        "PLEIN_MODE": "development",
        "PLEIN_READER_CONNECTIONS": "2",
        **environ,
    }
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = make_server(load_settings(given))
        serving = asyncio.create_task(server._serve(sockets=[listener]))
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn tells it by an attribute only
            await asyncio.sleep(0.01)
        assert server.started, "the gateway did not start"
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            async with httpx.AsyncClient(base_url=url, timeout=30) as client:
                yield Running(client, database, provision_site, url, server)
        finally:
            server.should_exit = True
            await asyncio.wait_for(serving, 30)
