"""Transactions: whole or not at all, as the right role, bounded in time, and honest about a database that is away."""

# ruff: noqa: PT012 - how the block of a transaction ends is what is tested here

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from tenants.database import Database, become, become_platform, read_raw, run_script
from tenants.errors import DatabaseUnavailable, LockTimeout, StatementTimeout
from tenants.ids import uuid7
from tenants.platform_tables import Account
from tenants.registry import TenantRef
from tenants.settings import DatabaseSettings
from tenants.site_tables import Member
from tests.conftest import ProvisionSite

ACCOUNT: Table = Account.__table__  # type: ignore[attr-defined]
MEMBER: Table = Member.__table__  # type: ignore[attr-defined]


@pytest_asyncio.fixture(scope="module")
async def site(provision_site: ProvisionSite) -> TenantRef:
    return await provision_site()


@pytest_asyncio.fixture(scope="module")
async def other(provision_site: ProvisionSite) -> TenantRef:
    return await provision_site()


@pytest_asyncio.fixture
async def small(square_database: str) -> AsyncIterator[Database]:
    """A database of two connections and short patience."""
    settings = DatabaseSettings(
        square_database,
        pool_size=2,
        pool_timeout_s=0.3,
        statement_timeout_ms=300,
        lock_timeout_ms=200,
        idle_in_transaction_timeout_ms=500,
    )
    database = Database(settings)
    await database.open()
    yield database
    await database.close()


def new_account() -> dict[str, object]:
    account_id = uuid7()
    return {"id": account_id, "name": "Anna", "email": f"{account_id}@example.org", "role": 0, "created_at": now()}


def now() -> datetime:
    return datetime.now(UTC)


async def exists(database: Database, account_id: object) -> bool:
    async with database.transaction(None) as tx:
        return bool(await tx.scalar(select(func.count()).where(ACCOUNT.c.id == account_id)))


async def whoami(tx: AsyncConnection) -> str:
    return str(await tx.scalar(text("SELECT current_user")))


# Roles and schemas


async def test_a_site_s_transaction_is_that_site_s(database: Database, site: TenantRef, other: TenantRef) -> None:
    account_id = uuid7()
    async with database.transaction(site) as tx:
        assert await whoami(tx) == site.role_name
        await tx.execute(insert(MEMBER).values(account_id=account_id, role=1, joined_at=now()))
    found = {}
    for ref in (site, other):
        async with database.transaction(ref) as tx:
            found[ref.slug] = await tx.scalar(select(func.count()).where(MEMBER.c.account_id == account_id))
    assert found == {site.slug: 1, other.slug: 0}


async def test_nothing_of_a_site_stays_behind_on_the_connection(square_database: str, site: TenantRef) -> None:
    database = Database(DatabaseSettings(square_database, pool_size=1))
    await database.open()
    async with database.transaction(site) as tx:
        await whoami(tx)
    async with database.transaction(None) as tx:
        assert await whoami(tx) == await tx.scalar(text("SELECT session_user"))
        with pytest.raises(ProgrammingError, match="~tenant~"):
            await tx.execute(select(MEMBER))
    await database.close()


async def test_one_transaction_changes_roles(database: Database, site: TenantRef, other: TenantRef) -> None:
    account = new_account()
    async with database.transaction(None) as tx:
        owner = await whoami(tx)
        await tx.execute(insert(ACCOUNT).values(account))
        await become(tx, site)
        assert await whoami(tx) == site.role_name
        await tx.execute(insert(MEMBER).values(account_id=account["id"], role=1, joined_at=now()))
        await become(tx, other)
        assert await whoami(tx) == other.role_name
        assert await tx.scalar(select(func.count()).where(MEMBER.c.account_id == account["id"])) == 0
        await become_platform(tx)
        assert await whoami(tx) == owner
    assert await exists(database, account["id"])


@pytest.mark.parametrize("name", ['a"b', "A", "", "t_0; DROP ROLE x", "t_0\n", "ü", "a" * 64])
async def test_what_is_no_plain_name_is_never_put_on(database: Database, name: str) -> None:
    async with database.transaction(None) as tx:
        with pytest.raises(ValueError, match="not a plain name"):
            await become(tx, TenantRef(uuid7(), "x", "x", name))


