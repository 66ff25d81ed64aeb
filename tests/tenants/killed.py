"""Provisions the same slug over and over, killing itself (SIGKILL) one command later each time: run by a test.

`python -m tests.tenants.killed URL SLUG` prints the ids that were tried, one a line; the last one was let live.
Every process is forked from this one, which never opens a connection itself. The one script of provisioning is sent
command by command here, so that there is a death after each of them.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from typing import Any
from uuid import UUID

import psycopg

from tenants.database import Database
from tenants.ids import uuid7
from tenants.provisioning import NewTenant, provision
from tenants.settings import DatabaseSettings

END_OF_COMMAND = re.compile(r";\s*$", re.MULTILINE)


def count_commands(allowed: int) -> None:
    """Let this process live for so many commands to the server, COMMIT included, and kill it after the last."""
    done = 0
    execute, commit = psycopg.AsyncCursor.execute, psycopg.AsyncConnection.commit

    def count() -> None:
        nonlocal done
        done += 1
        if done == allowed:
            os.kill(os.getpid(), signal.SIGKILL)

    async def counted_execute(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(query, bytes):
            *commands, last = [each for each in END_OF_COMMAND.split(query.decode()) if each.strip()]
            for command in commands:
                await execute(self, command.encode())
                count()
            query = last.encode()
        result = await execute(self, query, *args, **kwargs)
        count()
        return result

    async def counted_commit(self: Any) -> None:
        count()  # a death right before COMMIT; one after it has nothing left to break
        await commit(self)

    psycopg.AsyncCursor.execute = counted_execute  # type: ignore[method-assign]
    psycopg.AsyncConnection.commit = counted_commit  # type: ignore[method-assign]


async def provision_once(url: str, slug: str, tenant_id: UUID) -> None:
    database = Database(DatabaseSettings(url))
    await database.open()
    await provision(database, NewTenant(id=tenant_id, slug=slug, name="Doomed"), owner_account_id=uuid7())
    await database.close()


def main(url: str, slug: str) -> None:
    status, allowed = -1, 0
    while status != 0:
        allowed += 1
        tenant_id = uuid7()
        print(tenant_id, flush=True)
        child = os.fork()
        if child == 0:
            count_commands(allowed)
            asyncio.run(provision_once(url, slug, tenant_id))
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL


if __name__ == "__main__":
    main(*sys.argv[1:])
