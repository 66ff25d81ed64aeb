"""Answers that leave in one piece: head and body of a response in one write to the socket.

uvicorn writes the head when it is given and the body when that is: two system calls, two packets, and a client that is
woken twice. Here what is written first in a turn of the event loop waits for what follows, or for the turn's end.
Promises: the same bytes in the same order, none of them later than this turn. Never looks at what it holds.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class OneWrite:
    """A transport, as far as uvicorn uses one, that puts two writes of one turn together."""

    __slots__ = ("_call_soon", "_held", "get_extra_info", "is_closing", "pause_reading", "resume_reading", "transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.transport = transport
        self._call_soon = loop.call_soon
        self._held: bytes | None = None
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading

    def write(self, data: bytes) -> None:
        """Write with what is held, or hold until more is written or the turn is over."""
        held = self._held
        if held is None:
            self._held = data
            self._call_soon(self.release)
        else:
            self._held = None
            self.transport.writelines((held, data))

    def release(self) -> None:
        """Write what is held."""
        held, self._held = self._held, None
        if held is not None:
            self.transport.write(held)

    def close(self) -> None:
        """Write what is held, then close."""
        self.release()
        self.transport.close()


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, its answers put together."""

    def connection_made(self, transport: Any) -> None:
        """Begin a connection."""
        super().connection_made(cast("Any", OneWrite(transport, self.loop)))

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to WebSocket, which writes whole messages."""
        held = cast("OneWrite", self.transport)
        held.release()
        self.transport = held.transport
        super().handle_websocket_upgrade()
