"""What counts once: the state of a sign-in, the id of a logout token.

Promises: of two who come with the same at the same time, in whatever process, one is first; the other waits for the
first one's transaction and is told. What was spent is forgotten only when its own time is over.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from tenants.issuer_tables import Spent
from tenants.pruning import remove_some
from tenants.tables import table_of

SPENT = table_of(Spent)

REMOVED_AT_ONCE = 10_000


async def spend(tx: AsyncConnection, kind: str, about: str, what: str, until: float) -> bool:
    """Use this up, of this issuer or whatever it is about; False where it was used up before."""
    key = sha256("\0".join((kind, about, what)).encode("utf-8", "surrogatepass")).digest()
    row = {"hash": key, "expires_at": datetime.fromtimestamp(until, UTC)}
    done = await tx.execute(insert(SPENT).values(row).on_conflict_do_nothing().returning(SPENT.c.hash))
    return done.first() is not None


async def forget_spent(tx: AsyncConnection) -> int:
    """Remove up to `REMOVED_AT_ONCE` of those whose time is over; how many."""
    return await remove_some(tx, SPENT, SPENT.c.expires_at < datetime.now(UTC), REMOVED_AT_ONCE)
