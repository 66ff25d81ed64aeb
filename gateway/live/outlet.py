"""The way out on one connection: what waits to be sent, within a bound.

Promises: what is put in goes out in order, by one task that is there only while there is something to send; who takes
too slowly is disconnected, with a reason, and delays nobody else. Never knows what a message means.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

STUCK_S = 30.0  # how long one message may take
END_S = 5.0  # how long the last messages may take


class Reason(Enum):
    """Why a connection is ended from here."""

    GOING = "The server is about to stop; connect again."
    SLOW = "Too slow in taking what is sent; connect again."
    EXPIRED = "The access token has expired; sign in again."
    REVOKED = "What let you in is not valid any more; sign in again."


class Outlet:
    """Made in the task of its connection. `write` sends one message, `finish` ends the connection with a reason."""

    __slots__ = ("_closing", "_finish", "_main", "_most", "_pulse", "_pump", "_room", "_since_s", "_waiting", "_write")

    def __init__(
        self,
        write: Callable[[Any], Awaitable[None]],
        finish: Callable[[Reason], Awaitable[None]],
        *,
        most: int,
        pulse: Any = None,
    ) -> None:
        """`most`: messages that may wait; `pulse` is sent as a heartbeat when nothing else is."""
        self._write = write
        self._finish = finish
        self._most = most
        self._pulse = pulse
        self._waiting: deque[Any] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._room: asyncio.Event | None = None
        self._since_s = 0.0
        self._closing: Reason | None = None
        self._main = asyncio.current_task()

    @property
    def is_open(self) -> bool:
        """Whether what is put in can still go out."""
        return self._closing is None

    def attach(self) -> None:
        """The connection is served by this task from now on."""
        self._main = asyncio.current_task()

    def put(self, message: Any) -> None:
        """Send this in its turn. Whoever has too much waiting already is disconnected instead."""
        if self._closing is not None:
            return
        if len(self._waiting) >= self._most:
            self.close(Reason.SLOW)
            return
        self._waiting.append(message)
        if self._pump is None:
            self._pump = asyncio.create_task(self._work())

    async def room(self) -> None:
        """Wait until at most half of what may wait is waiting; for those who can."""
        while self._closing is None and len(self._waiting) > self._most // 2:
            if self._room is None:
                self._room = asyncio.Event()
            await self._room.wait()

    def beat(self) -> None:
        """Send a heartbeat where nothing else is sent; disconnect who takes nothing any more."""
        if self._pump is None:
            if self._pulse is not None:
                self.put(self._pulse)
        elif asyncio.get_running_loop().time() - self._since_s > STUCK_S:
            self.close(Reason.SLOW)

    def close(self, reason: Reason) -> None:
        """End the connection: after what waits has gone out, or at once for who is too slow or may stay no longer."""
        if self._closing is None:
            self._closing = reason
            if reason in (Reason.SLOW, Reason.REVOKED):
                self._waiting.clear()
            self._let_go()
            self._pump = asyncio.create_task(self._end(self._pump, reason))

    def lost(self) -> None:
        """The connection is gone: nothing more can be sent."""
        if self._closing is None:
            self._closing = Reason.GOING
        self._waiting.clear()
        self._let_go()

    async def _work(self) -> None:
        now = asyncio.get_running_loop().time
        try:
            while self._waiting:
                self._since_s = now()
                await self._write(self._waiting.popleft())
                if self._room is not None and len(self._waiting) <= self._most // 2:
                    self._let_go()
        except Exception:  # the connection is gone, which its own task is told by the server
            self.lost()
        if self._closing is None:
            self._pump = None

    async def _end(self, pump: asyncio.Task[None] | None, reason: Reason) -> None:
        try:
            async with asyncio.timeout(END_S):
                if pump is not None:
                    await asyncio.wait((pump,))
                await self._finish(reason)
        except Exception:  # it takes nothing any more, or is gone
            if pump is not None:
                pump.cancel()
            if self._main is not None:
                self._main.cancel()

    def _let_go(self) -> None:
        if self._room is not None:
            room, self._room = self._room, None
            room.set()
