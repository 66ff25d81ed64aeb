"""A connection on which nothing comes is closed after its time; one that is used is not, however long it lives."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.wire.conftest import listening

TIME_S = 0.4
REQUEST = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


async def app(_scope, _receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def url():
    async with listening(app, lifespan="off", keep_alive_s=TIME_S) as url:
        yield url


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(url)
    return await asyncio.open_connection(address.hostname, address.port)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(REQUEST)
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    return await reader.readexactly(2)


async def test_a_quiet_connection_is_closed(url: str) -> None:
    reader, writer = await connect(url)
    assert await ask(reader, writer) == b"ok"
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_a_used_connection_outlives_its_time(url: str) -> None:
    reader, writer = await connect(url)
    for _ in range(8):
        assert await ask(reader, writer) == b"ok"
        await asyncio.sleep(TIME_S / 4)
    writer.close()


async def test_others_that_are_quiet_are_closed_meanwhile(url: str) -> None:
    quiet, used = await connect(url), await connect(url)
    assert await ask(*quiet) == b"ok"
    for _ in range(8):
        assert await ask(*used) == b"ok"
        await asyncio.sleep(TIME_S / 4)
    assert await asyncio.wait_for(quiet[0].read(), 1) == b""
    for _, writer in (quiet, used):
        writer.close()
