"""The one who watches: makes records, hands them to whoever tells of them, and stands around what is watched.

Promises: where nothing is on, it stands around nothing, and what it was given is used as it is.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auth.audit import Client
from auth.viewer import Viewer
from gateway.context import NOWHERE, Deliver, Execute, Payload, Square
from gateway.documents import Prepared
from gateway.errors import code_of
from gateway.record import Record, begin_record, current_record, end_record
from gateway.request_id import current_request_id
from gateway.settings import Settings
from gateway.telemetry.logs import request_fields
from gateway.telemetry.slow import SlowStatements
from gateway.telemetry.tally import Snapshot, Tally
from gateway.telemetry.timing import is_asked, server_timing
from gateway.watching import Requests, Timing
from tenants.watch import Ran, Watch

if TYPE_CHECKING:
    from gateway.telemetry.traces import Traces

NOBODY_WAITED = "CLIENT_GONE"
# W3C: version, trace, parent, flags; all zeros mean none.
TRACEPARENT = re.compile(rb"[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

logger = logging.getLogger("plein.request")


class Telemetry:
    """Watches one process. `asked` and `ran` make it a `Watch` of statements."""

    def __init__(self, settings: Settings) -> None:
        watching = settings.watching
        self._watching = watching
        self._conninfo = settings.database_url or ""
        self._timing = watching.server_timing
        self._tally: Tally | None = None
        self._traces: Traces | None = None
        self._slow: SlowStatements | None = None
        self._counts = watching.metrics_port is not None
        self._is_recording = (
            self._counts or watching.otlp_endpoint is not None or watching.log_requests is not Requests.OFF
        )
        self.is_tracing = watching.otlp_endpoint is not None
        self._may_record = self._is_recording or self._timing is not Timing.OFF
        self.slow_s = watching.slow_query_ms / 1000 if watching.slow_query_ms else float("inf")

    @property
    def watch(self) -> Watch | None:
        """Who is to be told of statements, if anybody."""
        return self if self._may_record or self._watching.slow_query_ms else None

    @asynccontextmanager
    async def watching(self, gauges: Callable[[], Mapping[str, float]]) -> AsyncIterator[None]:
        """Watch while the block lasts. `gauges` gives what the process holds."""
        watching = self._watching
        if self._counts:
            self._tally = Tally(gauges)
        if watching.slow_query_ms:
            self._slow = SlowStatements(self._conninfo)
        if watching.otlp_endpoint is not None:
            from gateway.telemetry.traces import Traces  # noqa: PLC0415 - 0.2 s, for those who want it

            self._traces = Traces(watching.otlp_endpoint, watching.otlp_sample_percent)
        try:
            yield
        finally:
            if self._slow is not None:
                await self._slow.close()
            if self._traces is not None:
                await self._traces.close()

    def snapshot(self) -> Snapshot | None:
        """The numbers for `/metrics`, if anybody counts. To be called in the event loop."""
        return None if self._tally is None else self._tally.snapshot()

    asked = staticmethod(current_record)
    """Whose statement this is."""

    def ran(self, ran: Ran) -> None:
        """A statement has come to its end."""
        if ran.asked.caller is not None:
            ran.asked.caller.note(ran)
        if self._slow is not None and ran.took_s >= self.slow_s:
            if self._tally is not None:
                self._tally.add_slow()
            self._slow.tell(ran)

    def endpoint(self, app: ASGIApp) -> ASGIApp:
        """The endpoint, watched: each HTTP request gets a record."""
        return _Endpoint(app, self) if self._may_record else app

    def executing(self, execute: Execute) -> Execute:
        """The executor, watched: the record learns which operation it is about."""
        if not self._may_record:
            return execute

        async def watched(
            square: Square, prepared: Prepared, viewer: Viewer, here: str | None, client: Client = NOWHERE
        ) -> bytes:
            outer = current_record()
            if outer is None and not self._is_recording:
                return await execute(square, prepared, viewer, here, client)
            record, token = outer, None
            # One request may hold several operations, and a socket brings them without any request.
            if record is None or record.document is not None or record.ended:
                record = _beside(outer)
                token = begin_record(record)
            record.execute(prepared)
            try:
                return await execute(square, prepared, viewer, here, client)
            except Exception as error:
                if token is not None:
                    record.codes.append(code_of(error))
                raise
            finally:
                if token is not None:
                    end_record(token)
                    record.finish()
                    self.tell(record)

        return watched

    def delivering(self, deliver: Deliver) -> Deliver:
        """The same for answers in parts: each record is told when the last part is there."""
        if not self._may_record:
            return deliver

        async def watched(
            square: Square, prepared: Prepared, viewer: Viewer, here: str | None, client: Client = NOWHERE
        ) -> AsyncGenerator[Payload | bytes]:
            record = current_record()
            is_own = record is None or record.document is not None or bool(record.ended)
            if is_own:
                record = _beside(record)
                begin_record(record)  # for as long as the task of this operation lasts
            assert record is not None
            record.execute(prepared)
            record.goes_on = True
            try:
                async with aclosing(deliver(square, prepared, viewer, here, client)) as payloads:
                    async for payload in payloads:
                        yield payload
            except Exception as error:
                if is_own:
                    record.codes.append(code_of(error))
                raise
            finally:
                if is_own:
                    record.finish()
                    self.tell(record)

        return watched

    def wants(self, scope: Scope) -> tuple[bool, bool]:
        """Whether this request is to be recorded, and whether its answer is to tell where the time went."""
        timed = self._timing is Timing.ON or (self._timing is Timing.ASKED and is_asked(scope["headers"]))
        return self._is_recording or timed, timed

    def tell(self, record: Record) -> None:
        """Tell whoever wants to know of a finished record."""
        if not self._is_recording:
            return
        if self._traces is not None:
            self._traces.tell(record)
        if self._tally is not None:
            self._tally.add(record)
        requests = self._watching.log_requests
        if requests is Requests.ALL or (requests is Requests.FAILED and record.codes):
            logger.info("request", extra={"fields": request_fields(record)})


class _Endpoint:
    """Stands around the endpoint: a record from the first header to the answer."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        recorded, timed = self._telemetry.wants(scope)
        if not recorded:
            await self._app(scope, receive, send)
            return
        record = Record("http")
        record.method = scope["method"]
        if self._telemetry.is_tracing:
            record.parent = _parent(scope)
        told = False

        async def watched(message: Message) -> None:
            nonlocal told
            if message["type"] == "http.response.start":
                record.status = message["status"]
                record.request_id = current_request_id()
                record.finish()
                if timed:
                    message["headers"] = [*message.get("headers", ()), server_timing(record)]
            await send(message)
            if told or message["type"] != "http.response.body":
                return
            if not record.goes_on or not message.get("more_body"):  # a stream may go on for hours
                told = True
                if record.goes_on:
                    record.finish()
                self._telemetry.tell(record)

        token = begin_record(record)
        try:
            # Not at once (see `gateway.at_once`): the answer is to be seen on its way.
            await self._app({**scope, "extensions": {}}, receive, watched)
        finally:
            end_record(token)
            if not told:
                record.codes.insert(0, NOBODY_WAITED)
                record.finish()
                self._telemetry.tell(record)


def _parent(scope: Scope) -> tuple[str, str] | None:
    """What the caller says of the trace that this is part of, if it can be understood."""
    given = {name: value for name, value in scope["headers"] if name in {b"traceparent", b"tracestate"}}
    if TRACEPARENT.fullmatch(given.get(b"traceparent", b"")) is None:
        return None
    return given[b"traceparent"].decode(), given.get(b"tracestate", b"").decode("latin-1")


def _beside(outer: Record | None) -> Record:
    """A record for an operation that has no request of its own."""
    record = Record("stream" if outer is None or outer.ended else outer.transport)
    record.request_id = current_request_id()
    if outer is not None:
        record.parent, record.method = outer.parent, outer.method
    return record
