"""Head and body leave in one write, a head alone leaves at once, and the bytes are those that uvicorn wrote."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.one_write import OneWrite

REQUEST = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


class Recorder(asyncio.Transport):
    """What is written to the socket, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        """Note one write."""
        self.writes.append(bytes(data))

    def writelines(self, pieces: Any) -> None:
        """Note several pieces as the one write that they are."""
        self.writes.append(b"".join(pieces))

    def close(self) -> None:
        """Note the end."""
        self.is_closed = True


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def transport(recorder: Recorder) -> OneWrite:
    return OneWrite(recorder, asyncio.get_running_loop())


async def test_two_writes_of_a_turn_are_one(recorder: Recorder, transport: OneWrite) -> None:
    transport.write(b"head ")
    assert recorder.writes == []
    transport.write(b"body")
    assert recorder.writes == [b"head body"]
    await asyncio.sleep(0)
    assert recorder.writes == [b"head body"]


async def test_what_nothing_follows_is_written_when_the_turn_is_over(recorder: Recorder, transport: OneWrite) -> None:
    transport.write(b"head")
    await asyncio.sleep(0)
    assert recorder.writes == [b"head"]


async def test_the_order_is_kept_over_turns(recorder: Recorder, transport: OneWrite) -> None:
    sent = [b"%d " % number for number in range(12)]
    for number, each in enumerate(sent):
        transport.write(each)
        if number % 3 == 1:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert b"".join(recorder.writes) == b"".join(sent)


async def test_closing_writes_first(recorder: Recorder, transport: OneWrite) -> None:
    transport.write(b"last words")
    transport.close()
    assert recorder.writes == [b"last words"]
    assert recorder.is_closed


async def test_a_head_does_not_wait_for_a_body_that_takes_its_time(listen: Any) -> None:
    goes_on = asyncio.Event()

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await goes_on.wait()
        await send({"type": "http.response.body", "body": b"late"})

    async with listen(app, lifespan="off") as url:
        reader, writer = await _connect(url)
        writer.write(REQUEST)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        goes_on.set()
        assert await asyncio.wait_for(reader.readexactly(4), 5) == b"late"
        writer.close()


async def test_requests_sent_at_once_are_answered_in_order(listen: Any) -> None:
    count = 0

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        nonlocal count
        count += 1
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
        await send({"type": "http.response.body", "body": b"%d" % count})

    async with listen(app, lifespan="off") as url:
        reader, writer = await _connect(url)
        writer.write(REQUEST * 3)
        bodies = []
        for _ in range(3):
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            bodies.append(await reader.readexactly(1))
        assert bodies == [b"1", b"2", b"3"]
        writer.close()


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(url)
    return await asyncio.open_connection(address.hostname, address.port)
