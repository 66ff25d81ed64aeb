"""One clock for many things that may each go on for the same time, instead of a timer for each.

Promises: what goes on for too long is told of once, no later than a tick after its time, the oldest first. While
nothing goes on, nothing runs. Belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Clock(Generic[Thing]):
    """What goes on at the moment, each since when, the oldest first."""

    def __init__(self, time_s: float, tick_s: float, on_late: Callable[[Thing], object]) -> None:
        """`time_s`: how long each may go on; `tick_s`: how often it is looked, and more often for very short times."""
        self._time_s = time_s
        self._tick_s = min(tick_s, time_s / 4)
        self._on_late = on_late
        self._began: dict[Thing, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None  # the one the clock ticks in, while it does

    def begin(self, thing: Thing) -> None:
        """It goes on from now."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.call_later(self._tick_s, self._tick)
        self._began[thing] = self._loop.time()

    def end(self, thing: Thing) -> bool:
        """It goes on no more; whether it still did, and was not told of as late or never began."""
        return self._began.pop(thing, None) is not None

    def _tick(self) -> None:
        assert self._loop is not None
        late_from = self._loop.time() - self._time_s
        for thing, began in list(self._began.items()):
            if began > late_from:
                break
            del self._began[thing]
            self._on_late(thing)
        if self._began:
            self._loop.call_later(self._tick_s, self._tick)
        else:
            self._loop = None
