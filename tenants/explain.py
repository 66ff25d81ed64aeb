"""The plan of a compiled statement, asked for afterwards: how the server would run it for anybody.

Promises: on a connection of its own, with the reader's settings and the statement's role, so that the plan is the one
the reader gets; the statement is not run, and no parameter is known. Only for statements that the reader can run.
"""

from __future__ import annotations

import asyncio

from psycopg import AsyncConnection, sql

from tenants.reader import reader_conninfo, set_role

NAME = sql.Identifier("explained")
TIME_S = 10.0


async def explain(conninfo: str, text: str, role: str, parameters: int) -> list[str]:
    """The lines of the generic plan of this statement, as this role. Raises psycopg's errors and TimeoutError."""
    async with asyncio.timeout(TIME_S):
        # A generic plan needs no values: they are null here, and it is the same for all. Works on every version,
        # where EXPLAIN (GENERIC_PLAN) came with PostgreSQL 16.
        nulls = sql.SQL(", ").join([sql.NULL] * parameters)
        arguments = sql.SQL("({})").format(nulls) if parameters else sql.SQL("")
        connection = await AsyncConnection.connect(reader_conninfo(conninfo, int(TIME_S * 1000)))
        async with connection as tx:
            await tx.execute(set_role(role))
            await tx.execute(sql.SQL("PREPARE {} AS {}").format(NAME, sql.SQL(text)))
            found = await tx.execute(sql.SQL("EXPLAIN EXECUTE {}{}").format(NAME, arguments))
            return [line for (line,) in await found.fetchall()]
