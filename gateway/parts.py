"""The parts a gateway stands on, while it does: the database and the object store, bundled unless they are configured.

Promises: every process started here ends with the block, however it ends; what is configured is looked at once, so that
a wrong address is one clear line before anything else happens. Never changes anything in a configured database.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.settings import S3, Settings
from gateway.terminal import Terminal

if TYPE_CHECKING:
    from storage.client import ObjectStore
    from storage.settings import StorageSettings
    from tenants.database import Database
    from tenants.settings import DatabaseSettings
    from tenants.watch import Watch

BUCKET = "plein"


@contextmanager
def running_database(settings: Settings, terminal: Terminal, *, share: bool = True) -> Iterator[Settings]:
    """Yield settings that name a database which can be used. With `share`, another process's bundled one will do.

    Raises ServerUnusable or EmbeddedPostgresError, each one line. To be called from the main thread.
    """
    with ExitStack() as stack:
        if settings.database_url is not None:
            from tenants.server import check_server  # noqa: PLC0415 - psycopg takes a while

            with terminal.step("PostgreSQL, as configured") as step:
                server = check_server(settings.database_url)
                step.detail = f"version {server.version}"
            yield settings
            return
        from tenants.embedded import EmbeddedPostgres  # noqa: PLC0415

        postgres = EmbeddedPostgres(settings.data_dir / "postgres", share=share)
        is_new = not (postgres.data_dir / "PG_VERSION").exists()
        with terminal.step("PostgreSQL, bundled") as step:
            stack.enter_context(postgres)
            step.detail = f"{'made' if is_new else 'kept'} in {shown(postgres.home)}"
        yield replace(settings, database_url=postgres.url)


@contextmanager
def running_store(settings: Settings) -> Iterator[Future[Settings]]:
    """Start the object store beside what the block does; the future gives settings that name it.

    The future raises StoreProcessFailed, one line. A configured store is there already.
    """
    found: Future[Settings] = Future()
    if settings.s3 is not None:
        found.set_result(settings)
        yield found
        return
    from storage.devstore.process import BundledStore  # noqa: PLC0415

    logging.getLogger("storage.devstore.process").setLevel(logging.ERROR)  # what it warns of is told here
    # Browsers sign in nowhere on this store: what they may read or write is in the signed address.
    store = BundledStore(settings.data_dir / "store", bucket=BUCKET, allowed_origins=("*",), make_bucket=True)
    with ThreadPoolExecutor(1, thread_name_prefix="store-start") as thread:
        starting = thread.submit(lambda: replace(settings, s3=s3_settings(store.start())))
        try:
            yield starting
        finally:
            wait((starting,))
            store.stop()


@contextmanager
def running_parts(settings: Settings, terminal: Terminal, *, share: bool = True) -> Iterator[Settings]:
    """Yield settings that name a database and an object store; bundled ones start at the same time.

    Raises as each does. A configured database is looked at before anything is started.
    """
    with ExitStack() as stack:
        database = running_database(settings, terminal, share=share)
        found = stack.enter_context(database) if settings.database_url is not None else None
        starting = stack.enter_context(running_store(settings))
        found = found or stack.enter_context(database)
        if settings.s3 is None:
            with terminal.step("object store, bundled for development") as step:
                starting.result()
                step.detail = f"in {shown(settings.data_dir / 'store')}"
        yield replace(found, s3=starting.result().s3)


@asynccontextmanager
async def opened_database(settings: Settings, watch: Watch | None = None) -> AsyncIterator[Database]:
    """Yield the database of these settings, opened; it is closed with the block. `watch` is told of statements."""
    from tenants.database import Database  # noqa: PLC0415

    database = Database(database_settings(settings), watch)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[ObjectStore]:
    """Yield the object store of these settings, opened; it is closed with the block."""
    from storage.client import ObjectStore  # noqa: PLC0415 - boto3 takes a while

    if settings.s3 is None:
        raise ValueError("no object store is running")
    store = ObjectStore(storage_settings(settings.s3))
    try:
        yield store
    finally:
        await store.close()


def database_settings(settings: Settings) -> DatabaseSettings:
    """The ground floor's settings. The database must be known by now."""
    from tenants.settings import DatabaseSettings  # noqa: PLC0415

    if settings.database_url is None:
        raise ValueError("no database is running")
    return DatabaseSettings(
        settings.database_url,
        pool_size=settings.pool_connections,
        statement_timeout_ms=settings.statement_timeout_ms,
    )


def storage_settings(s3: S3) -> StorageSettings:
    """The storage floor's settings."""
    from storage.settings import StorageSettings  # noqa: PLC0415

    return StorageSettings(
        endpoint_url=s3.endpoint_url,
        bucket=s3.bucket,
        access_key=s3.access_key,
        secret_key=s3.secret_key,
        region=s3.region,
        public_endpoint_url=s3.public_endpoint_url,
    )


def s3_settings(found: StorageSettings) -> S3:
    """The gateway's settings for a store that was started here."""
    return S3(
        endpoint_url=found.endpoint_url,
        public_endpoint_url=found.public_endpoint_url or found.endpoint_url,
        bucket=found.bucket,
        region=found.region,
        access_key=found.access_key,
        secret_key=found.secret_key,
    )


def site_url(settings: Settings, slug: str) -> str:
    """Where a site answers."""
    scheme = "https" if settings.is_production else "http"
    return f"{scheme}://{slug}.{settings.base_host}/"


def shown(path: Path) -> str:
    """A path as people know it: from where they are, if it lies below."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)
