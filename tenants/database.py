"""The ordinary side of Postgres: transactions that write, on a bounded pool of connections.

Promises: a transaction is committed when its block ends well, and rolled back by whatever else ends it, cancellation
and a lost connection included; every statement has a timeout; a database that is down or a pool without a free
connection is told as `DatabaseUnavailable` within seconds. A site's transaction runs as that site's role, and Core
statements on `site_tables` go to that site's schema.
Never keeps a role, a schema or a setting beyond the transaction, and never opens two transactions for one request.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from time import perf_counter
from typing import Any

import psycopg
from psycopg.adapt import Buffer, Dumper
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from tenants.errors import DatabaseUnavailable, LockTimeout, StatementTimeout
from tenants.pipeline import Rows, read_rows
from tenants.registry import TenantRef
from tenants.roles import set_role
from tenants.settings import DatabaseSettings
from tenants.site_tables import TENANT
from tenants.watch import Asked, Ran, Watch

WATCH, ASKED = "watch", "asked"  # what a connection carries with it where statements are watched

Transaction = AsyncConnection
"""What a transaction's block is given; floors above name it by this word."""

# Connection failures, too many connections, and a server that shuts down, crashed, starts or ended the session itself.
GONE = re.compile(r"08...|53300|57P0.|25P0[34]")


class Database:
    """The pool. Opens nothing until first used; belongs to one event loop."""

    def __init__(self, settings: DatabaseSettings, watch: Watch | None = None) -> None:
        self._settings = settings
        self._watch = watch
        self._engine: AsyncEngine | None = None

    async def open(self) -> None:
        """Make the pool. No connection yet, so a database that is still starting is no fault here."""
        settings = self._settings
        conninfo = session_conninfo(settings, settings.statement_timeout_ms)

        async def connect() -> psycopg.AsyncConnection:
            # Not prepared: the text differs per site, and a prepared statement per site and connection is memory.
            return await psycopg.AsyncConnection.connect(conninfo, prepare_threshold=None)

        self._engine = create_async_engine(
            "postgresql+psycopg://",
            async_creator=connect,
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=settings.pool_timeout_s,
            pool_recycle=settings.connection_lifetime_s,
            pool_pre_ping=True,
            pool_use_lifo=True,
            use_native_hstore=False,
        )
        if self._watch is not None:
            watch_statements(self._engine, self._watch)

    @property
    def in_use(self) -> int:
        """How many connections are in a transaction just now."""
        pool = None if self._engine is None else self._engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    async def close(self) -> None:
        """Close the free connections at once, those in use when they are given back."""
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None

    @asynccontextmanager
    async def transaction(self, tenant: TenantRef | None) -> AsyncIterator[AsyncConnection]:
        """One transaction as this site's role, or with None as the platform's owner.

        Raises `DatabaseUnavailable`, `StatementTimeout` and `LockTimeout`; other database errors come as SQLAlchemy's.
        When the connection is lost during COMMIT, nobody knows whether it was done: hence idempotency keys.
        """
        if self._engine is None:
            raise DatabaseUnavailable("the database is not open")
        with plain_errors():
            async with self._engine.begin() as tx:
                if tenant is not None:
                    await become(tx, tenant)
                yield tx


async def become(tx: AsyncConnection, tenant: TenantRef) -> None:
    """From here on the transaction is this site's: its role and its schema.

    Not inside a savepoint: rolling that back takes the role away and leaves the schema.
    """
    await tx.exec_driver_sql(set_role(tenant.role_name))
    await tx.execution_options(schema_translate_map={TENANT: tenant.schema_name})


async def become_platform(tx: AsyncConnection) -> None:
    """From here on the transaction is the platform owner's, and names no site's schema."""
    await tx.exec_driver_sql("SET LOCAL ROLE NONE")
    await tx.execution_options(schema_translate_map={})


async def become_reader(tx: AsyncConnection, role_name: str) -> None:
    """From here on the transaction is that of the role that reads the platform's tables."""
    await tx.exec_driver_sql(set_role(role_name))


