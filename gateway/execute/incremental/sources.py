"""The reads that an answer in parts waits for: each gives some values, which fill the gaps that wait for them.

Promises: on sites, at most as many are under way at once as the reader has connections, so that one that hangs does not
stand before the others; a place becomes free when what was read was taken up, so nothing is read ahead of a client that
takes slowly. Closed, nothing that has not begun is begun. Never decides what is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

WINDOW_LEAST = 2
"""Sites that are asked at once, however few connections there are: one that hangs leaves one to the others."""

Values = list[Any]
"""What was read: JSON as bytes, or a value in which there may be gaps."""


class Gap(NamedTuple):
    """Where a value goes: into this place of a container, which is a part of what hangs on it."""

    container: Any
    key: Any
    column: int
    at: Any


class Source:
    """One read, before, while and after it runs."""

    __slots__ = ("gaps", "is_on_site", "outcome", "read", "task")

    def __init__(self, read: Callable[[], Awaitable[Values]], *, is_on_site: bool) -> None:
        self.read = read
        self.is_on_site = is_on_site
        self.gaps: list[Gap] = []
        self.task: asyncio.Task[None] | None = None
        self.outcome: Values | Exception | None = None


class Sources:
    """All reads of one answer. A mark, a text that no stored one can hold, says in JSON where a value goes."""

    def __init__(self, nonce: str, connections: int) -> None:
        self._prefix = f"{nonce}:W:"
        self._window = asyncio.Semaphore(max(connections, WINDOW_LEAST))
        self._all: list[Source] = []
        self._named: dict[object, int] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._read: list[Source] = []
        self._news = asyncio.Event()

    def add(self, read: Callable[[], Awaitable[Values]], *, is_on_site: bool = False, name: object = None) -> int:
        """The number of a read that is not begun before a gap waits for it; with a name, of the one with that name."""
        number = self._named.get(name) if name is not None else None
        if number is None:
            number = len(self._all)
            self._all.append(Source(read, is_on_site=is_on_site))
            if name is not None:
                self._named[name] = number
        return number

    def mark(self, number: int, column: int = 0) -> str:
        """The text that stands where a value of this read goes."""
        return f"{self._prefix}{number}:{column}"

    def find(self, text: str) -> tuple[Source, int] | None:
        """The read and the column that a text is the mark of."""
        if not text.startswith(self._prefix):
            return None
        number, _, column = text[len(self._prefix) :].partition(":")
        return self._all[int(number)], int(column)

    def begin(self, source: Source) -> None:
        """Read it, once."""
        if source.task is None:
            source.task = asyncio.create_task(self._run(source))
            self._running.add(source.task)
            source.task.add_done_callback(self._running.discard)

    def give_up(self, source: Source) -> None:
        """Nobody waits for it any more."""
        if source.task is None:
            source.outcome = []
        elif source.outcome is None:
            source.task.cancel()

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs, and nothing was read that was not taken up."""
        return not self._running and not self._read

    async def news(self) -> list[Source]:
        """What was read since the last time, as soon as there is something."""
        await self._news.wait()
        self._news.clear()
        found, self._read = self._read, []
        for source in found:
            if source.is_on_site:
                self._window.release()
        return found

    async def close(self) -> None:
        """End what still runs."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, source: Source) -> None:
        if source.is_on_site:
            await self._window.acquire()
        try:
            source.outcome = await source.read()
        except asyncio.CancelledError:
            if source.is_on_site:
                self._window.release()
            raise
        except Exception as error:  # told where its values would have gone
            source.outcome = error
        if source.task is not None:
            self._running.discard(source.task)  # not only when it is told that it is done, which is a turn later
        self._read.append(source)
        self._news.set()
