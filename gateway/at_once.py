"""Whole answers in one write: an extension of ASGI that uvicorn's HTTP protocol is given here.

uvicorn writes the head when it is given and the body when that is: two system calls, two packets, a client that is
woken twice; and it examines every header. An endpoint that has its answer whole finds `EXTENSION` in
`scope["extensions"]` and gives it status, headers and body. Promises: what goes over the wire is what uvicorn would
have written; where anything is unusual it does nothing and says so, and the answer is sent as ever. Never checks a
header by itself, but that none of them can begin another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.keep_alive import KeepAlive

EXTENSION = "plein.answer"

AnswerAtOnce = Callable[[int, Sequence[tuple[bytes, bytes]], bytes], bool]
"""Sends a whole answer, whose headers tell its length; False, and nothing is sent, where it cannot do so now."""


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, with the extension, and with one clock for all connections that are quiet."""

    def __init__(self, keep_alive: KeepAlive, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._keep_alive = keep_alive

    def on_response_complete(self) -> None:
        """Go on with what came meanwhile, or wait for the next request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._keep_alive.begin(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, however it went."""
        self._keep_alive.end(self)
        super().connection_lost(exc)

    def _unset_keepalive_if_required(self) -> None:
        self._keep_alive.end(self)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.scope["extensions"] = {EXTENSION: partial(_answer, cycle)}  # type: ignore[dict-item]
        super()._start_asgi_task(cycle, app)


def _answer(cycle: RequestResponseCycle, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
    """What `RequestResponseCycle.send` does for a start and a body, in one go."""
    if cycle.response_started or cycle.disconnected or cycle.flow.write_paused or not cycle.keep_alive:
        return False
    lines = [*map(b": ".join, cycle.default_headers), *map(b": ".join, headers)]
    head = STATUS_LINE[status] + b"\r\n".join(lines) + b"\r\n\r\n"
    if head.count(b"\n") != len(lines) + 2 or b"\nconnection: " in head:
        return False
    del cycle.scope["extensions"]  # a circle otherwise: the scope holds this, and this the cycle that holds the scope
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.transport.write(head + body)
    cycle.message_event.set()
    cycle.on_response()
    return True
