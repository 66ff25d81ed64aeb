"""What is asked of a reader, as a coroutine: whatever is raised comes when it is awaited."""

from __future__ import annotations

from collections.abc import Sequence

from tenants.pipeline import Rows
from tenants.reader import Reader, Statement


async def rows_of(reader: Reader, statement: Statement, params: Sequence[bytes | None]) -> Rows:
    """All rows."""
    return await reader.fetch(statement, params)


async def value_of(reader: Reader, statement: Statement, params: Sequence[bytes | None]) -> bytes | None:
    """The first column of the first row, or None."""
    rows = await reader.fetch(statement, params)
    return rows[0][0] if rows else None
