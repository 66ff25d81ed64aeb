"""What the extension sends is, to the byte, what uvicorn sends; and where it cannot send, the answer comes as ever."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.at_once import EXTENSION

LENGTH = (b"content-length", b"4")
ANSWERS = {
    "plain": (200, [LENGTH, (b"content-type", b"text/plain")], b"body"),
    "error": (413, [LENGTH], b"body"),
    "unchanged": (304, [(b"etag", b'W/"x"')], b""),
    "closing": (200, [LENGTH, (b"connection", b"close")], b"body"),
}
REQUESTS = {
    "kept": b"%b / HTTP/1.1\r\nhost: a\r\n\r\n",
    "closed": b"%b / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    "old": b"%b / HTTP/1.0\r\n\r\n",
}


class App:
    """Answers the same every time, at once or in two messages; counts how often it was at once."""

    def __init__(self, answer: tuple[int, list[tuple[bytes, bytes]], bytes], *, at_once: bool) -> None:
        self._answer = answer
        self._at_once = at_once
        self.sent_at_once = 0

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer."""
        status, headers, body = self._answer
        body = b"" if scope["method"] == "HEAD" else body
        if self._at_once and scope["extensions"][EXTENSION].answer(status, headers, body):
            self.sent_at_once += 1
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def connected(listen: Any, app: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with listen(app, lifespan="off") as url:
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            yield reader, writer
        finally:
            writer.close()


async def answer_to(listen: Any, app: App, request: bytes) -> bytes:
    """All that comes back until the connection is closed, which the last request asks for."""
    async with connected(listen, app) as (reader, writer):
        writer.write(request + REQUESTS["closed"] % b"GET")
        answer = await asyncio.wait_for(reader.read(), 5)
    return re.sub(rb"date: [^\r]*", b"date: now", answer)


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST"])
@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.parametrize("answer_name", ANSWERS)
async def test_it_is_what_uvicorn_sends(listen: Any, answer_name: str, request_name: str, method: bytes) -> None:
    answer, request = ANSWERS[answer_name], REQUESTS[request_name] % method
    quick, usual = App(answer, at_once=True), App(answer, at_once=False)
    assert await answer_to(listen, quick, request) == await answer_to(listen, usual, request)
    is_ordinary = answer_name != "closing" and request_name == "kept"
    assert (quick.sent_at_once > 0) == is_ordinary


async def test_a_header_that_would_begin_another_is_not_sent(listen: Any) -> None:
    app = App((200, [LENGTH, (b"x", b"a\r\nset-cookie: b")], b"body"), at_once=True)
    answer = await answer_to(listen, app, b"")
    assert app.sent_at_once == 0
    assert b"set-cookie" not in answer


async def test_requests_sent_at_once_are_answered_in_order(listen: Any) -> None:
    count = 0

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        nonlocal count
        count += 1
        assert scope["extensions"][EXTENSION].answer(200, [(b"content-length", b"1")], b"%d" % count)

    async with connected(listen, app) as (reader, writer):
        writer.write(REQUESTS["kept"] % b"GET" * 3)
        bodies = []
        for _ in range(3):
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            bodies.append(await reader.readexactly(1))
    assert bodies == [b"1", b"2", b"3"]


async def test_a_client_that_is_gone_gets_nothing(listen: Any) -> None:
    said: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def app(scope: Any, receive: Any, _send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        said.set_result(scope["extensions"][EXTENSION].answer(200, [LENGTH], b"body"))

    async with connected(listen, app) as (_, writer):
        writer.write(REQUESTS["kept"] % b"GET")
        await writer.drain()
        writer.close()
        assert await asyncio.wait_for(said, 5) is False


HEAD = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n"


class Taker:
    """Takes the body at once or as it comes, and answers with how and what; then tells how it goes on."""

    def __init__(self) -> None:
        self.then: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self, scope: Any, receive: Any, _send: Any) -> None:
        """Answer."""
        exchange = scope["extensions"][EXTENSION]
        taken = exchange.body()
        said = b"whole:"
        if taken is None:
            said, taken = b"pieces:", b""
            more = True
            while more:
                message = await receive()
                taken, more = taken + message["body"], message["more_body"]
        said += taken
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        assert not waiting.done()  # nothing of it is handed over twice
        assert exchange.answer(200, [(b"content-length", b"%d" % len(said))], said)
        self.then.set_result((await waiting)["type"])


async def said_to(listen: Any, *pieces: bytes) -> bytes:
    app = Taker()
    async with connected(listen, app) as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.05)
        await asyncio.wait_for(reader.readuntil(b"content-length: "), 5)
        length = int(await reader.readuntil(b"\r\n\r\n"))
        body = await reader.readexactly(length)
        assert await asyncio.wait_for(app.then, 5) == "http.disconnect"
    return body


async def test_a_body_that_is_here_is_taken_at_once(listen: Any) -> None:
    assert await said_to(listen, HEAD + b"\r\nabcdef") == b"whole:abcdef"
    assert await said_to(listen, b"POST / HTTP/1.1\r\nhost: a\r\n\r\n") == b"whole:"
    assert (
        await said_to(listen, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
        == b"whole:ab"
    )


async def test_a_body_that_is_still_to_come_is_received(listen: Any) -> None:
    assert await said_to(listen, HEAD + b"\r\nabc", b"def") == b"pieces:abcdef"
    assert await said_to(listen, HEAD, b"\r\nabcdef") == b"whole:abcdef"  # nobody asked before the head was there


async def test_a_client_that_waits_for_a_word_gets_it(listen: Any) -> None:
    app = Taker()
    async with connected(listen, app) as (reader, writer):
        writer.write(HEAD + b"expect: 100-continue\r\n\r\n")
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abcdef")
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert await asyncio.wait_for(reader.readexactly(13), 5) == b"pieces:abcdef"
