"""An answer in parts over HTTP: `multipart/mixed` as Apollo Client, urql and meros read it, or server-sent events.

Promises: each part goes out as soon as it is there, with the boundary that ends it; a client that hangs up, or takes
nothing for half a minute, ends what still runs for it. Parts are not compressed, as a part would wait for the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol

import orjson
from starlette.types import Receive, Send

from gateway.context import Payload
from gateway.errors import Header
from gateway.live.outlet import STUCK_S
from gateway.media import EVENT_STREAM, Parts
from gateway.over_sse import event
from gateway.past_format import PastFormat

PART = b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
BOUNDARY = b"\r\n---"  # the delimiter of a boundary that is one hyphen
END = b"--\r\n"
UNBUFFERED: tuple[Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # proxies of the nginx family would keep parts back
)
SPECIFICATIONS = {Parts.MULTIPART: b"incrementalSpec=v0.2", Parts.PAST_MULTIPART: b"deferSpec=20220824"}


def multipart_type(parts: Parts) -> Header:
    """The media type of such an answer."""
    return (b"content-type", b'multipart/mixed; boundary="-"; ' + SPECIFICATIONS[parts])


def only_part(body: bytes) -> bytes:
    """A whole response as the one part of a multipart body."""
    return BOUNDARY + PART + body + BOUNDARY + END


class Framing(Protocol):
    """How payloads are written."""

    def write(self, payload: Payload) -> bytes:
        """One payload; the last one has `hasNext` false."""
        ...


class _Multipart:
    def __init__(self, past: PastFormat | None) -> None:
        self._past = past
        self._begun = False

    def write(self, payload: Payload) -> bytes:
        told = payload if self._past is None else self._past.tell(payload)
        begin = b"" if self._begun else BOUNDARY
        self._begun = True
        return begin + PART + orjson.dumps(told) + BOUNDARY + (b"" if told["hasNext"] else END)


class _Events:
    def write(self, payload: Payload) -> bytes:
        told = event("next", orjson.dumps(payload))
        return told if payload["hasNext"] else told + event("complete", b"")


class Rest:
    """The parts of one answer, of which the first was made already."""

    def __init__(
        self, parts: Parts, first: Payload, payloads: AsyncGenerator[Payload | bytes], end: Callable[[], None]
    ) -> None:
        """`end` is called when it is over, however it ends."""
        self._first = first
        self._payloads = payloads
        self._end = end
        self._framing: Framing
        if parts is Parts.EVENTS:
            self._framing = _Events()
            self.media: Header = (b"content-type", EVENT_STREAM + b"; charset=utf-8")
        else:
            self._framing = _Multipart(PastFormat() if parts is Parts.PAST_MULTIPART else None)
            self.media = multipart_type(parts)

    async def serve(self, headers: Sequence[Header], receive: Receive, send: Send) -> None:
        """Send all of them, until the client is gone."""
        sending = asyncio.create_task(self._send(headers, send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            self._end()

    async def close(self) -> None:
        """Nothing will be sent."""
        await self._payloads.aclose()
        self._end()

    async def _send(self, headers: Sequence[Header], send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": [self.media, *UNBUFFERED, *headers]})
            await self._part(self._first, send)
            async for payload in self._payloads:
                assert not isinstance(payload, bytes)
                await self._part(payload, send)
        finally:
            await self._payloads.aclose()

    async def _part(self, payload: Payload, send: Send) -> None:
        body = self._framing.write(payload)
        async with asyncio.timeout(STUCK_S):
            await send({"type": "http.response.body", "body": body, "more_body": payload["hasNext"]})


async def _left(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
