"""The hot path's reader: few connections, many concurrent reads, each under its own role.

Promises: every read runs as the role its statement names, read-only, within `statement_timeout`; its answer comes to
its own caller or to nobody; a lost connection is opened again by itself, and reads lost with it are tried once more;
nothing waits without a bound. Never writes, never holds a transaction over two reads, never starts a thread.

One reader belongs to one event loop. Long or writing work belongs on ordinary pool connections: a slow statement
delays those behind it on its connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from time import perf_counter

from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import InsufficientPrivilege

from tenants.errors import DatabaseUnavailable, ReaderBusy, ReadError, StatementFailed
from tenants.pipeline import Pipeline, Request, Rows
from tenants.prepared import Key
from tenants.watch import Watch

TICK_S = 0.25  # the watchdog's step; also the resolution of its limits
DOWN_TICKS = 4  # how long reads wait for a connection when there is none: one second
GRACE_S = 2.0  # what a server may be silent beyond statement_timeout
RESEND_PAUSE_S = 0.03  # connections tend to be lost together: so long, that the others are known to be lost as well
BACKOFF_S = (0.05, 5.0)  # first and longest pause between attempts to connect
CONNECT_TIMEOUT_S = 5
FLIGHT = attrgetter("flight")
PARAMETERS_MAX = 65535  # the protocol counts them in 16 bits

logger = logging.getLogger(__name__)
ROLE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Statement:
    """One compiled read."""

    text: str  # SQL with $1..$n, naming the tenant's schema
    role: str  # the role it runs as
    operation: str | None = None  # what it is part of and whose it is, for those who watch
    site: str | None = None
    key: Key = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make what the connections know it by, once. ValueError for what is no plain role name."""
        object.__setattr__(self, "key", (self.text, set_role(self.role)))


@dataclass(frozen=True, slots=True)
class Load:
    """What a reader is doing: reads on the wire, reads that wait for room, connections that are open."""

    in_flight: int
    waiting: int
    connections: int


@lru_cache(maxsize=16384)
def set_role(role: str) -> bytes:
    """The command that puts on `role` for one segment. ValueError for what is no plain role name."""
    if not ROLE_NAME.fullmatch(role):
        raise ValueError(f"not a role name: {role!r}")
    return f'SET LOCAL ROLE "{role}"'.encode()


