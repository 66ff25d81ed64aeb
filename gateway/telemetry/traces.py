"""Spans of operations, by OpenTelemetry's conventions for GraphQL, HTTP and databases, sent as OTLP over HTTP.

Promises: made from a finished record, so that nothing on the way waits for them; a caller's `traceparent` is taken up,
its sampling decision too; documents and statements are normalised, and there is no variable, no parameter and no
account in any of them. Sent in batches by a thread of the SDK's; what cannot be sent in time is dropped.
"""

from __future__ import annotations

import asyncio
import random
from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, format_trace_id, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.record import Record
from gateway.telemetry.normal import normal_document, normal_sql

if TYPE_CHECKING:
    from gateway.documents import Document
    from tenants.watch import Ran

PATH = "/v1/traces"
END_S = 3.0  # how long the end of the process waits for the last batch
FAULTS = frozenset({"INTERNAL_SERVER_ERROR", "UNAVAILABLE"})  # ours; all others are the caller's, and no failed span

Attributes = dict[str, str | int | float]


class Traces:
    """Where spans go. Opened with the process, closed with it."""

    def __init__(self, endpoint: str, sample_percent: int) -> None:
        """`endpoint`: the collector's address; `/v1/traces` is added, as the SDK's own variable has it."""
        self._provider = TracerProvider(
            sampler=ParentBased(ALWAYS_ON),  # who has no caller that decides was drawn by lot before
            # `create` adds what stands in OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME, which whoever deploys sets.
            resource=Resource.create({"service.name": "plein"}),
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + PATH, timeout=END_S)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer: Tracer = self._provider.get_tracer("plein")
        self._propagator = TraceContextTextMapPropagator()
        self._share = sample_percent / 100
        self._texts: WeakKeyDictionary[Document, str] = WeakKeyDictionary()

    async def close(self) -> None:
        """Send what is left, within some seconds."""
        await asyncio.to_thread(self._provider.force_flush, int(END_S * 1000))
        await asyncio.to_thread(self._provider.shutdown)

    def tell(self, record: Record) -> None:
        """The span of a finished record with its children, if it is drawn; the record learns its trace id."""
        if record.parent is None and random.random() >= self._share:  # noqa: S311 - the SDK's lot costs 30 µs
            return
        offset_ns = record.began_ns - int(record.began * 1e9)  # from the clock that measures to the one that tells time

        def at(moment: float) -> int:
            return offset_ns + int(moment * 1e9)

        parent = Context()
        if record.parent is not None:
            carried = dict(zip(("traceparent", "tracestate"), record.parent, strict=True))
            parent = self._propagator.extract(carried, parent)
        name = record.type or "GraphQL Operation"
        span = self._tracer.start_span(name, parent, SpanKind.SERVER, start_time=record.began_ns)
        record.trace_id = format_trace_id(span.get_span_context().trace_id)
        if span.is_recording():
            span.set_attributes(self._attributes(record))
            if record.code in FAULTS:
                span.set_status(Status(StatusCode.ERROR))
            inside = set_span_in_context(span, parent)
            for step, began, ended in record.steps:
                child = self._tracer.start_span(f"graphql.{step}", inside, start_time=at(began))
                child.end(at(ended))
            for ran in record.statements:
                self._statement(ran, inside, at(ran.began), at(ran.ended))
        span.end(at(record.ended))

    def _attributes(self, record: Record) -> Attributes:
        found: dict[str, str | int | float | None] = {
            "graphql.operation.type": record.type or None,
            "graphql.operation.name": record.operation,
            "plein.request.id": record.request_id or None,
            "plein.statements": record.statement_count,
            "plein.sites": len(record.sites),
        }
        if record.document is not None:
            found |= {"graphql.document": self._text(record.document), "plein.document.hash": record.document.hash}
        if record.status:
            found |= {
                "http.request.method": record.method,
                "http.route": "/graphql",
                "url.path": "/graphql",
                "http.response.status_code": record.status,
            }
        if record.codes:
            found["error.type"] = record.code
        return {name: value for name, value in found.items() if value is not None}

    def _statement(self, ran: Ran, inside: Context, began_ns: int, ended_ns: int) -> None:
        text = _sql(ran.text)
        word = text.partition(" ")[0].upper()
        # Compiled reads begin with a table expression, which is no operation of its own.
        verb = "SELECT" if word in {"WITH", "("} else word
        found: Attributes = {"db.system.name": "postgresql", "db.operation.name": verb, "db.query.text": text}
        found["plein.waited_ms"] = round((ran.began - ran.asked.at) * 1000, 3)
        if ran.asked.site is not None:
            found["plein.site"] = ran.asked.site
        if ran.error is not None:
            found |= {"db.response.status_code": ran.error, "error.type": ran.error}
        child = self._tracer.start_span(verb, inside, SpanKind.CLIENT, attributes=found, start_time=began_ns)
        if ran.error is not None:
            child.set_status(Status(StatusCode.ERROR))
        child.end(ended_ns)

    def _text(self, document: Document) -> str:
        text = self._texts.get(document)
        if text is None:
            text = self._texts[document] = normal_document(document.ast)
        return text


@lru_cache(maxsize=2_000)
def _sql(text: str) -> str:
    return normal_sql(text)