async def test_sessions_have_all_their_settings(small: Database) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "TimeZone", "search_path")
    async with small.transaction(None) as tx:
        found = [await tx.scalar(select(func.current_setting(name))) for name in names]
    assert found == ["300ms", "200ms", "500ms", "UTC", ""]


# Whole or not at all


@pytest.mark.parametrize("error", [RuntimeError, asyncio.CancelledError, KeyboardInterrupt, GeneratorExit])
async def test_whatever_ends_the_block_rolls_back(database: Database, error: type[BaseException]) -> None:
    account = new_account()
    with pytest.raises(error):
        async with database.transaction(None) as tx:
            await tx.execute(insert(ACCOUNT).values(account))
            raise error
    assert not await exists(database, account["id"])


async def test_a_statement_that_fails_rolls_back(database: Database) -> None:
    account = new_account()
    with pytest.raises(IntegrityError):
        async with database.transaction(None) as tx:
            await tx.execute(insert(ACCOUNT).values(account))
            await tx.execute(insert(ACCOUNT).values(account))
    assert not await exists(database, account["id"])


async def write_pair(database: Database, first: dict[str, object], second: dict[str, object]) -> None:
    async with database.transaction(None) as tx:
        await tx.execute(insert(ACCOUNT).values(first))
        await tx.execute(text("SELECT pg_sleep(0.005)"))
        await read_raw(tx, "SELECT pg_sleep(0.005)", [])
        await tx.execute(insert(ACCOUNT).values(second))


async def test_cancelled_at_any_moment_it_is_whole_or_nothing(small: Database) -> None:
    """Each task is cancelled a little later than the one before: while waiting, connecting, writing, committing."""
    halves = 0
    outcomes = set()
    for step in range(60):
        first, second = new_account(), new_account()
        task = asyncio.create_task(write_pair(small, first, second))
        await asyncio.sleep(step * 0.0005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        written = [await exists(small, each["id"]) for each in (first, second)]
        halves += written[0] != written[1]
        outcomes.add(tuple(written))
    assert halves == 0
    assert outcomes == {(False, False), (True, True)}
    # And no connection was lost from the pool, nor left in the middle of something.
    async with small.transaction(None) as one, small.transaction(None) as two:
        assert await whoami(one) == await whoami(two)


async def test_a_killed_backend_rolls_back_and_the_next_transaction_works(
    small: Database, square_database: str
) -> None:
    account = new_account()
    with pytest.raises(DatabaseUnavailable):
        async with small.transaction(None) as tx:
            await tx.execute(insert(ACCOUNT).values(account))
            await kill(square_database, await tx.scalar(text("SELECT pg_backend_pid()")))
            await tx.execute(insert(ACCOUNT).values(new_account()))
    assert not await exists(small, account["id"])


async def test_a_backend_killed_under_the_raw_cursor(small: Database, square_database: str) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with small.transaction(None) as tx:
            await kill(square_database, await tx.scalar(text("SELECT pg_backend_pid()")))
            await read_raw(tx, "SELECT 1", [])
    async with small.transaction(None) as tx:
        assert await read_raw(tx, "SELECT 1", []) == [(b"1",)]


async def test_connections_that_died_while_idle_are_replaced_unseen(small: Database, square_database: str) -> None:
    async with small.transaction(None) as one, small.transaction(None) as two:
        pids = [await tx.scalar(text("SELECT pg_backend_pid()")) for tx in (one, two)]
    await kill(square_database, *pids)
    async with small.transaction(None) as one, small.transaction(None) as two:
        assert {await tx.scalar(text("SELECT pg_backend_pid()")) for tx in (one, two)}.isdisjoint(pids)


async def kill(url: str, *pids: object) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for pid in pids:
            await connection.execute("SELECT pg_terminate_backend(%s, 2000)", (pid,))


# Bounds


async def test_no_free_connection_is_told_quickly(small: Database) -> None:
    async with small.transaction(None) as one, small.transaction(None) as two:
        await whoami(one)
        await whoami(two)
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailable, match="no free connection"):
            async with small.transaction(None):
                pass
        assert time.monotonic() - started < 1


