"""Requests and answers whole: an extension of ASGI that uvicorn's HTTP protocol is given here.

uvicorn writes the head when it is given and the body when that is: two system calls, two packets, a client that is
woken twice; and it examines every header. A request is handed over piece by piece, though mostly all of it is there.
An endpoint finds an `Exchange` under `EXTENSION` in `scope["extensions"]`. Promises: what goes over the wire is what
uvicorn would have written; where anything is unusual it does nothing and says so, and all goes on as ever. Never checks
a header by itself, but that none of them can begin another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.clock import Clock

EXTENSION = "plein.exchange"
TICK_S = 1.0


Quiet = Clock["Protocol"]
"""The connections that wait for their next request."""


def closing_quiet(time_s: float) -> Quiet:
    """Closes connections that are quiet for so long, a second later at the most."""
    return Clock(time_s, TICK_S, HttpToolsProtocol.timeout_keep_alive_handler)


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, with the extension, and with one clock for all connections that are quiet."""

    def __init__(self, quiet: Quiet, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._quiet = quiet

    def on_response_complete(self) -> None:
        """Go on with what came meanwhile, or wait for the next request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._quiet.begin(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, however it went."""
        self._quiet.end(self)
        super().connection_lost(exc)

    def _unset_keepalive_if_required(self) -> None:
        self._quiet.end(self)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.scope["extensions"] = {EXTENSION: Exchange(cycle)}  # type: ignore[dict-item]
        super()._start_asgi_task(cycle, app)


class Exchange:
    """One request and its answer, each in one piece."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    def body(self) -> bytes | None:
        """Take the request's body, once; None where not all of it is here, and it is to be received as ever."""
        cycle = self._cycle
        if cycle.more_body or cycle.disconnected or cycle.response_complete or cycle.waiting_for_100_continue:
            return None
        body, cycle.body = bytes(cycle.body), bytearray()
        cycle.message_event.clear()
        return body

    def answer(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
        """Send a whole answer, whose headers tell its length; False, and nothing is sent, where that cannot be now."""
        cycle = self._cycle
        if cycle.response_started or cycle.disconnected or cycle.flow.write_paused or not cycle.keep_alive:
            return False
        lines = [*map(b": ".join, cycle.default_headers), *map(b": ".join, headers)]
        head = STATUS_LINE[status] + b"\r\n".join(lines) + b"\r\n\r\n"
        if head.count(b"\n") != len(lines) + 2 or b"\nconnection: " in head:
            return False
        del cycle.scope["extensions"]  # a circle otherwise: the scope holds this, and this the cycle with the scope
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(head + body)
        cycle.message_event.set()
        cycle.on_response()
        return True
