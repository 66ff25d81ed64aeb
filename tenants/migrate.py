"""The migrations' runner: the platform's scripts, then each site's, on several sites at once.

Promises: with nothing to do it asks one question, however many sites there are; two runners wait for each other; each
script of the platform and each site is a transaction of its own, so a run that was broken off goes on where it was; a
site that fails is reported and left as it was, and the others go on; a file that was edited after it was applied is an
error before anything is done. Never creates or removes a site, and never waits longer for a lock than `lock_timeout`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import psycopg

from tenants.database import plain_errors, session_conninfo
from tenants.errors import MigrationsDiffer, TenantsError
from tenants.registry import NOT_THERE, TenantRef
from tenants.roles import create_role
from tenants.scripts import Script, Scripts, filled, load_scripts
from tenants.settings import DatabaseSettings

RUNNER_LOCK = 0x506C65696E  # "Plein": the advisory lock that one runner at a time holds

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Progress:
    """One site was done; `error` tells why it was not."""

    done: int
    total: int
    slug: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did: names of the platform's scripts, number of sites, and the sites (slug, reason) that failed."""

    shared: tuple[str, ...] = ()
    migrated: int = 0
    failed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """How far a database is: checksums by (scope, number), how many sites are behind, and whether PUBLIC has rights."""

    applied: Mapping[tuple[str, int], str]
    behind: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class Behind:
    """A site that lacks scripts."""

    ref: TenantRef
    version: int


@dataclass(slots=True)
class Run:
    """The sites still to do and what came of those done, shared by the workers."""

    waiting: deque[Behind]
    total: int
    report: Callable[[Progress], None] | None
    migrated: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)

    def count(self, slug: str, error: str | None) -> None:
        """One site was done."""
        if error is None:
            self.migrated += 1
        else:
            self.failed.append((slug, error))
        if self.report is not None:
            self.report(Progress(self.migrated + len(self.failed), self.total, slug, error))


async def migrate(
    settings: DatabaseSettings,
    *,
    scripts: Scripts | None = None,
    workers: int = 4,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Bring the platform and every site to the newest version.

    Raises `MigrationsDiffer`, `DatabaseUnavailable`, `LockTimeout`, or psycopg's error of a platform script that fails.
    """
    scripts = scripts or load_scripts()
    with plain_errors():
        async with await connect(settings) as connection:
            if is_complete(await load_state(connection, scripts), scripts):
                return Report()
            # Held until the connection ends, however it ends. Whoever comes second waits, and finds nothing to do.
            await connection.execute("SET lock_timeout = 0")
            await connection.execute("SELECT pg_advisory_lock(%s)", (RUNNER_LOCK,))
            await connection.execute("SELECT set_config('lock_timeout', %s, false)", (str(settings.lock_timeout_ms),))
            shared = await migrate_platform(connection, scripts)
            waiting = deque(await load_behind(connection, scripts.tenant_version))
            run = Run(waiting, len(waiting), progress)
            async with asyncio.TaskGroup() as group:
                for _ in range(min(workers, len(waiting))):
                    group.create_task(work(run, settings, scripts))
    return Report(shared, run.migrated, tuple(run.failed))


async def is_migrated(settings: DatabaseSettings, *, scripts: Scripts | None = None) -> bool:
    """Whether there is nothing to do; asks one question. Raises as `migrate` does."""
    scripts = scripts or load_scripts()
    with plain_errors():
        async with await connect(settings) as connection:
            return is_complete(await load_state(connection, scripts), scripts)


async def connect(settings: DatabaseSettings) -> Connection:
    """A connection of the runner's own: scripts may take longer than an ordinary statement may."""
    conninfo = session_conninfo(settings, settings.migration_timeout_ms)
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True, prepare_threshold=None)


async def load_state(connection: Connection, scripts: Scripts) -> State | None:
    """How far the database is, in one query; None where the platform is not there, or not all of it."""
    try:
        cursor = await connection.execute(
            """
            SELECT scope, number, checksum FROM platform.migration
            UNION ALL
            SELECT 'behind', count(*), NULL FROM platform.tenant WHERE schema_version < %s
            UNION ALL
            SELECT 'open', count(*), NULL FROM pg_database
            WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE')
            AND has_database_privilege('public', oid, 'TEMPORARY')
            """,
            (scripts.tenant_version,),
        )
    except psycopg.Error as error:
        if error.sqlstate in NOT_THERE:
            return None
        raise
    rows = await cursor.fetchall()
    counts = {scope: number for scope, number, checksum in rows if checksum is None}
    applied = {(scope, number): checksum for scope, number, checksum in rows if checksum is not None}
    return State(applied, counts["behind"], counts["open"] > 0)


