"""How long a request may take: one clock for all requests under way, instead of a timer for each.

Promises: what is late is cancelled within a quarter of a second, and told apart from what others cancelled. While
nothing is under way, nothing runs. Belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from typing import Any

TICK_S = 0.25

Task = asyncio.Task[Any]


class Deadlines:
    """The requests under way, the oldest first, each by the task that answers it."""

    def __init__(self, time_s: float) -> None:
        """`time_s`: how long each may take."""
        self._time_s = time_s
        self._tick_s = min(TICK_S, time_s / 4)
        self._began: dict[Task, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None  # the one the clock ticks in, while it does

    def begin(self) -> Task:
        """The current task begins with a request; gives what `end` must be told."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.call_later(self._tick_s, self._tick)
        task = asyncio.current_task(self._loop)
        assert task is not None
        self._began[task] = self._loop.time()
        return task

    def end(self, task: Task) -> bool:
        """The request has ended; whether that was because it was late: then its task goes on as if never cancelled."""
        if self._began.pop(task, None) is not None:
            return False
        task.uncancel()
        return True

    def _tick(self) -> None:
        assert self._loop is not None
        late_from = self._loop.time() - self._time_s
        for task, began in list(self._began.items()):
            if began > late_from:
                break
            del self._began[task]
            task.cancel()
        if self._began:
            self._loop.call_later(self._tick_s, self._tick)
        else:
            self._loop = None
