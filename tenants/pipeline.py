"""One connection of the reader: pipelined messages on libpq, one segment per request.

A segment is [Close of evicted statements][SET LOCAL ROLE][Parse, once][statement][Sync]: its own implicit transaction.
The server answers segments in the order they were sent and libpq ends each with a PIPELINE_SYNC; `flight` is that order
on our side. The results of a segment are counted against the messages it sent, and any difference drops the
connection: an answer reaches its own request or none.

Promises: a statement never runs when its role could not be set (the server skips the rest of the segment), a failed
segment touches no other, a cancelled request loses its own answer only. Never blocks, opens no thread, and leaves
retrying a lost connection's requests to its owner.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import repeat
from time import perf_counter
from typing import TYPE_CHECKING, Any

from psycopg import AsyncConnection, pq
from psycopg import Error as PsycopgError
from psycopg.pq.abc import PGconn, PGresult

from tenants.errors import ReadError, StatementFailed, StatementTimeout
from tenants.libpq import sync_of
from tenants.prepared import PreparedStatements
from tenants.watch import Asked, Ran, Watch

if TYPE_CHECKING:
    from tenants.reader import Statement

Rows = list[tuple[bytes | None, ...]]

# Plain ints: on the hot path a comparison with an enum member costs more than the call that gives the status.
COMMAND_OK = int(pq.ExecStatus.COMMAND_OK)
TUPLES_OK = int(pq.ExecStatus.TUPLES_OK)
FATAL_ERROR = int(pq.ExecStatus.FATAL_ERROR)
PIPELINE_SYNC = int(pq.ExecStatus.PIPELINE_SYNC)
PIPELINE_ABORTED = int(pq.ExecStatus.PIPELINE_ABORTED)
CONNECTION_BAD = int(pq.ConnStatus.BAD)

# What a prepared statement says when it went stale: it is gone, or DDL changed the type of its result.
STALE = frozenset({"26000", "0A000"})
# Makes the segment a transaction block for what follows, and does nothing else (see `opener`).
BLOCK_OPENER = b"UNLISTEN *"

UNWANTED_TICKS = 2  # what takes no longer is cheaper to let end than to connect again
OUT_OF_STEP = "the server's answers do not match the requests"


class ConnectionLost(Exception):  # noqa: N818
    """Inside this file: nothing more that comes from this connection can be used."""


class Request:
    """One read: what to send, whom to tell, and what its segment on the wire looks like."""

    name: bytes | None  # prepared statement its segment uses
    parse_at: int  # which message of the segment prepares it
    messages: int  # how many results come before the segment's sync

    __slots__ = (
        *("at", "caller", "future", "key", "messages", "name", "params", "parse_at", "plain", "resent", "sent"),
        "statement",
    )

    def __init__(self, statement: Statement, params: Sequence[bytes | None], future: asyncio.Future[Rows]) -> None:
        self.statement = statement
        self.key = statement.key
        self.params = params
        self.future = future
        self.plain = False  # prepared statements went stale under it: send the text
        self.resent = False  # was lost with a connection before
        self.caller: Any = None  # who wants to know of it, where statements are watched
        self.at = self.sent = 0.0  # when it was asked for, and when it went on the wire; 0 where nobody watches

    def fail(self, error: Exception) -> None:
        """Tell the caller, if it still waits."""
        if not self.future.done():
            self.future.set_exception(error)


class Pipeline:
    """An open libpq connection in pipeline mode and the requests in flight on it."""

    def __init__(
        self,
        connection: AsyncConnection[Any],
        backlog: deque[Request],
        on_lost: Callable[[Pipeline, list[Request], str], None],
        *,
        depth: int,
        prepared_max: int,
        opener: bool,
        watch: Watch | None,
    ) -> None:
        """Take over an idle `connection`; `backlog` holds the requests that any pipeline with room may send.

        `opener`: start every segment with BLOCK_OPENER. A SET LOCAL that comes first in its segment is a warning in
        the server's log; from PostgreSQL 18 on it is not when another command came before it.
        """
        self.flight: deque[Request] = deque()
        self.gone = asyncio.Event()  # closed, by whatever cause
        self.prepared = PreparedStatements(prepared_max)
        self._connection = connection  # only so that it lives as long as what it wraps
        self._conn = connection.pgconn
        self._backlog = backlog
        self._on_lost = on_lost
        self._depth = depth
        self._opener = opener
        self._watch = watch
        self._answered = 0.0  # when the latest answer was complete: the server runs one statement after the other
        self._step = 0  # results of the head's segment seen so far
        self._outcome: Rows | ReadError | None = None  # what the head will be told
        self._silent_ticks = 0
        self._retiring = False
        self._flushing = False  # will send at the end of this turn
        self._writing = False  # sends on when the socket has room again
        self._sync = sync_of(self._conn)
        self._loop = asyncio.get_running_loop()
        self._fd = self._conn.socket
        self._conn.nonblocking = 1
        self._conn.enter_pipeline_mode()
        self._loop.add_reader(self._fd, self._on_readable)

    def send(self, request: Request) -> None:
        """Put one segment on its way. Whatever happens, the request is answered through its future."""
        if not self.flight:
            self._silent_ticks = 0
        self.flight.append(request)
        if request.at:
            request.sent = perf_counter()
        conn = self._conn
        try:
            try:
                self._send_messages(conn, request)
            except (TypeError, ValueError) as error:  # parameters that libpq cannot take; what was sent must be closed
                request.fail(error)
            if self._sync() == 0:
                self.lose(conn.get_error_message())
            elif not self._flushing:
                self._flushing = True
                self._loop.call_soon(self._flush)
        except Exception as error:  # half a segment may be on its way
            self.lose(str(error) or repr(error))

    def _flush(self) -> None:
        """Send what this turn of the loop has gathered: the server is woken once for all of it."""
        self._flushing = False
        if self._writing or self.gone.is_set():
            return
        try:
            if self._conn.flush():
                self._writing = True
                self._loop.add_writer(self._fd, self._on_writable)
        except PsycopgError as error:
            self.lose(str(error))

    def _send_messages(self, conn: PGconn, request: Request) -> None:
        """Everything but the Sync; `request.messages` is right even when this raises half-way."""
        key, prepared = request.key, self.prepared
        messages = 1  # the role
        if prepared.to_close:  # first of all, so that no failure can skip it
            for evicted in prepared.to_close:
                conn.send_close_prepared(evicted)
                messages += 1
            prepared.to_close.clear()
        if self._opener:
            conn.send_query_params(BLOCK_OPENER, None)
            messages += 1
        conn.send_query_params(key[1], None)
        name = None if request.plain else prepared.find(key)
        request.name, request.parse_at, request.messages = name, -1, messages  # so far
        if name is None and not request.plain and (name := prepared.admit(key)) is not None:
            request.name = name
            conn.send_prepare(name, key[0].encode())
            request.parse_at = messages
            messages += 1
            request.messages = messages
        if name is not None:
            conn.send_query_prepared(name, request.params)
        else:
            conn.send_query_params(key[0].encode(), request.params)
        request.messages = messages + 1

    def _on_readable(self) -> None:
        """Bytes have arrived: answer what they complete, then make use of the room."""
        self._silent_ticks = 0
        try:
            self._conn.consume_input()
            self._take_results()
        except Exception as error:  # whatever it was, what follows could no longer be told apart
            self.lose(str(error) or repr(error))
        if self._retiring:
            if not self.flight:
                self._close()
        elif self._backlog:
            self.take_backlog()

    def _take_results(self) -> None:
        """Result by result, each counted; a request is answered at the sync of its segment."""
        flight = self.flight
        is_busy = self._conn.is_busy
        get_result = self._conn.get_result
        while flight and not is_busy():
            head = flight[0]
            result = get_result()
            if result is None:
                raise ConnectionLost(OUT_OF_STEP)
            status = result.status
            if status == PIPELINE_SYNC:
                if self._step != head.messages:
                    raise ConnectionLost(OUT_OF_STEP)
                self._step = 0
                flight.popleft()
                self._answer(head)
                continue
            # Every message but Sync gives one result and then a None, which libpq has at hand: no waiting here.
            if self._step == head.messages or get_result() is not None:
                raise ConnectionLost(OUT_OF_STEP)
            self._step += 1
            if status == TUPLES_OK:
                if self._step != head.messages or self._outcome is not None:
                    raise ConnectionLost(OUT_OF_STEP)
                if not head.future.done():
                    self._outcome = read_rows(result)
            elif status != COMMAND_OK:
                self._note_failure(head, result, status)

    def _note_failure(self, head: Request, result: PGresult, status: int) -> None:
        """Keep the first error of the head's segment; a Parse that did not happen prepared nothing."""
        if status == FATAL_ERROR:
            severity = result.error_field(pq.DiagnosticField.SEVERITY_NONLOCALIZED)
            if severity != b"ERROR" or self._conn.status == CONNECTION_BAD:
                raise ConnectionLost(result.get_error_message())
            if self._outcome is None:
                self._outcome = failure_of(result)
        elif status != PIPELINE_ABORTED:  # a COPY, an empty query: nothing that is a read
            self._outcome = StatementFailed("0A000", "the statement is not a query")
        if self._step - 1 == head.parse_at and head.name is not None:
            self.prepared.forget(head.key, head.name, close=False)

    def _answer(self, head: Request) -> None:
        """The head's segment is complete: tell the caller, or send it again when its prepared statement was stale."""
        outcome = self._outcome
        self._outcome = None
        if self._watch is not None:
            self._tell(head, self._watch, outcome)
        future = head.future
        if future.done():  # cancelled: its answer is dropped here
            return
        if not isinstance(outcome, ReadError):
            future.set_result([] if outcome is None else outcome)
        elif head.name is not None and isinstance(outcome, StatementFailed) and outcome.sqlstate in STALE:
            self.prepared.forget(head.key, head.name, close=True)
            head.plain = True
            self.send(head)
        else:
            future.set_exception(outcome)

    def _tell(self, head: Request, watch: Watch, outcome: Rows | ReadError | None) -> None:
        """Tell of the head's statement, if anybody wants to know."""
        began, now = max(head.sent, self._answered), perf_counter()
        self._answered = now
        if head.caller is not None or now - began >= watch.slow_s:
            statement = head.statement
            asked = Asked(watch, head.caller, head.at, statement.role, statement.operation, statement.site)
            error = outcome.sqlstate if isinstance(outcome, StatementFailed) else None
            watch.ran(Ran(statement.text, len(head.params), asked, began, now, error))

    def take_backlog(self) -> None:
        """Send waiting requests for as long as there is room."""
        backlog = self._backlog
        while backlog and len(self.flight) < self._depth and not self._retiring:
            request = backlog.popleft()
            if not request.future.done():
                self.send(request)

    def _on_writable(self) -> None:
        """Send on what did not fit in the socket's buffer."""
        try:
            if not self._conn.flush():
                self._loop.remove_writer(self._fd)
                self._writing = False
        except PsycopgError as error:
            self.lose(str(error))

    def tick(self, limit: int) -> None:
        """Count a watchdog turn in which nothing came although something is owed; at `limit` drop the connection.

        Turns, not seconds: a gateway that was itself asleep must not blame the server. A statement that nobody waits
        for any more is given up much sooner: what is behind it is sent again elsewhere, and the server ends it when it
        finds nobody at the other end. To cancel it could hit the statement after it.
        """
        if self.flight:
            self._silent_ticks += 1
            if self._silent_ticks >= limit:
                self.lose("the server was silent for too long")
            elif self._silent_ticks >= UNWANTED_TICKS and self.flight[0].future.done():
                self.lose("nobody waits any more for the statement that it runs")

    def retire(self) -> None:
        """Take nothing new from the backlog, and close once all that is in flight is answered."""
        self._retiring = True
        if not self.flight:
            self._close()

    def lose(self, reason: str) -> None:
        """Drop the connection now; the requests in flight go to its owner."""
        if self.gone.is_set():
            return
        requests = list(self.flight)
        self.flight.clear()
        self._retiring = True
        self._close()
        self._on_lost(self, requests, reason)

    def _close(self) -> None:
        if not self.gone.is_set():
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._conn.finish()
            self.gone.set()


def read_rows(result: PGresult) -> Rows:
    """All rows, each value as the server's text."""
    value = result.get_value
    columns = range(result.nfields)
    return [tuple(map(value, repeat(row), columns)) for row in range(result.ntuples)]


def failure_of(result: PGresult) -> StatementFailed:
    """The server's error as ours."""
    sqlstate = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"XX000").decode()
    message = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode(errors="replace")
    return (StatementTimeout if sqlstate == "57014" else StatementFailed)(sqlstate, message)
