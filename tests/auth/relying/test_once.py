"""What counts once: the first gets it, whoever comes at the same time, until its own time is over."""

from __future__ import annotations

import asyncio
import secrets
import time

from sqlalchemy import func, select

from auth.relying.once import SPENT, forget_spent, spend
from auth.session_limits import SessionLimits
from gateway.housekeeping import remove_what_is_over
from tenants.database import Database


async def use(database: Database, what: str, about: str = "https://id.example", until: float | None = None) -> bool:
    async with database.transaction(None) as tx:
        return await spend(tx, "logout", about, what, until or time.time() + 60)


async def test_of_many_at_once_one_is_first(database: Database):
    what = secrets.token_hex(8)
    assert sum(await asyncio.gather(*(use(database, what) for _ in range(6)))) == 1
    assert await use(database, what, about="https://another.example"), "of another issuer it is another thing"


async def test_what_is_undone_was_not_used(database: Database):
    what = secrets.token_hex(8)
    async with database.transaction(None) as tx:
        assert await spend(tx, "logout", "a", what, time.time() + 60)
        await tx.rollback()
    async with database.transaction(None) as tx:
        assert await spend(tx, "logout", "a", what, time.time() + 60)


async def test_it_is_forgotten_when_its_time_is_over(database: Database):
    old, new = secrets.token_hex(8), secrets.token_hex(8)
    await use(database, old, until=time.time() - 1)
    await use(database, new)
    await remove_what_is_over(database, SessionLimits())
    assert not await use(database, new)
    assert await use(database, old, until=time.time() - 1)
    async with database.transaction(None) as tx:
        assert await forget_spent(tx) >= 1
        over = select(func.count()).select_from(SPENT).where(SPENT.c.expires_at < func.now())
        assert await tx.scalar(over) == 0
