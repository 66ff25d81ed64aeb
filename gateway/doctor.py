"""`plein doctor`: looks at everything a square needs and says what is wrong and how to mend it.

Promises: each finding is one line with what to do about it; one part that fails does not hide another; nothing is
changed but one small object that is written, read and deleted again. Never shows a secret.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from enum import StrEnum
from secrets import token_bytes
from uuid import uuid4

from gateway.parts import database_settings, opened_store, running_database, running_store
from gateway.settings import Settings, SettingsError
from gateway.terminal import Terminal

PATIENCE_SECONDS = 15.0


class Verdict(StrEnum):
    """How a part is: `warning` works today and should not stay so."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


MARKS = {Verdict.OK: "✓", Verdict.WARNING: "!", Verdict.FAILED: "×"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part; `remedy` says what to do where it is not well."""

    part: str
    verdict: Verdict
    found: str
    remedy: str = ""


Check = Callable[[Settings], Awaitable[Finding]]


def doctor(load: Callable[[], Settings], terminal: Terminal, *, as_json: bool) -> int:
    """Examine everything and show it; return 1 if anything failed, else 0. `load` may raise SettingsError."""
    try:
        settings = load()
    except SettingsError as error:
        findings = [Finding("settings", Verdict.FAILED, str(error), "Correct it; docs/settings.md lists them all.")]
    else:
        findings = [*check_settings(settings), *examine(settings, terminal)]
    if as_json:
        terminal.result_json([asdict(each) for each in findings])
    else:
        for each in findings:
            terminal.result(f"{MARKS[each.verdict]} {each.part}: {each.found}")
            if each.remedy:
                terminal.result(f"    {each.remedy}")
    return int(any(each.verdict is Verdict.FAILED for each in findings))


def check_settings(settings: Settings) -> list[Finding]:
    """Findings on what was set, without asking anybody."""
    findings = [
        Finding("settings", Verdict.OK, f"mode {settings.mode}, {settings.base_host}, data in {settings.data_dir}")
    ]
    if settings.is_production and settings.base_host.partition(":")[0] in {"localhost", "127.0.0.1"}:
        remedy = "Set PLEIN_BASE_HOST to the host name people use."
        findings.append(Finding("base host", Verdict.WARNING, f"{settings.base_host} in production", remedy))
    return findings


def examine(settings: Settings, terminal: Terminal) -> list[Finding]:
    """Findings on the database and the object store; bundled ones are started for as long as it takes."""
    findings: list[Finding] = []
    with ExitStack() as stack:
        try:
            starting = stack.enter_context(running_store(settings))
            found = stack.enter_context(running_database(settings, terminal))
            findings.append(Finding("database", Verdict.OK, "answers, with the version and the rights that are needed"))
        except (RuntimeError, OSError) as error:  # both name themselves in one line
            findings.append(Finding("database", Verdict.FAILED, str(error), _database_remedy(settings)))
        else:
            findings += asyncio.run(run_checks(found, (check_rights, check_migrations, check_reader)))
        try:
            with_store = starting.result()
        except Exception as error:  # whatever kept it from starting
            findings.append(Finding("object store", Verdict.FAILED, str(error), "See store.log in its directory."))
        else:
            findings += asyncio.run(run_checks(with_store, (check_store,)))
    return findings


async def run_checks(settings: Settings, checks: tuple[Check, ...]) -> list[Finding]:
    """Run checks one after the other; one that raises or takes too long is a finding too."""
    findings = []
    for check in checks:
        part = (check.__doc__ or "").partition(":")[0]
        try:
            findings.append(await asyncio.wait_for(check(settings), PATIENCE_SECONDS))
        except TimeoutError:
            findings.append(
                Finding(part, Verdict.FAILED, f"no answer within {PATIENCE_SECONDS:.0f} s", "Look at its log.")
            )
        except Exception as error:  # a check says in its own words what it knows; this is the rest
            findings.append(Finding(part, Verdict.FAILED, str(error) or type(error).__name__, "Look at its log."))
    return findings


async def check_rights(settings: Settings) -> Finding:
    """rights: the gateway's role on the server."""
    from tenants.server import check_server  # noqa: PLC0415

    server = await asyncio.to_thread(check_server, settings.database_url or "")
    found = f"PostgreSQL {server.version}, role {server.role} on {server.database}"
    needed = settings.reader_connections + settings.pool_connections
    if server.is_superuser and settings.is_production:
        return Finding("rights", Verdict.WARNING, f"{found} is a superuser", "Use a role with CREATEROLE and no more.")
    if needed > server.max_connections - 10:
        remedy = "Raise max_connections, or lower PLEIN_POOL_CONNECTIONS or PLEIN_READER_CONNECTIONS."
        told = f"{needed} connections for each gateway process, of {server.max_connections} the server has"
        return Finding("rights", Verdict.WARNING, told, remedy)
    return Finding("rights", Verdict.OK, found)


async def check_migrations(settings: Settings) -> Finding:
    """migrations: whether the platform and every site have all of them."""
    from tenants.errors import MigrationsDiffer  # noqa: PLC0415
    from tenants.migrate import is_migrated  # noqa: PLC0415

    try:
        if await is_migrated(database_settings(settings)):
            return Finding("migrations", Verdict.OK, "all applied, on every site")
    except MigrationsDiffer as error:
        remedy = "Run the version of Plein that this database was last used with, or a later one."
        return Finding("migrations", Verdict.FAILED, str(error), remedy)
    return Finding("migrations", Verdict.FAILED, "some are still to be applied", "Run `plein migrate`.")


async def check_reader(settings: Settings) -> Finding:
    """reader: the role that reads the platform, on the kind of connection that requests use."""
    from tenants.errors import NotMigrated  # noqa: PLC0415
    from tenants.reader import Reader  # noqa: PLC0415
    from tenants.registry import Registry  # noqa: PLC0415

    reader = Reader(database_settings(settings).url, connections=1)
    await reader.open()
    registry = Registry(reader)
    try:
        await registry.open()
        await registry.by_slug("doctor")
    except NotMigrated:
        return Finding("reader", Verdict.FAILED, "there is no role that reads the platform", "Run `plein migrate`.")
    finally:
        await reader.close()
    return Finding("reader", Verdict.OK, f"role {registry.platform_role} reads the register")


async def check_store(settings: Settings) -> Finding:
    """object store: whether an object can be written, read and deleted in its bucket."""
    from storage.errors import BucketMissing, StoreRefused, StoreUnavailable  # noqa: PLC0415
    from storage.keys import object_key  # noqa: PLC0415

    place = f"{settings.s3.endpoint_url}, bucket {settings.s3.bucket}" if settings.s3 else "nowhere"
    bundled = not settings.is_production
    try:
        async with opened_store(settings) as store:
            if bundled:
                await store.ensure_bucket()
            key, body = object_key(uuid4(), "doctor"), token_bytes(64)
            await store.put(key, body)
            same = await store.get(key) == body
            await store.delete(key)
    except BucketMissing:
        return Finding("object store", Verdict.FAILED, f"no such bucket: {place}", "Create it, or set PLEIN_S3_BUCKET.")
    except StoreRefused:
        remedy = "Check PLEIN_S3_ACCESS_KEY, PLEIN_S3_SECRET_KEY and PLEIN_S3_REGION, and the key's rights."
        return Finding("object store", Verdict.FAILED, f"refuses our key: {place}", remedy)
    except StoreUnavailable:
        return Finding("object store", Verdict.FAILED, f"no answer from {place}", "Check PLEIN_S3_ENDPOINT.")
    if not same:
        return Finding("object store", Verdict.FAILED, f"gave other bytes back: {place}", "Use another store.")
    return Finding("object store", Verdict.OK, f"writes, reads and deletes at {place}")


def _database_remedy(settings: Settings) -> str:
    if settings.database_url is not None:
        return "Correct PLEIN_DATABASE_URL, or what it points at."
    return "Or set PLEIN_DATABASE_URL to a PostgreSQL of your own."