class Reader:
    """A few pipelined connections; each read goes to the one with the fewest reads in flight."""

    def __init__(  # noqa: PLR0913 - bounds, each with a default
        self,
        conninfo: str,
        *,
        connections: int = 4,
        depth: int = 16,
        statement_timeout_ms: int = 5000,
        prepared_per_connection: int = 400,
        max_lifetime_s: float = 1800,
        max_waiting: int = 2000,
        watch: Watch | None = None,
    ) -> None:
        """`depth`: reads in flight per connection; `max_waiting`: reads that wait for room, beyond those."""
        self._watcher = watch
        self._conninfo = reader_conninfo(conninfo, statement_timeout_ms)
        self._connections = connections
        self._depth = depth
        self._prepared_max = prepared_per_connection
        self._max_lifetime_s = max_lifetime_s
        self._max_waiting = max_waiting
        self._silence_ticks = int((statement_timeout_ms / 1000 + GRACE_S) / TICK_S)
        self._open: list[Pipeline] = []
        self._retired: list[Pipeline] = []
        self._waiting: deque[Request] = deque()
        self._tasks: list[asyncio.Task[None]] = []
        self._down_ticks = 0
        self._last_error = "not open"
        self._warned = False
        self._closed = True

    async def open(self) -> None:
        """Connect. DatabaseUnavailable when no connection could be made; one is enough, the others follow."""
        self._loop = asyncio.get_running_loop()
        results = await asyncio.gather(*(self._connect() for _ in range(self._connections)), return_exceptions=True)
        self._open = [result for result in results if isinstance(result, Pipeline)]
        if not self._open:
            raise DatabaseUnavailable(f"cannot connect: {results[0]}")
        self._closed = False
        self._down_ticks = 0
        firsts = [*self._open, *([None] * (self._connections - len(self._open)))]
        self._tasks = [asyncio.create_task(self._keep_connected(first)) for first in firsts]
        self._tasks.append(asyncio.create_task(self._watch()))

    async def close(self) -> None:
        """Answer what is in flight (for as long as the watchdog allows), refuse what waits, disconnect."""
        if self._closed:
            return
        self._closed = True
        self._fail_waiting("the reader is closed")
        *keepers, watchdog = self._tasks
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        pipelines = self._open + self._retired
        for pipeline in pipelines:
            pipeline.retire()
        await asyncio.gather(*(pipeline.gone.wait() for pipeline in pipelines))
        watchdog.cancel()
        self._open, self._retired, self._tasks = [], [], []

    def fetch(self, statement: Statement, params: Sequence[bytes | None]) -> asyncio.Future[Rows]:
        """All rows, values in the server's text format. Raises a `ReadError`, now or when it is awaited."""
        if self._closed:
            raise DatabaseUnavailable("the reader is closed")
        if len(params) > PARAMETERS_MAX:
            raise StatementFailed("54023", f"more than {PARAMETERS_MAX} parameters")
        if 0 in b"".join(filter(None, params)):  # libpq would silently cut the text there
            raise StatementFailed("22021", "a parameter holds a null byte")
        future: asyncio.Future[Rows] = self._loop.create_future()
        request = Request(statement, params, future)
        watch = self._watcher
        if watch is not None:
            request.caller = watch.asked()
            request.at = perf_counter()
        self._dispatch(request)
        return future

    async def fetch_many(self, requests: Sequence[tuple[Statement, Sequence[bytes | None]]]) -> list[Rows | ReadError]:
        """All answers in the order of `requests`, an error in the place of what failed.

        At most `depth` of them are under way at once, so that one wide read leaves room for the others.
        """
        pending: deque[asyncio.Future[Rows] | ReadError] = deque()
        answers: list[Rows | ReadError] = []
        try:
            for statement, params in requests:
                if len(pending) >= self._depth:
                    answers.append(await settle(pending[0]))
                    pending.popleft()
                try:
                    pending.append(self.fetch(statement, params))
                except ReadError as error:
                    pending.append(error)
            while pending:
                answers.append(await settle(pending[0]))
                pending.popleft()
        finally:
            for left in pending:  # only when this task was cancelled
                if not isinstance(left, ReadError):
                    left.cancel()
        return answers

    @property
    def load(self) -> Load:
        """What it is doing just now."""
        in_flight = sum(len(pipeline.flight) for pipeline in self._open + self._retired)
        return Load(in_flight, len(self._waiting), len(self._open))

    def _dispatch(self, request: Request) -> None:
        """Send to the least loaded connection, or let wait for room."""
        loads = [*map(len, map(FLIGHT, self._open))]
        load = min(loads, default=self._depth)
        if load < self._depth:
            self._open[loads.index(load)].send(request)
        elif not self._open and self._down_ticks >= DOWN_TICKS:
            raise DatabaseUnavailable(self._last_error)
        elif len(self._waiting) >= self._max_waiting:
            raise ReaderBusy(f"{self._max_waiting} reads are waiting")
        else:
            self._waiting.append(request)

    def _lost(self, pipeline: Pipeline, requests: list[Request], reason: str) -> None:
        """A connection is gone: try its reads once more, which is safe because they only read."""
        if pipeline in self._open:
            self._open.remove(pipeline)
        self._last_error = reason
        logger.warning("a reading connection was lost with %d reads in flight: %s", len(requests), reason)
        again: list[Request] = []
        for request in requests:
            if request.resent:
                request.fail(DatabaseUnavailable(reason))
            else:
                request.resent = True
                again.append(request)
        if again:
            self._loop.call_later(RESEND_PAUSE_S, self._resend, again)

    def _resend(self, requests: list[Request]) -> None:
        for request in requests:
            if self._closed:
                request.fail(DatabaseUnavailable(self._last_error))
            elif not request.future.done():
                try:
                    self._dispatch(request)
                except ReadError as error:
                    request.fail(error)

    async def _connect(self) -> Pipeline:
        """A fresh connection in pipeline mode, not yet in use."""
        conn = await AsyncConnection.connect(self._conninfo, autocommit=True)
        try:
            opener = False
            try:
                await conn.execute("SET log_min_messages = 'error'")
            except InsufficientPrivilege:
                opener = conn.info.server_version >= 180000
                if not opener and not self._warned:
                    self._warned = True
                    logger.warning(
                        "the server will log a warning for every read; to prevent it: "
                        "GRANT SET ON PARAMETER log_min_messages TO the role that connects"
                    )
            return Pipeline(
                conn,
                self._waiting,
                self._lost,
                depth=self._depth,
                prepared_max=self._prepared_max,
                opener=opener,
                watch=self._watcher,
            )
        except BaseException:
            await conn.close()
            raise

    async def _keep_connected(self, pipeline: Pipeline | None) -> None:
        """One place for a connection: fill it, replace what is lost at once and what is old in good order."""
        pause_s = BACKOFF_S[0]
        while True:
            if pipeline is not None:
                with contextlib.suppress(TimeoutError):
                    lifetime_s = self._max_lifetime_s * random.uniform(0.9, 1.1)  # noqa: S311 - to spread the load
                    await asyncio.wait_for(pipeline.gone.wait(), lifetime_s)
            try:
                fresh = await self._connect()
            except Exception as error:  # whatever it was, this place must not stay empty for ever
                self._last_error = str(error) or repr(error)
                await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311
                pause_s = min(pause_s * 2, BACKOFF_S[1])
                continue
            pause_s = BACKOFF_S[0]
            self._open.append(fresh)
            if pipeline in self._open:
                self._open.remove(pipeline)
                self._retired.append(pipeline)
                pipeline.retire()
            pipeline = fresh
            fresh.take_backlog()

    async def _watch(self) -> None:
        """The watchdog: silent servers, forgotten requests, reads that wait while there is no connection."""
        while True:
            await asyncio.sleep(TICK_S)
            for pipeline in self._open + self._retired:
                pipeline.tick(self._silence_ticks)
            self._retired = [pipeline for pipeline in self._retired if not pipeline.gone.is_set()]
            for _ in range(len(self._waiting)):
                request = self._waiting.popleft()
                if not request.future.done():
                    self._waiting.append(request)
            self._down_ticks = 0 if self._open else self._down_ticks + 1
            if self._down_ticks >= DOWN_TICKS:
                self._fail_waiting(self._last_error)

    def _fail_waiting(self, reason: str) -> None:
        while self._waiting:
            self._waiting.popleft().fail(DatabaseUnavailable(reason))


