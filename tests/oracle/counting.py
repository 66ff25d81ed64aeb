"""What is asked of Postgres: a reader that notes its statements, and a wire between reader and server that counts.

Promises: notes only; everything is sent and answered as ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tenants.pipeline import Rows
from tenants.reader import Reader, Statement
from tenants.registry import Registry
from tests.oracle.proof import Proof


class NotingReader(Reader):
    """A reader that keeps every statement it was given, in `asked`."""

    asked: list[Statement]

    def fetch(self, statement: Statement, params: Sequence[bytes | None]) -> asyncio.Future[Rows]:
        """As the reader does."""
        self.asked.append(statement)
        return super().fetch(statement, params)


@asynccontextmanager
async def noting(proof: Proof, url: str | None = None) -> AsyncIterator[tuple[Proof, list[Statement]]]:
    """The proof with a reader that notes, whose register knows all sites already; and its notes."""
    reader = NotingReader(url or proof.world.url, connections=2)
    reader.asked = []
    await reader.open()
    try:
        registry = Registry(reader)
        await registry.open()
        for site in proof.world.sites.values():
            await registry.by_slug(site.row["slug"])
        reader.asked.clear()
        yield replace(proof, square=replace(proof.square, reader=reader, registry=registry)), reader.asked
    finally:
        await reader.close()


@dataclass
class Wire:
    """A way to the server that counts what passes: `syncs` ends of requests, `roles` changes of role."""

    syncs: int = 0
    roles: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what the client says, message by message."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            length = await reader.readexactly(4)
            writer.write(length + await reader.readexactly(int.from_bytes(length) - 4))
            while True:
                head = await reader.readexactly(5)
                body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
                self.syncs += head[:1] == b"S"
                self.roles += head[:1] == b"P" and b"SET LOCAL ROLE" in body
                writer.write(head + body)
        writer.close()

    async def server(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what the server says."""
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()


@asynccontextmanager
async def wired(url: str) -> AsyncIterator[tuple[str, Wire]]:
    """An address that leads to this database through a wire that counts."""
    given = conninfo_to_dict(url)
    host, port, wire = str(given.get("host", "localhost")), str(given.get("port", "5432")), Wire()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if host.startswith("/"):
            up = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            up = await asyncio.open_connection(host, int(port))
        wire.tasks += [
            asyncio.create_task(wire.client(reader, up[1])),
            asyncio.create_task(wire.server(up[0], writer)),
        ]

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    here = server.sockets[0].getsockname()
    try:
        yield make_conninfo(url, host=here[0], port=here[1], sslmode="disable", gssencmode="disable"), wire
    finally:
        server.close()
        await asyncio.gather(*wire.tasks)
