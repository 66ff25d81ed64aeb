"""How long connections may be quiet between two requests: one clock for all, instead of a timer for each answer.

Promises: a connection that nothing came on for the time it has is closed within `TICK_S` of it. While no connection is
quiet, nothing runs. Belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

TICK_S = 1.0


class Closes(Protocol):
    """Whatever can be told that it was quiet for too long."""

    def timeout_keep_alive_handler(self) -> None:
        """Close, if it is not closing already."""
        ...


class KeepAlive:
    """The connections that wait for their next request, the longest first."""

    def __init__(self, time_s: float) -> None:
        """`time_s`: how long each may be quiet."""
        self._time_s = time_s
        self._tick_s = min(TICK_S, time_s / 4)
        self._quiet: dict[Closes, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None  # the one the clock ticks in, while it does

    def begin(self, connection: Closes) -> None:
        """It is quiet from now on."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.call_later(self._tick_s, self._tick)
        self._quiet[connection] = self._loop.time()

    def end(self, connection: Closes) -> None:
        """It is quiet no more, or gone; nothing happens where it was not quiet."""
        self._quiet.pop(connection, None)

    def _tick(self) -> None:
        assert self._loop is not None
        quiet_since = self._loop.time() - self._time_s
        for connection, since in list(self._quiet.items()):
            if since > quiet_since:
                break
            del self._quiet[connection]
            connection.timeout_keep_alive_handler()
        if self._quiet:
            self._loop.call_later(self._tick_s, self._tick)
        else:
            self._loop = None