async def settle(pending: asyncio.Future[Rows] | ReadError) -> Rows | ReadError:
    """The answer, or the error as a value."""
    if isinstance(pending, ReadError):
        return pending
    try:
        return await pending
    except ReadError as error:
        return error


def reader_conninfo(conninfo: str, statement_timeout_ms: int) -> str:
    """The connection string with what every reading session is set to at connect, instead of per request."""
    settings = {
        "default_transaction_read_only": "on",
        "statement_timeout": f"{statement_timeout_ms}",
        "idle_in_transaction_session_timeout": f"{statement_timeout_ms + 5000}",
        "client_connection_check_interval": "1000",  # a statement ends soon after its connection was given up
        "client_min_messages": "error",  # SET LOCAL outside a block warns
        "timezone": "UTC",
        "datestyle": "ISO",
        "search_path": "",  # names are qualified, or they are wrong
        "jit": "off",
        # A compiled statement reads by key or along an index, up to a limit in its text: values hardly matter to
        # its plan. Left to itself, the server plans some statements at each use, which costs more than running them.
        "plan_cache_mode": "force_generic_plan",
        "random_page_cost": "1.1",  # what is read by the thousand is in memory, or on a disk without moving parts
    }
    given = conninfo_to_dict(conninfo)
    options = [str(given.get("options") or ""), *(f"-c {name}={value}" for name, value in settings.items())]
    return make_conninfo(
        conninfo,
        options=" ".join(options).strip(),
        application_name=given.get("application_name") or "plein reader",
        client_encoding="UTF8",
        connect_timeout=given.get("connect_timeout") or CONNECT_TIMEOUT_S,
    )
