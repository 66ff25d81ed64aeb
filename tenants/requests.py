"""Requests remembered by idempotency key: who asked what, and what came of it.

Promises: a key is taken in the transaction of the work it stands for, so both are there or neither; of two requests at
once with one key, the second waits for the first. Keys are forgotten after a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from tenants.platform_tables import Request
from tenants.tables import table_of

REQUEST = table_of(Request)
REMEMBERED = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier request with the same key: a hash of what it asked, and its result."""

    fingerprint: str
    result: str


async def claim(tx: AsyncConnection, account_id: UUID, key: str, fingerprint: str) -> Earlier | None:
    """Takes the key for this request (None), or gives the earlier one. `tx` is the platform owner's."""
    now = datetime.now(UTC)
    own = REQUEST.c.account_id == account_id
    await tx.execute(delete(REQUEST).where(own, REQUEST.c.created_at < now - REMEMBERED))
    row = {"account_id": account_id, "key": key, "fingerprint": fingerprint, "result": None, "created_at": now}
    taken = await tx.execute(insert(REQUEST).values(row).on_conflict_do_nothing().returning(REQUEST.c.key))
    if taken.first() is not None:
        return None
    columns = (REQUEST.c.fingerprint, REQUEST.c.result)
    found = (await tx.execute(select(*columns).where(own, REQUEST.c.key == key))).one()
    return Earlier(found.fingerprint, found.result)


async def finish(tx: AsyncConnection, account_id: UUID, key: str, result: str) -> None:
    """Keeps what came of the request that took the key in this transaction."""
    mine = (REQUEST.c.account_id == account_id, REQUEST.c.key == key)
    await tx.execute(update(REQUEST).where(*mine).values(result=result))
