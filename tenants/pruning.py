"""Removing rows that are over, a part at a time, so that nobody waits for long.

Promises: several processes may do it at once, each another part; rows that somebody changes just now are left for the
next time. Never decides what is over.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection


async def remove_some(
    tx: AsyncConnection,
    table: Table,
    over: ColumnElement[bool],
    most: int,
    *,
    first: ColumnElement[Any] | None = None,
) -> int:
    """Remove up to so many rows of which this holds, the least of `first` first; how many. `tx` is the owner's."""
    key = [*table.primary_key.columns]
    some = select(*key).where(over).limit(most).with_for_update(skip_locked=True)
    if first is not None:
        some = some.order_by(first)
    return int((await tx.execute(delete(table).where(tuple_(*key).in_(some)))).rowcount)
