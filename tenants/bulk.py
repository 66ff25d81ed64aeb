"""Much at once: COPY into tables, and what belongs after it.

Promises: rows go in with every constraint checked, in the caller's transaction and as whoever it is then; at most one
load at a time works on a square. Never commits a transaction it was given, and never writes what it was not handed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tenants import platform_tables, site_tables
from tenants.database import driver, plain_errors, session_conninfo
from tenants.errors import LockTimeout
from tenants.platform_tables import PLATFORM
from tenants.registry import TenantRef
from tenants.settings import DatabaseSettings
from tenants.tables import table_of

LOAD_LOCK = 0x506C4C6F6164  # "PlLoad": the advisory lock that one load at a time holds

ACCOUNT, MEMBERSHIP = table_of(platform_tables.Account), table_of(platform_tables.Membership)
TENANT = table_of(platform_tables.Tenant)
MEMBER, MEMBERSHIP_HERE = table_of(site_tables.Member), table_of(site_tables.MembershipWindow)
SITE_TABLES = ("member", "group", "group_member", "content", "comment", "reaction")
PLATFORM_TABLES = ("tenant", "account", "identity", "membership", "activity", "ceiling")

Row = Sequence[Any]
Session = psycopg.AsyncConnection[tuple[Any, ...]]


@asynccontextmanager
async def loading(settings: DatabaseSettings) -> AsyncIterator[Session]:
    """The only load on this square while the block runs; yields a session of its own, outside any transaction.

    Raises `LockTimeout` where another load is under way, and `DatabaseUnavailable`.
    """
    conninfo = session_conninfo(settings, settings.statement_timeout_ms)
    with plain_errors():
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as session:
            row = await (await session.execute("SELECT pg_try_advisory_lock(%s)", (LOAD_LOCK,))).fetchone()
            if row is None or not row[0]:
                raise LockTimeout("55P03", "another load is under way on this database")
            yield session


async def copy_rows(
    tx: AsyncConnection, schema_name: str, table: str, columns: Sequence[str], rows: Iterable[Row]
) -> int:
    """Write rows by COPY; how many there were. Raises as `Database.transaction` does, else psycopg's errors."""
    into = sql.Identifier(schema_name, table)
    return await _copy(tx, into, columns, rows)


async def copy_missing(tx: AsyncConnection, table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write those rows of a platform table that do not collide with one that is there; how many were written.

    The transaction must be the platform owner's.
    """
    target, draft = sql.Identifier(PLATFORM, table), sql.Identifier("pg_temp", f"{table}_to_be")
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    connection = await driver(tx)
    with plain_errors():
        # A table of one's own for a moment: COPY itself stops at the first row that is there already.
        command = sql.SQL("CREATE TEMPORARY TABLE {draft} (LIKE {target}) ON COMMIT DROP")
        await connection.execute(command.format(draft=draft, target=target))
        await _copy(tx, draft, columns, rows)
        command = sql.SQL("INSERT INTO {target} ({names}) SELECT {names} FROM {draft} ON CONFLICT DO NOTHING")
        written = await connection.execute(command.format(target=target, names=names, draft=draft))
        await connection.execute(sql.SQL("DROP TABLE {draft}").format(draft=draft))
    return written.rowcount


async def empty_members(tx: AsyncConnection) -> None:
    """Remove the members of a site that has nothing else yet, in a transaction of that site."""
    await tx.execute(delete(MEMBER))
    await tx.execute(delete(MEMBERSHIP_HERE))


async def backdate(tx: AsyncConnection, tenant_id: UUID, created_at: datetime) -> None:
    """Let a site be as old as what is in it, in the platform's transaction."""
    await tx.execute(
        update(TENANT).where(TENANT.c.id == tenant_id).values(created_at=created_at, updated_at=created_at)
    )


async def analyze_site(tx: AsyncConnection, tenant: TenantRef) -> None:
    """Tell the planner what is in the site's tables, in the platform's transaction."""
    tables = sql.SQL(", ").join(sql.Identifier(tenant.schema_name, table) for table in SITE_TABLES)
    with plain_errors():
        await (await driver(tx)).execute(sql.SQL("ANALYZE {}").format(tables))


async def vacuum_platform(session: Session) -> None:
    """Tell the planner what is in the platform's tables, and let their indexes be read alone."""
    tables = sql.SQL(", ").join(sql.Identifier(PLATFORM, table) for table in PLATFORM_TABLES)
    with plain_errors():
        await session.execute(sql.SQL("VACUUM (ANALYZE) {}").format(tables))


async def remove_idle_accounts(tx: AsyncConnection, first: UUID, last: UUID) -> int:
    """Remove the accounts between two ids that are on no site, in the platform's transaction; how many went."""
    on_a_site = exists(select(MEMBERSHIP.c.tenant_id).where(MEMBERSHIP.c.account_id == ACCOUNT.c.id))
    result = await tx.execute(delete(ACCOUNT).where(ACCOUNT.c.id.between(first, last), ~on_a_site))
    return int(result.rowcount)


async def _copy(tx: AsyncConnection, into: sql.Composable, columns: Sequence[str], rows: Iterable[Row]) -> int:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(into, names)
    count = 0
    with plain_errors():
        async with (await driver(tx)).cursor() as cursor, cursor.copy(command) as copy:
            for row in rows:
                await copy.write_row(row)
                count += 1
    return count
