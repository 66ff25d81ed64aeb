"""Allowances in Postgres: what several processes take at once was there, and comes back evenly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest_asyncio
from sqlalchemy import func, select, update

from tenants.allowances import ALLOWANCE, Grant, Wish, remove_full, take
from tenants.database import Database
from tenants.settings import DatabaseSettings


@pytest_asyncio.fixture
async def pool(square_database: str) -> AsyncIterator[Database]:
    database = Database(DatabaseSettings(square_database, pool_size=8))
    await database.open()
    yield database
    await database.close()


async def taken(pool: Database, *wishes: Wish) -> dict[UUID, Grant]:
    async with pool.transaction(None) as tx:
        return dict(await take(tx, wishes))


async def test_it_gives_what_is_wanted_or_what_is_there_or_nothing(pool: Database) -> None:
    caller, other = uuid4(), uuid4()
    found = await taken(pool, Wish(caller, 600, 10, 100), Wish(other, 60, 1, 3))
    assert found == {caller: Grant(100, 500), other: Grant(3, 57)}
    assert (await taken(pool, Wish(caller, 600, 450, 470)))[caller].taken == 470
    less = (await taken(pool, Wish(caller, 600, 10, 100)))[caller]
    assert 30 <= less.taken < 60
    assert less.left == 0
    assert (await taken(pool, Wish(caller, 600, 200, 300)))[caller].taken == 0


async def test_it_is_refilled_evenly_and_never_beyond_a_minute(pool: Database) -> None:
    caller = uuid4()
    await taken(pool, Wish(caller, 600, 600, 600))
    for seconds, expected in ((30, 300), (600, 600)):
        async with pool.transaction(None) as tx:
            moment = datetime.now(UTC) - timedelta(seconds=seconds)
            await tx.execute(update(ALLOWANCE).where(ALLOWANCE.c.caller == caller).values(amount=0, at=moment))
        grant = (await taken(pool, Wish(caller, 600, 1, 1)))[caller]
        assert expected - 1 <= grant.left <= expected + 20


async def test_many_at_once_never_take_more_than_there_is(pool: Database) -> None:
    caller, others = uuid4(), [uuid4() for _ in range(20)]
    began = time.monotonic()

    async def one(number: int) -> float:
        wishes = [Wish(caller, 6000, 7, 37), *(Wish(each, 60, 1, 1) for each in others)]
        return (await taken(pool, *(wishes if number % 2 else wishes[::-1])))[caller].taken

    amounts = await asyncio.gather(*(one(number) for number in range(400)))
    most = 6000 + (time.monotonic() - began) * 100
    assert 6000 <= sum(amounts) <= most
    assert 0 in amounts


async def test_who_has_everything_left_is_forgotten(pool: Database) -> None:
    gone, there = uuid4(), uuid4()
    await taken(pool, Wish(gone, 60, 1, 1), Wish(there, 60, 1, 1))
    async with pool.transaction(None) as tx:
        long_ago = datetime.now(UTC) - timedelta(seconds=61)
        await tx.execute(update(ALLOWANCE).where(ALLOWANCE.c.caller == gone).values(at=long_ago))
        assert await remove_full(tx) >= 1
        left = select(func.array_agg(ALLOWANCE.c.caller)).where(ALLOWANCE.c.caller.in_([gone, there]))
        assert (await tx.execute(left)).scalar_one() == [there]
