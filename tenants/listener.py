"""One connection that listens whether there is something new: in the outbox, or in what its channel stands for.

Promises: `wake` is called when the database says so, whenever listening began anew, as something may have been missed,
and every `POLL_S` in any case; so what is lost on the way costs a delay and nothing else. A lost connection is opened
again by itself. Never reads what is new, and never says what it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable

import psycopg
from psycopg import sql

from tenants.database import session_conninfo
from tenants.settings import DatabaseSettings

EVENTS = "plein_event"  # `tenants.outbox.CHANNEL`
POLL_S = 5.0
BACKOFF_S = (0.1, 10.0)  # first and longest pause between attempts to connect

logger = logging.getLogger(__name__)


class Listener:
    """Listens from `open` to `close`; belongs to one event loop. `wake` must not wait for anything."""

    def __init__(self, settings: DatabaseSettings, wake: Callable[[], None], *, channel: str = EVENTS) -> None:
        self._listen_to = sql.SQL("LISTEN {}").format(sql.Identifier(channel))
        self._conninfo = session_conninfo(settings, settings.statement_timeout_ms)
        self._wake = wake
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin; a database that does not answer yet is no fault."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _listen(self) -> None:
        pause_s = BACKOFF_S[0]
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                    await connection.execute(self._listen_to)
                    pause_s = BACKOFF_S[0]
                    while True:
                        self._wake()
                        async for _ in connection.notifies(timeout=POLL_S, stop_after=1):
                            pass
            except (psycopg.Error, OSError) as error:
                logger.warning("not listening for what is new, %s; polling instead", error)
            self._wake()
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311 - to spread the load
            pause_s = min(pause_s * 2, BACKOFF_S[1])
