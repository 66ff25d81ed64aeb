"""A few psycopg connections that requests take turns on, for the rival server.

Promises: as little work per statement as psycopg allows: no ping, no transaction of its own (autocommit).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

MOST = 8


class Connections:
    """Opens what is needed, up to eight, and keeps it. Belongs to one event loop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._free: asyncio.LifoQueue[psycopg.AsyncConnection[DictRow]] = asyncio.LifoQueue()
        self._count = 0

    async def fetch(self, statement: Any, values: Sequence[Any]) -> list[DictRow]:
        """The rows of one statement, which is committed by itself."""
        connection = await self._take()
        try:
            return await (await connection.execute(statement, values)).fetchall()
        finally:
            self._free.put_nowait(connection)

    async def close(self) -> None:
        """Close those that nobody uses."""
        while not self._free.empty():
            await self._free.get_nowait().close()

    async def _take(self) -> psycopg.AsyncConnection[DictRow]:
        if self._free.empty() and self._count < MOST:
            self._count += 1
            options = "-c jit=off -c timezone=UTC"  # as in Plein's connections
            return await psycopg.AsyncConnection.connect(
                self._url, autocommit=True, row_factory=dict_row, options=options
            )
        return await self._free.get()
