"""Watching statements: each is told of once, with its own time and not that of those before it."""

from __future__ import annotations

import asyncio

import pytest

from tenants.database import Database, read_raw
from tenants.errors import StatementFailed
from tenants.explain import explain
from tenants.reader import Reader, Statement
from tenants.settings import DatabaseSettings
from tenants.watch import Ran


class Watcher:
    """Notes what it is told; everybody who asks is the same caller, or nobody in particular."""

    def __init__(self, slow_s: float, caller: str | None = None) -> None:
        self.slow_s = slow_s
        self.caller = caller
        self.told: list[Ran] = []

    def asked(self) -> str | None:
        """Who asks."""
        return self.caller

    def ran(self, ran: Ran) -> None:
        """Note it."""
        self.told.append(ran)


@pytest.fixture
async def role(database: Database) -> str:
    async with database.transaction(None) as tx:
        return str((await tx.exec_driver_sql("SELECT current_user")).scalar_one())


async def reading(url: str, watcher: Watcher) -> Reader:
    reader = Reader(url, connections=1, watch=watcher)
    await reader.open()
    return reader


async def test_the_time_of_a_statement_is_its_own(square_database: str, role: str) -> None:
    watcher = Watcher(0.2)
    reader = await reading(square_database, watcher)
    slow = Statement("SELECT pg_sleep(0.3)", role, "Slow", "utrecht")
    quick = Statement("SELECT $1::text", role, "Quick", None)
    await asyncio.gather(reader.fetch(slow, []), *(reader.fetch(quick, [b"x"]) for _ in range(5)))
    assert [ran.asked.operation for ran in watcher.told] == ["Slow"]
    watcher.caller = "somebody"
    await asyncio.gather(reader.fetch(slow, []), *(reader.fetch(quick, [b"x"]) for _ in range(5)))
    await reader.close()
    (first, *behind) = watcher.told[1:]
    assert (first.asked.site, first.asked.role, first.parameters) == ("utrecht", role, 0)
    assert 0.3 <= first.took_s < 1
    assert len(behind) == 5
    for ran in behind:
        assert (ran.text, ran.parameters, ran.asked.caller) == (quick.text, 1, "somebody")
        assert ran.took_s < 0.2
        assert ran.began - ran.asked.at >= 0.25


async def test_a_statement_that_failed_is_told_with_its_sqlstate(square_database: str, role: str) -> None:
    watcher = Watcher(9.0, "somebody")
    reader = await reading(square_database, watcher)
    with pytest.raises(StatementFailed):
        await reader.fetch(Statement("SELECT 1 / $1::int", role), [b"0"])
    await reader.close()
    assert [(ran.error, ran.text) for ran in watcher.told] == [("22012", "SELECT 1 / $1::int")]


async def test_what_a_transaction_runs_is_told_too(square_database: str) -> None:
    watcher = Watcher(9.0, "somebody")
    database = Database(DatabaseSettings(square_database), watcher)
    await database.open()
    async with database.transaction(None) as tx:
        assert database.in_use == 1
        await tx.exec_driver_sql("SELECT 1")
        await read_raw(tx, "SELECT $1::text", [b"x"], ("Write", "utrecht"))
    assert database.in_use == 0
    await database.close()
    assert [(ran.text, ran.asked.operation, ran.asked.site) for ran in watcher.told] == [
        ("SELECT 1", None, None),
        ("SELECT $1::text", "Write", "utrecht"),
    ]


async def test_the_load_of_a_reader(square_database: str, role: str) -> None:
    reader = await reading(square_database, Watcher(9.0))
    asking = [asyncio.ensure_future(reader.fetch(Statement("SELECT pg_sleep(0.2)", role), [])) for _ in range(20)]
    await asyncio.sleep(0.05)
    assert (reader.load.in_flight, reader.load.waiting, reader.load.connections) == (16, 4, 1)
    for each in asking:
        each.cancel()
    await reader.close()


async def test_the_plan_of_a_statement_is_generic_and_nothing_runs(square_database: str, role: str) -> None:
    lines = await explain(square_database, "SELECT relname FROM pg_class WHERE oid = $1::oid", role, 1)
    assert any("$1" in line for line in lines)
    assert await explain(square_database, "SELECT pg_sleep(30)", role, 0)