async def read_raw(
    tx: AsyncConnection, text: str, params: Sequence[bytes | None], names: tuple[str | None, str | None] = (None, None)
) -> Rows:
    """Run SQL text with $1, $2 … inside the transaction, as whoever it is now; `names` as in `Asked`: operation, site.

    Parameters are sent as text of unknown type, columns come back in the server's text format: what `Reader.fetch`
    gives for the same text. Raises as `Database.transaction` does, other database errors as psycopg's.
    """
    with plain_errors():
        cursor = TextCursor(await driver(tx))
        watch: Watch | None = tx.sync_connection.info.get(WATCH) if tx.sync_connection is not None else None
        asked = None if watch is None else Asked(watch, watch.asked(), perf_counter(), None, *names)
        await cursor.execute(text, params, prepare=False)
        if asked is not None:
            tell(asked, text, len(params))
        result = cursor.pgresult
        return [] if result is None else read_rows(result)


async def run_script(tx: AsyncConnection, text: str) -> None:
    """Run several commands without parameters, in one round trip, inside the transaction."""
    with plain_errors():
        await (await driver(tx)).execute(text.encode())


async def driver(tx: AsyncConnection) -> psycopg.AsyncConnection[Any]:
    """The psycopg connection under the transaction."""
    connection: psycopg.AsyncConnection[Any] = (await tx.get_raw_connection()).driver_connection  # type: ignore[assignment]
    return connection


def session_conninfo(settings: DatabaseSettings, statement_timeout_ms: int) -> str:
    """The connection string with what every session is set to at connect, instead of per transaction."""
    session = {
        "statement_timeout": f"{statement_timeout_ms}",
        "lock_timeout": f"{settings.lock_timeout_ms}",
        "idle_in_transaction_session_timeout": f"{settings.idle_in_transaction_timeout_ms}",
        "client_min_messages": "warning",
        "timezone": "UTC",
        "datestyle": "ISO",
        "search_path": "",  # names are qualified, or they are wrong
        "jit": "off",
    }
    given = conninfo_to_dict(settings.url)
    options = [str(given.get("options") or ""), *(f"-c {name}={value}" for name, value in session.items())]
    return make_conninfo(
        settings.url,
        options=" ".join(options).strip(),
        application_name=given.get("application_name") or settings.application_name,
        connect_timeout=given.get("connect_timeout") or settings.connect_timeout_s,
        client_encoding="UTF8",
    )


def watch_statements(engine: AsyncEngine, watch: Watch) -> None:
    """Tell `watch` of every statement that SQLAlchemy sends on this engine and that came to a good end."""

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def begin(connection: Connection, *_others: object) -> None:
        connection.info[WATCH] = watch
        connection.info[ASKED] = Asked(watch, watch.asked(), perf_counter())

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def end(connection: Connection, _cursor: object, text: str, parameters: Any, *_others: object) -> None:
        tell(connection.info.pop(ASKED), text, len(parameters or ()))


def tell(asked: Asked, text: str, parameters: int) -> None:
    """Tell whoever watches that this statement has come to its end now, if anybody wants to know."""
    ended = perf_counter()
    if asked.caller is not None or ended - asked.at >= asked.watch.slow_s:
        asked.watch.ran(Ran(text, parameters, asked, asked.at, ended))


@contextmanager
def plain_errors() -> Iterator[None]:
    """Tell what is the database's state and not the statement's fault in this floor's own words."""
    try:
        yield
    except PoolTimeoutError as error:
        raise DatabaseUnavailable("no free connection") from error
    except DBAPIError as error:
        raise plain_error(error.orig) or error from error.orig
    except psycopg.Error as error:
        raise plain_error(error) or error from error


def plain_error(error: BaseException | None) -> Exception | None:
    """This floor's error for a driver's, or None for what is the statement's own."""
    if not isinstance(error, psycopg.Error):
        return None
    message = error.diag.message_primary or str(error)
    if error.sqlstate == "57014":
        return StatementTimeout("57014", message)
    if error.sqlstate == "55P03":
        return LockTimeout("55P03", message)
    # Without an SQLSTATE an OperationalError is libpq's own: refused, reset, timed out.
    lost = GONE.fullmatch(error.sqlstate) if error.sqlstate else isinstance(error, psycopg.OperationalError)
    return DatabaseUnavailable(message) if lost else None


class TextDumper(Dumper):
    """Sends bytes as text of unknown type, so that the statement says what it is."""

    oid = 0

    def dump(self, obj: bytes) -> Buffer | None:
        """The bytes themselves."""
        return obj


class TextCursor(psycopg.AsyncRawCursor[Any]):
    """A cursor that takes $n placeholders and bytes that are text."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        super().__init__(connection)
        self.adapters.register_dumper(bytes, TextDumper)
