"""How long it takes to open a site, on a square with none and on squares with many.

Promises: each opening is timed by itself, one after the other, through the ground floor and through `createSite`; the
database is one of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import psycopg

from auth.accounts import create_account, link_identity
from auth.issuer import DEVELOPMENT_ISSUER
from tenants.database import Database
from tenants.ids import uuid7
from tenants.migrate import migrate
from tenants.provisioning import NewTenant, provision
from tenants.settings import DatabaseSettings
from tests.benchmarks import servers
from tests.benchmarks.rounds import ask

DATABASE = "openings"
WORKERS = 2
CREATE_SITE = "mutation ($input: CreateSiteInput!) { createSite(input: $input) { site { id slug } } }"
DIRECT, THROUGH_THE_DOOR = "tenants.provisioning", "createSite"


@dataclass(frozen=True, slots=True)
class Opening:
    """`beside`: how many sites there were at the first of these openings."""

    how: str
    beside: int
    p50_ms: float
    p95_ms: float
    slowest_ms: float


def measure_openings(url: str, data_dir: Path, besides: tuple[int, ...], samples: int) -> list[Opening]:
    """Open sites beside each of these numbers of sites (ascending), so many in each of the two ways."""
    openings_url = _create_database(url)
    settings, me = DatabaseSettings(openings_url), uuid7()
    asyncio.run(_prepare(settings, me))
    found = []
    with servers.plein(openings_url, me, data_dir) as server:
        count = 0
        for beside in besides:
            count += asyncio.run(_fill(settings, me, beside - count))
            direct = asyncio.run(_open_directly(settings, me, samples))
            through = [_open_through_the_door(server) for _ in range(samples)]
            found += [_opening(DIRECT, count, direct), _opening(THROUGH_THE_DOOR, count + samples, through)]
            count += 2 * samples
    return found


def _create_database(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
    return urlsplit(url)._replace(path=f"/{DATABASE}").geturl()


async def _prepare(settings: DatabaseSettings, me: UUID) -> None:
    await migrate(settings)
    async with _opened(settings) as database, database.transaction(None) as tx:
        await create_account(tx, "Eigenaar", "owner@example.org", account_id=me)
        await link_identity(tx, me, DEVELOPMENT_ISSUER, str(me))


async def _fill(settings: DatabaseSettings, me: UUID, count: int) -> int:
    """Open so many sites, several at a time."""
    left = iter(range(count))

    async def work(database: Database) -> None:
        for _ in left:
            await provision(database, _new(), owner_account_id=me)

    async with _opened(settings) as database, asyncio.TaskGroup() as group:
        for _ in range(min(WORKERS, count)):
            group.create_task(work(database))
    return max(count, 0)


async def _open_directly(settings: DatabaseSettings, me: UUID, samples: int) -> list[float]:
    taken = []
    async with _opened(settings) as database:
        async with database.transaction(None):  # so that connecting is not timed
            pass
        for _ in range(samples):
            began = time.perf_counter()
            await provision(database, _new(), owner_account_id=me)
            taken.append(time.perf_counter() - began)
    return taken


def _open_through_the_door(server: servers.Server) -> float:
    new = _new()
    began = time.perf_counter()
    ask(server, CREATE_SITE, {"input": {"slug": new.slug, "name": new.name}})
    return time.perf_counter() - began


@asynccontextmanager
async def _opened(settings: DatabaseSettings) -> AsyncIterator[Database]:
    database = Database(settings)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


def _new() -> NewTenant:
    tenant_id = uuid7()
    return NewTenant(f"s{tenant_id.hex[-12:]}", "Een nieuwe plaats", id=tenant_id)


def _opening(how: str, beside: int, seconds: list[float]) -> Opening:
    ordered = sorted(each * 1000 for each in seconds)
    last = len(ordered) - 1
    return Opening(how, beside, ordered[last // 2], ordered[round(last * 0.95)], ordered[last])
