"""Clients that subscribe and wait, thousands in one process: a program of its own, which tells in lines of JSON.

`python -m tests.benchmarks.followers` reads one line of JSON from its input (address, tokens, how many, what to follow)
and prints one when all are subscribed; then, for every line it is given, when the next event has reached all of them.
Promises: as little work per message as can be, so that what is measured is the server's.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import time
from typing import Any

MASK = b"\0\0\0\0"  # a mask that changes nothing
AT_ONCE = 200


class Follower(asyncio.Protocol):
    """The client's end of one WebSocket, just enough of it."""

    __slots__ = ("_buffer", "_ready", "_server", "heard", "heard_at", "subscribed", "transport")

    def __init__(self, subscribe: bytes, token: str) -> None:
        self.transport: asyncio.Transport | None = None
        self.heard = 0
        self.heard_at = 0.0
        self.subscribed = asyncio.get_running_loop().create_future()
        self._buffer = b""
        self._ready = False
        self._server = (subscribe, token)

    def connection_made(self, transport: Any) -> None:
        """Shake hands."""
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Take frame after frame."""
        self._buffer += data
        if not self._ready:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            assert b" 101 " in head, head
            self._ready, self._buffer = True, rest
            subscribe, token = self._server
            init = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"} if token else {}}
            self._send(json.dumps(init).encode())
            self._send(subscribe)
        while (frame := self._frame()) is not None:
            self._take(*frame)

    def connection_lost(self, exc: Exception | None) -> None:
        """It was not to end."""
        if not self.subscribed.done():
            self.subscribed.set_exception(exc or ConnectionError("closed"))

    def _frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, at = buffer[1] & 127, 2
        if length == 126:
            length, at = int.from_bytes(buffer[2:4], "big"), 4
        elif length == 127:
            length, at = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < at + length:
            return None
        self._buffer = buffer[at + length :]
        return buffer[0] & 15, buffer[at : at + length]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 9:
            self._send(payload, opcode=10)
        elif opcode == 8:
            raise ConnectionError(payload)
        elif b'"type":"next"' in payload[:40]:
            self.heard += 1
            self.heard_at = time.perf_counter()
        elif b'"connection_ack"' in payload:
            if not self.subscribed.done():
                self.subscribed.set_result(None)
        else:
            raise ConnectionError(payload)

    def _send(self, payload: bytes, opcode: int = 1) -> None:
        assert self.transport is not None
        size = len(payload)
        head = bytes([128 | opcode, 128 | size]) if size < 126 else bytes([128 | opcode, 254]) + size.to_bytes(2, "big")
        self.transport.write(head + MASK + payload)


async def main() -> None:
    """Subscribe them all, then tell of each event."""
    asked = json.loads(sys.stdin.readline())
    payload = {"query": asked["query"], "variables": asked["variables"]}
    subscribe = json.dumps({"id": "1", "type": "subscribe", "payload": payload}).encode()
    loop, followers = asyncio.get_running_loop(), []
    tokens = asked["tokens"]
    for start in range(0, asked["count"], AT_ONCE):
        some = [
            loop.create_connection(lambda n=n: Follower(subscribe, tokens[n % len(tokens)]), *asked["address"])  # type: ignore[misc]
            for n in range(start, min(start + AT_ONCE, asked["count"]))
        ]
        followers += [protocol for _, protocol in await asyncio.gather(*some)]
        await asyncio.gather(*(each.subscribed for each in followers[start:]))
    tell({"subscribed": len(followers)})
    events = 0
    while await asyncio.to_thread(sys.stdin.readline):
        events += 1
        while any(each.heard < events for each in followers):  # noqa: ASYNC110 - a look now and then costs less
            await asyncio.sleep(0.005)
        tell(
            {
                "heard_at": sorted(each.heard_at for each in followers)[-1],
                "first_at": min(e.heard_at for e in followers),
            }
        )


def tell(what: dict[str, Any]) -> None:
    """One line."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
