"""The migrations' runner, on squares of its own: founding, no-op, failure, resumption, two at once, edited files."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from tenants.database import Database
from tenants.errors import DatabaseUnavailable, MigrationsDiffer
from tenants.ids import uuid7
from tenants.migrate import RUNNER_LOCK, Progress, Report, is_migrated, migrate
from tenants.provisioning import NewTenant, provision
from tenants.registry import TenantRef
from tenants.scripts import Script, Scripts, load_scripts
from tenants.settings import DatabaseSettings
from tests import servers

OWN = load_scripts()
LAST = OWN.tenant_version
ADDED_SHARED = f"{len(OWN.shared) + 1:04}_added"
ADDED = 'CREATE TABLE :"schema".added (id uuid PRIMARY KEY); GRANT SELECT ON :"schema".added TO :"role";'


def added(text: str = ADDED, *, scope: str = "tenant") -> Scripts:
    """The product's scripts and one more."""
    known: tuple[Script, ...] = getattr(OWN, scope)
    number = len(known) + 1
    script = Script(number, f"{number:04}_added", text, f"checksum of {text}")
    return replace(OWN, **{scope: (*known, script)})  # type: ignore[arg-type]


@pytest.fixture
def settings(fresh_square: str) -> DatabaseSettings:
    return DatabaseSettings(fresh_square, lock_timeout_ms=300)


@pytest_asyncio.fixture
async def sites(settings: DatabaseSettings) -> AsyncIterator[list[TenantRef]]:
    """Five sites on a square of their own, at the product's version."""
    database = Database(settings)
    await database.open()
    yield [
        await provision(database, NewTenant(slug=f"site-{each}", name="Site"), owner_account_id=uuid7())
        for each in "abcde"
    ]
    await database.close()


async def ask(settings: DatabaseSettings, statement: Any, *params: object) -> list[tuple[Any, ...]]:
    async with await psycopg.AsyncConnection.connect(settings.url, autocommit=True) as connection:
        cursor = await connection.execute(statement, params)
        return await cursor.fetchall() if cursor.description else []


async def tables_added(settings: DatabaseSettings) -> set[str]:
    rows = await ask(settings, "SELECT schemaname FROM pg_tables WHERE tablename = 'added'")
    return {name for (name,) in rows}


async def versions(settings: DatabaseSettings) -> dict[str, int]:
    return dict(await ask(settings, "SELECT slug, schema_version FROM platform.tenant"))


# The platform


async def test_an_empty_database_becomes_a_square(fresh_database: str) -> None:
    settings = DatabaseSettings(fresh_database)
    assert not await is_migrated(settings)
    assert await migrate(settings) == Report(shared=tuple(script.name for script in OWN.shared))
    assert await is_migrated(settings)
    assert await migrate(settings) == Report()
    ((role,),) = await ask(settings, "SELECT reader_role_name FROM platform.square")
    assert await ask(settings, "SELECT rolcanlogin, rolinherit, rolsuper FROM pg_roles WHERE rolname = %s", role) == [
        (True, False, False)
    ]
    ((public, temporary),) = await ask(
        settings,
        "SELECT has_schema_privilege(%s, 'public', 'USAGE'), has_database_privilege(%s, current_database(), 'TEMP')",
        *(role, role),
    )
    assert (public, temporary) == (False, False)


async def test_a_copied_database_is_closed_again(postgres_url: str, fresh_square: str) -> None:
    """What PUBLIC may do in a database is not copied with it."""
    url = servers.create_database(postgres_url, fresh_square)
    settings = DatabaseSettings(url)
    question = "SELECT has_database_privilege('public', current_database(), 'TEMP')"
    assert await ask(settings, question) == [(True,)]
    assert not await is_migrated(settings)
    assert await migrate(settings) == Report()
    assert await ask(settings, question) == [(False,)]
    assert await is_migrated(settings)
    servers.drop_database(postgres_url, url)


async def test_two_squares_on_one_server_have_roles_of_their_own(fresh_database: str, square_database: str) -> None:
    await migrate(DatabaseSettings(fresh_database))
    roles = {
        (await ask(DatabaseSettings(url), "SELECT reader_role_name FROM platform.square"))[0][0]
        for url in (fresh_database, square_database)
    }
    assert len(roles) == 2


