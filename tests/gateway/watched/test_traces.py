"""Traces: what a real OTLP receiver gets, by the conventions, and what it never gets."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.conftest import ProvisionSite
from tests.gateway.watched.square import watched

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"


@dataclass
class Receiver:
    """A collector, as far as traces go."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        """Take a request's body."""
        self.bodies.append(body)
        for batch in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append(values(batch.resource.attributes))
            self.spans += [span for scope in batch.scope_spans for span in scope.spans]

    def named(self, name: str) -> list[Span]:
        """The spans of this name."""
        return [span for span in self.spans if span.name == name]


def values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in attributes}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            assert self.headers["content-type"] == "application/x-protobuf"
            found.take(body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield found
        server.shutdown()


async def test_an_operation_is_a_span_with_its_steps_and_statements(
    receiver: Receiver, square_database: str, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    site = await provision_site()
    query = 'query Front { site(slug: "SLUG") { name content(first: 7, filter: {kinds: [BLOG]}) { totalCount } } }'
    query = query.replace("SLUG", site.slug)
    async with watched(square_database, tmp_path, PLEIN_OTLP_ENDPOINT=receiver.url) as square:
        answer = await square.ask(query, headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
        document = square.gateway.square.documents.get(query)
    assert answer.status_code == 200
    (span,) = receiver.named("query")
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, CALLER)
    assert span.kind == Span.SPAN_KIND_SERVER
    told = values(span.attributes)
    assert told["graphql.operation.name"] == "Front"
    assert told["graphql.operation.type"] == "query"
    assert "site(slug: ?)" in told["graphql.document"]
    assert "content(first: ?, filter: ?)" in told["graphql.document"]
    assert told["plein.document.hash"] == document.hash
    assert told["http.response.status_code"] == 200
    assert told["plein.request.id"] == answer.headers["x-request-id"]
    children = [each for each in receiver.spans if each.parent_span_id == span.span_id]
    assert {"graphql.parse", "graphql.validate", "graphql.plan"} <= {each.name for each in children}
    (statement,) = [each for each in children if values(each.attributes).get("plein.site") == site.slug]
    told = values(statement.attributes)
    assert statement.kind == Span.SPAN_KIND_CLIENT
    assert (told["db.system.name"], told["db.operation.name"]) == ("postgresql", "SELECT")
    assert "FROM site.content" in told["db.query.text"]
    for each in children:
        assert span.start_time_unix_nano <= each.start_time_unix_nano <= each.end_time_unix_nano
        assert each.end_time_unix_nano <= span.end_time_unix_nano
    assert receiver.resources[0]["service.name"] == "plein"


async def test_nothing_that_somebody_put_in_leaves_the_house(
    receiver: Receiver, square_database: str, tmp_path: Path
) -> None:
    async with watched(square_database, tmp_path, PLEIN_OTLP_ENDPOINT=receiver.url) as square:
        await square.ask(slug="hidden-variable")
        await square.ask('{ site(slug: "hidden-literal") { content(filter: {tag: "hidden-tag"}) { totalCount } } }')
        await square.ask(slug="none", headers={"authorization": "Bearer hidden-token"})
        await square.ask('{ nothing(of: "hidden-kind") }')
    assert len([span for span in receiver.spans if span.kind == Span.SPAN_KIND_SERVER]) == 4
    assert [body for body in receiver.bodies if b"hidden" in body] == []


async def test_what_failed_by_our_fault_is_a_failed_span_and_a_callers_mistake_is_not(
    receiver: Receiver, square_database: str, tmp_path: Path
) -> None:
    async with watched(square_database, tmp_path, PLEIN_OTLP_ENDPOINT=receiver.url) as square:
        await square.ask("{ nothing }")
        await square.gateway.square.reader.close()
        assert (await square.ask(slug="utrecht")).status_code == 503
        await square.gateway.square.reader.open()
    (refused,) = receiver.named("GraphQL Operation")
    assert values(refused.attributes)["error.type"] == "GRAPHQL_VALIDATION_FAILED"
    assert refused.status.code == refused.status.STATUS_CODE_UNSET
    (failed,) = receiver.named("query")
    assert values(failed.attributes)["error.type"] == "UNAVAILABLE"
    assert failed.status.code == failed.status.STATUS_CODE_ERROR


async def test_the_caller_says_whether_it_is_traced_and_else_the_percentage(
    receiver: Receiver, square_database: str, tmp_path: Path
) -> None:
    environ = {"PLEIN_OTLP_ENDPOINT": receiver.url, "PLEIN_OTLP_SAMPLE_PERCENT": "0"}
    async with watched(square_database, tmp_path, **environ) as square:
        await square.ask("query Untold { __typename }")
        await square.ask("query Wanted { __typename }", headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
        await square.ask("query Unwanted { __typename }", headers={"traceparent": f"00-{TRACE}-{CALLER}-00"})
        await square.ask("query Broken { __typename }", headers={"traceparent": "nonsense"})
    assert [values(span.attributes)["graphql.operation.name"] for span in receiver.named("query")] == ["Wanted"]


async def test_a_collector_that_is_not_there_harms_nothing(square_database: str, tmp_path: Path) -> None:
    async with watched(square_database, tmp_path, PLEIN_OTLP_ENDPOINT="http://127.0.0.1:9") as square:
        assert (await square.ask("{ __typename }")).status_code == 200