def is_complete(state: State | None, scripts: Scripts) -> bool:
    """Whether nothing is to be done. Raises `MigrationsDiffer`."""
    if state is None:
        return False
    check(state.applied, scripts)
    return state.behind == 0 and not state.is_open and len(state.applied) == len(scripts.shared) + len(scripts.tenant)


def check(applied: Mapping[tuple[str, int], str], scripts: Scripts) -> None:
    """Raise `MigrationsDiffer` unless what was applied is what the files say."""
    known = {("shared", script.number): script for script in scripts.shared}
    known |= {("tenant", script.number): script for script in scripts.tenant}
    for (scope, number), checksum in applied.items():
        script = known.get((scope, number))
        if script is None:
            raise MigrationsDiffer(f"the database is newer than this program: it has {scope} migration {number:04}")
        if script.checksum != checksum:
            raise MigrationsDiffer(
                f"{scope}/{script.name}.sql was edited after it was applied; write a new one instead"
            )


async def migrate_platform(connection: Connection, scripts: Scripts) -> tuple[str, ...]:
    """Found the square if need be and apply the platform's missing scripts, each in a transaction of its own."""
    role = await found(connection, scripts)
    cursor = await connection.execute("SELECT scope, number, checksum FROM platform.migration")
    applied = {(scope, number): checksum for scope, number, checksum in await cursor.fetchall()}
    check(applied, scripts)
    await connection.execute(scripts.rights.encode())
    names = []
    for script in scripts.shared:
        if ("shared", script.number) not in applied:
            async with connection.transaction():
                await connection.execute(filled(script.text, {"schema": "platform", "role": role}).encode())
                await record(connection, "shared", script)
            names.append(script.name)
    for script in scripts.tenant:
        if ("tenant", script.number) not in applied:
            await record(connection, "tenant", script)
    return tuple(names)


async def found(connection: Connection, scripts: Scripts) -> str:
    """Make the ground to stand on where it is missing; the platform's reading role."""
    async with connection.transaction():
        await connection.execute(scripts.founding.encode())
        cursor = await connection.execute("SELECT reader_role_name FROM platform.square")
        row = await cursor.fetchone()
        if row is not None:
            return str(row[0])
        square_id = uuid4()
        role = f"square_{square_id.hex[-12:]}"
        await connection.execute(create_role(role, connection.info.server_version).encode())
        await connection.execute("INSERT INTO platform.square VALUES (%s, %s, now())", (square_id, role))
        return role


async def record(connection: Connection, scope: str, script: Script) -> None:
    """Remember that a script was applied, or for a site's script that it is to be."""
    await connection.execute(
        "INSERT INTO platform.migration (scope, number, name, checksum, applied_at) VALUES (%s, %s, %s, %s, now())",
        (scope, script.number, script.name, script.checksum),
    )


async def load_behind(connection: Connection, version: int) -> list[Behind]:
    """The sites that lack scripts, oldest first."""
    cursor = await connection.execute(
        """
        SELECT id, slug, schema_name, role_name, schema_version FROM platform.tenant
        WHERE schema_version < %s ORDER BY created_at, id
        """,
        (version,),
    )
    return [Behind(TenantRef(*row[:4]), row[4]) for row in await cursor.fetchall()]


async def work(run: Run, settings: DatabaseSettings, scripts: Scripts) -> None:
    """One worker: site after site, on a connection that is replaced when it is lost."""
    connection: Connection | None = None
    try:
        while run.waiting:
            site = run.waiting.popleft()
            try:
                if connection is None or connection.closed:
                    connection = await connect(settings)
                await migrate_site(connection, site, scripts)
            except (psycopg.Error, TenantsError) as error:
                run.count(site.ref.slug, str(error).strip() or type(error).__name__)
            else:
                run.count(site.ref.slug, None)
    finally:
        if connection is not None:
            await connection.close()


async def migrate_site(connection: Connection, site: Behind, scripts: Scripts) -> None:
    """Apply what one site lacks, in one transaction."""
    async with connection.transaction():
        # Not FOR UPDATE: that would wait for everybody who is writing rows that refer to the site.
        cursor = await connection.execute(
            "SELECT schema_version FROM platform.tenant WHERE id = %s FOR NO KEY UPDATE", (site.ref.id,)
        )
        row = await cursor.fetchone()
        if row is None:  # removed since
            return
        await connection.execute(site_script(scripts, site.ref, after=row[0]).encode())
        await connection.execute(
            "UPDATE platform.tenant SET schema_version = %s WHERE id = %s", (scripts.tenant_version, site.ref.id)
        )


def site_script(scripts: Scripts, ref: TenantRef, *, after: int = 0) -> str:
    """A site's scripts beyond version `after` as one text."""
    values = {"schema": ref.schema_name, "role": ref.role_name, "tenant_id": str(ref.id)}
    return "\n".join(filled(script.text, values) for script in scripts.tenant[after:])