async def test_a_platform_script_that_fails_leaves_what_came_before(settings: DatabaseSettings) -> None:
    broken = added("CREATE TABLE platform.added (id uuid PRIMARY KEY); SELECT 1/0", scope="shared")
    with pytest.raises(psycopg.errors.DivisionByZero):
        await migrate(settings, scripts=broken)
    assert await tables_added(settings) == set()
    good = added("CREATE TABLE platform.added (id uuid PRIMARY KEY)", scope="shared")
    assert (await migrate(settings, scripts=good)).shared == (ADDED_SHARED,)
    assert await tables_added(settings) == {"platform"}


async def test_broken_off_right_after_founding(fresh_database: str) -> None:
    settings = DatabaseSettings(fresh_database)
    broken = replace(OWN, shared=(Script(1, "0001_broken", "SELECT 1/0", "x"),))
    with pytest.raises(psycopg.errors.DivisionByZero):
        await migrate(settings, scripts=broken)
    assert len(await ask(settings, "SELECT * FROM platform.square")) == 1
    assert (await migrate(settings)).shared == tuple(script.name for script in OWN.shared)
    assert len(await ask(settings, "SELECT * FROM platform.square")) == 1


@pytest.mark.parametrize("scope", ["shared", "tenant"])
async def test_an_edited_file_is_told_before_anything_is_done(settings: DatabaseSettings, scope: str) -> None:
    first = getattr(OWN, scope)[0]
    edited = replace(added(), **{scope: (replace(first, checksum="other"), *getattr(added(), scope)[1:])})
    with pytest.raises(MigrationsDiffer, match=f"{scope}/{first.name}.sql was edited"):
        await migrate(settings, scripts=edited)
    assert await is_migrated(settings)


@pytest.mark.parametrize("scope", ["shared", "tenant"])
async def test_a_database_that_is_newer_is_told(settings: DatabaseSettings, scope: str) -> None:
    await migrate(settings, scripts=added("SELECT 1", scope=scope))
    with pytest.raises(MigrationsDiffer, match="newer than this program"):
        await migrate(settings)


async def test_a_database_that_is_away_is_told() -> None:
    with pytest.raises(DatabaseUnavailable):
        await migrate(DatabaseSettings("postgresql://plein@127.0.0.1:1/x"))


# The sites


async def test_every_site_gets_the_script_once(settings: DatabaseSettings, sites: list[TenantRef]) -> None:
    told: list[Progress] = []
    assert not await is_migrated(settings, scripts=added())
    report = await migrate(settings, scripts=added(), workers=3, progress=told.append)
    assert report == Report(migrated=5)
    assert await tables_added(settings) == {site.schema_name for site in sites}
    assert set((await versions(settings)).values()) == {LAST + 1}
    assert [each.done for each in told] == [1, 2, 3, 4, 5]
    assert {(each.total, each.error) for each in told} == {(5, None)}
    assert await migrate(settings, scripts=added()) == Report()


async def test_placeholders_name_each_site(settings: DatabaseSettings, sites: list[TenantRef]) -> None:
    text = """CREATE VIEW :"schema".me AS SELECT :'tenant_id'::uuid AS id; GRANT SELECT ON :"schema".me TO :"role";"""
    await migrate(settings, scripts=added(text))
    for site in sites:
        assert await ask(settings, f"SELECT id FROM {site.schema_name}.me") == [(site.id,)]
        assert await ask(
            settings, "SELECT has_table_privilege(%s, %s, 'SELECT')", site.role_name, f"{site.schema_name}.me"
        ) == [(True,)]


async def test_a_site_that_fails_is_reported_and_the_others_go_on(
    settings: DatabaseSettings, sites: list[TenantRef]
) -> None:
    spoilt = sites[1]
    await ask(settings, f"CREATE TABLE {spoilt.schema_name}.added (id uuid PRIMARY KEY)")
    report = await migrate(settings, scripts=added(), workers=2)
    assert report.migrated == 4
    ((slug, reason),) = report.failed
    assert slug == spoilt.slug
    assert "already exists" in reason
    assert (await versions(settings))[spoilt.slug] == LAST
    await ask(settings, f"DROP TABLE {spoilt.schema_name}.added")
    assert await migrate(settings, scripts=added()) == Report(migrated=1)


