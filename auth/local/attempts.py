"""How often something may be tried: counted in the database, so that all processes count together.

Promises: one statement counts an attempt in every way it is limited, before it is known how it ends. Who or what it was
about is not stored, only a keyed hash of it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import ceil

from sqlalchemy import case, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.issuer import derive_key
from tenants.local_tables import Attempt
from tenants.pruning import remove_some
from tenants.tables import table_of

ATTEMPT = table_of(Attempt)
REMOVED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many in so long, of one kind."""

    kind: str
    most: int
    within: timedelta


class Attempts:
    """Counts. One per process; it keeps nothing but a key made from the platform's secret."""

    def __init__(self, secret: str) -> None:
        self._key = derive_key(secret, "attempts")

    async def count(self, tx: AsyncConnection, *tried: tuple[Limit, str]) -> int:
        """Count an attempt by each of these limits, on this subject; gives the seconds to wait, 0 where it may go on.

        What was counted is to be committed also where it was too much: so never raise for it within the transaction.
        """
        now = datetime.now(UTC)
        most = {self._hash(limit, subject): limit for limit, subject in tried}
        rows = [
            {"key": key, "count": 1, "until": now + most[key].within} for key in sorted(most)
        ]  # so nobody deadlocks
        new = insert(ATTEMPT).values(rows)
        is_over = ATTEMPT.c.until <= now
        counted = new.on_conflict_do_update(
            index_elements=[ATTEMPT.c.key],
            set_={
                "count": case((is_over, 1), else_=ATTEMPT.c.count + 1),
                "until": case((is_over, new.excluded.until), else_=ATTEMPT.c.until),
            },
        ).returning(ATTEMPT.c.key, ATTEMPT.c.count.label("tried"), ATTEMPT.c.until)
        waits = [
            ceil((row.until - now).total_seconds())
            for row in await tx.execute(counted)
            if row.tried > most[bytes(row.key)].most
        ]
        return max(waits, default=0)

    async def forget(self, tx: AsyncConnection, *tried: tuple[Limit, str]) -> None:
        """Begin anew: what was tried came to a good end."""
        await tx.execute(delete(ATTEMPT).where(ATTEMPT.c.key.in_(self._hash(*each) for each in tried)))

    def _hash(self, limit: Limit, subject: str) -> bytes:
        return hmac.digest(self._key, f"{limit.kind}\0{subject}".encode("utf-8", "replace"), sha256)


async def remove_old_attempts(tx: AsyncConnection) -> int:
    """Remove up to `REMOVED_AT_ONCE` counts that are over; how many."""
    return await remove_some(tx, ATTEMPT, ATTEMPT.c.until < datetime.now(UTC), REMOVED_AT_ONCE)


def of_one(*subjects: str) -> str:
    """One subject made of several."""
    return "\0".join(subjects)
