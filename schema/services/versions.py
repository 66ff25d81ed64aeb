"""Changes to a row that counts its versions.

Promises: of two changes made from the same version one is refused; a change to what is so already changes nothing.
The caller has locked the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Table, update

from schema.errors import ErrorCode, PleinError
from schema.work import Work


def require_version(row: Row[Any], version: int) -> None:
    """Raises CONFLICT if the row has changed since the viewer read it."""
    if row.version != version:
        message = f"It has changed since: its version is {row.version} now, not {version}. Read it again, then decide."
        raise PleinError(ErrorCode.CONFLICT, message, field="input.version")


def changes_of(row: Row[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What differs; None stands for a field that was not given."""
    return {name: value for name, value in values.items() if value is not None and getattr(row, name) != value}


async def write_changes(work: Work, table: Table, row: Row[Any], values: Mapping[str, Any]) -> bool:
    """Writes what differs, with the next version; None stands for a field that was not given. Whether any did."""
    changes = changes_of(row, values)
    if changes:
        changes |= {"version": row.version + 1, "updated_at": datetime.now(UTC)}
        await work.tx.execute(update(table).where(table.c.id == row.id).values(changes))
    return bool(changes)