async def test_a_site_in_use_is_waited_for_briefly(settings: DatabaseSettings, sites: list[TenantRef]) -> None:
    busy = sites[0]
    text = 'ALTER TABLE :"schema".member ADD COLUMN nickname text'
    async with await psycopg.AsyncConnection.connect(settings.url) as reader:
        await reader.execute(f"SELECT * FROM {busy.schema_name}.member")
        report = await migrate(settings, scripts=added(text), workers=1)
    assert (report.migrated, [slug for slug, _ in report.failed]) == (4, [busy.slug])
    assert await migrate(settings, scripts=added(text)) == Report(migrated=1)


async def test_writers_on_the_platform_do_not_hold_up_a_site(
    settings: DatabaseSettings, sites: list[TenantRef]
) -> None:
    async with await psycopg.AsyncConnection.connect(settings.url) as writer:
        await writer.execute(
            "INSERT INTO platform.membership (tenant_id, account_id, role, joined_at) VALUES (%s, %s, 1, now())",
            (sites[0].id, uuid7()),
        )
        assert await migrate(settings, scripts=added()) == Report(migrated=5)


async def test_broken_off_it_goes_on_where_it_was(settings: DatabaseSettings, sites: list[TenantRef]) -> None:
    def stop(progress: Progress) -> None:
        if progress.done == 2:
            run.cancel()

    run = asyncio.create_task(migrate(settings, scripts=added(), workers=1, progress=stop))
    with pytest.raises(asyncio.CancelledError):
        await run
    assert sorted((await versions(settings)).values()) == [*[LAST] * 3, *[LAST + 1] * 2]
    assert await migrate(settings, scripts=added()) == Report(migrated=3)
    assert await tables_added(settings) == {site.schema_name for site in sites}


async def test_a_site_removed_meanwhile_is_no_fault(settings: DatabaseSettings, sites: list[TenantRef]) -> None:
    def remove(progress: Progress) -> None:
        if progress.done == 1:
            with psycopg.connect(settings.url, autocommit=True) as connection:
                connection.execute("DELETE FROM platform.tenant WHERE slug = %s", (sites[3].slug,))

    assert (await migrate(settings, scripts=added(), workers=1, progress=remove)).failed == ()
    assert len(await tables_added(settings)) == 4


# Many sites, two runners


async def test_two_runners_wait_for_each_other(settings: DatabaseSettings, sites: list[TenantRef]) -> None:
    reports = await asyncio.gather(*(migrate(settings, scripts=added(), workers=1) for _ in range(3)))
    assert sorted(report.migrated for report in reports) == [0, 0, 5]
    assert [report.failed for report in reports] == [(), (), ()]


async def test_a_runner_waits_longer_than_for_a_table(settings: DatabaseSettings) -> None:
    async with await psycopg.AsyncConnection.connect(settings.url, autocommit=True) as first:
        await first.execute("SELECT pg_advisory_lock(%s)", (RUNNER_LOCK,))
        second = asyncio.create_task(migrate(settings, scripts=added("SELECT 1", scope="shared")))
        await asyncio.sleep(2 * settings.lock_timeout_ms / 1000)
        assert not second.done()
    assert (await second).shared == (ADDED_SHARED,)


async def test_nothing_to_do_over_800_sites_is_one_query(
    settings: DatabaseSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted by libpq's own trace of what goes to the server: one Bind and no simple Query."""
    await ask(
        settings,
        """
        INSERT INTO platform.tenant (id, slug, schema_name, role_name, name, visibility, access, joining,
                                     schema_version, created_at, updated_at)
        SELECT gen_random_uuid(), 's' || i, 's' || i, 's' || i, 'S', 4, 4, 'OPEN', %s, now(), now()
        FROM generate_series(1, 800) AS i
        """,
        OWN.tenant_version,
    )
    connect = psycopg.AsyncConnection.connect
    with (tmp_path / "trace").open("w") as trace:

        async def traced(*args: Any, **kwargs: Any) -> psycopg.AsyncConnection[Any]:
            connection = await connect(*args, **kwargs)
            connection.pgconn.trace(trace.fileno())
            return connection

        monkeypatch.setattr(psycopg.AsyncConnection, "connect", traced)
        assert await migrate(settings) == Report()
    messages = re.findall(r"\tF\t\d+\t(\w+)", (tmp_path / "trace").read_text())
    assert messages.count("Bind") == 1, messages
    assert "Query" not in messages
