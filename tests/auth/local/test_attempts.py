"""Attempts: counted by all processes together, each in one statement, without a word of what they were about."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from auth.local.attempts import ATTEMPT, Attempts, Limit, remove_old_attempts
from tenants.database import Database

FEW = Limit("few", 3, timedelta(minutes=5))
MANY = Limit("many", 100, timedelta(hours=1))
SECRET = "s" * 40


async def count(database: Database, attempts: Attempts, *tried: tuple[Limit, str]) -> int:
    async with database.transaction(None) as tx:
        return await attempts.count(tx, *tried)


async def test_the_smallest_limit_counts_and_tells_how_long_to_wait(database: Database) -> None:
    attempts, who = Attempts(SECRET), secrets.token_hex(8)
    waits = [await count(database, attempts, (FEW, who), (MANY, who)) for _ in range(5)]
    assert waits[:3] == [0, 0, 0]
    assert all(290 < wait <= 300 for wait in waits[3:])
    assert await count(database, attempts, (FEW, "somebody else" + who)) == 0
    assert await count(database, attempts, (MANY, who)) == 0


async def test_processes_count_together_and_none_is_lost(database: Database) -> None:
    who = secrets.token_hex(8)
    processes = [Attempts(SECRET) for _ in range(4)]
    waits = await asyncio.gather(*(count(database, processes[at % 4], (MANY, who), (FEW, who)) for at in range(20)))
    assert sum(wait == 0 for wait in waits) == FEW.most


async def test_after_its_time_a_count_begins_anew(database: Database) -> None:
    attempts, who = Attempts(SECRET), secrets.token_hex(8)
    for _ in range(4):
        wait = await count(database, attempts, (FEW, who))
    assert wait
    async with database.transaction(None) as tx:
        key = attempts._hash(FEW, who)
        past = datetime.now(UTC) - timedelta(seconds=1)
        await tx.execute(update(ATTEMPT).where(ATTEMPT.c.key == key).values(until=past))
    assert await count(database, attempts, (FEW, who)) == 0
    async with database.transaction(None) as tx:
        await tx.execute(update(ATTEMPT).where(ATTEMPT.c.key == key).values(until=past))
        assert await remove_old_attempts(tx) >= 1
        assert (await tx.execute(select(ATTEMPT).where(ATTEMPT.c.key == key))).first() is None


async def test_a_good_end_forgets(database: Database) -> None:
    attempts, who = Attempts(SECRET), secrets.token_hex(8)
    for _ in range(4):
        await count(database, attempts, (FEW, who))
    async with database.transaction(None) as tx:
        await attempts.forget(tx, (FEW, who))
    assert await count(database, attempts, (FEW, who)) == 0


async def test_what_is_stored_tells_nothing(database: Database) -> None:
    attempts = Attempts(SECRET)
    await count(database, attempts, (FEW, "anna@example.nl"))
    async with database.transaction(None) as tx:
        rows = (await tx.execute(select(ATTEMPT))).all()
    assert not any(b"anna" in bytes(row.key) for row in rows)
    assert attempts._hash(FEW, "anna@example.nl") != Attempts("t" * 40)._hash(FEW, "anna@example.nl")