async def test_a_closed_port_is_told_at_once(square_database: str) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it, and nobody answers
        await told_unavailable(f"postgresql://plein@127.0.0.1:{reserved.getsockname()[1]}/x", within_s=1)


async def test_a_server_that_accepts_and_says_nothing_is_told_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        await told_unavailable(f"postgresql://plein@127.0.0.1:{silent.getsockname()[1]}/x", within_s=4)


async def told_unavailable(url: str, within_s: float) -> None:
    database = Database(DatabaseSettings(url))
    await database.open()
    started = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        async with database.transaction(None):
            pass
    assert time.monotonic() - started < within_s
    await database.close()


async def test_a_database_that_is_not_open_is_unavailable(square_database: str) -> None:
    database = Database(DatabaseSettings(square_database))
    with pytest.raises(DatabaseUnavailable):
        async with database.transaction(None):
            pass


@pytest.mark.parametrize("raw", [False, True])
async def test_slow_statements_end(small: Database, raw: bool) -> None:
    with pytest.raises(StatementTimeout):
        async with small.transaction(None) as tx:
            await (read_raw(tx, "SELECT pg_sleep(5)", []) if raw else tx.execute(text("SELECT pg_sleep(5)")))


async def test_waiting_for_a_lock_ends(small: Database) -> None:
    account = new_account()
    async with small.transaction(None) as holder:
        await holder.execute(insert(ACCOUNT).values(account))
        with pytest.raises(LockTimeout):
            async with small.transaction(None) as waiter:
                await waiter.execute(insert(ACCOUNT).values(account))


async def test_a_forgotten_transaction_ends(small: Database) -> None:
    account = new_account()
    with pytest.raises(DatabaseUnavailable):
        async with small.transaction(None) as tx:
            await tx.execute(insert(ACCOUNT).values(account))
            await asyncio.sleep(0.8)
            await whoami(tx)
    assert not await exists(small, account["id"])


async def test_old_connections_are_replaced(square_database: str) -> None:
    settings = replace(DatabaseSettings(square_database), pool_size=1, connection_lifetime_s=0)
    database = Database(settings)
    await database.open()
    pids = set()
    for _ in range(2):
        async with database.transaction(None) as tx:
            pids.add(await tx.scalar(text("SELECT pg_backend_pid()")))
        await asyncio.sleep(0.01)
    assert len(pids) == 2
    await database.close()


# The compiler's own text


async def test_raw_text_sees_the_transaction_and_speaks_text(database: Database, site: TenantRef) -> None:
    account_id = uuid7()
    async with database.transaction(site) as tx:
        await tx.execute(insert(MEMBER).values(account_id=account_id, role=1, joined_at=now()))
        table = f'"{site.schema_name}".member'
        rows = await read_raw(
            tx,
            f"SELECT account_id, role, left_at, $2::text, $2::text || '%s %%', current_user"
            f" FROM {table} WHERE account_id = $1 AND role = ANY($3) AND left_at IS NOT DISTINCT FROM $4::timestamptz",
            [str(account_id).encode(), "é".encode(), b"{1,2}", None],
        )
    expected = [str(account_id), "1", None, "é", "é%s %%", site.role_name]
    assert rows == [tuple(None if value is None else value.encode() for value in expected)]


async def test_raw_text_without_rows_and_without_a_result(database: Database) -> None:
    async with database.transaction(None) as tx:
        assert await read_raw(tx, "SELECT 1 WHERE $1", [b"false"]) == []
        assert await read_raw(tx, "SET LOCAL jit = off", []) == []


async def test_raw_text_that_fails_is_the_statements_own_error(database: Database) -> None:
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        async with database.transaction(None) as tx:
            await read_raw(tx, "SELECT $1::uuid", [b"x"])


async def test_a_script_is_part_of_the_transaction(database: Database) -> None:
    account_id: UUID = uuid7()
    with pytest.raises(RuntimeError):
        async with database.transaction(None) as tx:
            values = f"('{account_id}', 'A', '{account_id}@example.org', 0, now())"
            await run_script(tx, f"INSERT INTO platform.account VALUES {values}; SELECT 1; SELECT '100%s'")
            assert await tx.scalar(select(func.count()).where(ACCOUNT.c.id == account_id)) == 1
            raise RuntimeError
    assert not await exists(database, account_id)
