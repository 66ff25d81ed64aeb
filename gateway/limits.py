"""How much a request may ask for: the numbers, and the error for what asks for more.

Promises: the error names the limit and its number. Never counts anything: that is done where it comes up.
"""

from __future__ import annotations

from dataclasses import dataclass

from schema.errors import ErrorCode, PleinError


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one request may ask for. Where the numbers come from stands beside them."""

    body_bytes: int = 1_048_576
    tokens: int = 10_000  # parsing costs about 6 microseconds per token
    depth: int = 15  # what the standard introspection query needs
    aliases: int = 100
    root_fields: int = 20
    directives: int = 50
    definitions: int = 200  # operations and fragments in one document
    fields: int = 2_000  # with every fragment counted wherever it is spread
    merges: int = 10_000  # pairs of fields that fall together; comparing them all takes some 50 milliseconds
    nodes: int = 10_000
    representations: int = 1_000  # a gateway sends one for each thing on its page, and a page has 100 things at most
    introspection: int = 30_000  # the standard query asks for 8,000, in 20 milliseconds
    batch: int = 10
    concurrency: int = 100  # a browser tab uses 6, a page that has many lists open perhaps 20
    streams: int = 500  # a caller may be all of an office behind one address
    time_ms: int = 10_000
    operations: int = 100
    waiting: int = 200  # a client that lags by more is better off reading anew


UNITS = {
    "body_bytes": "bytes in the body",
    "tokens": "tokens in a document",
    "depth": "levels of fields",
    "aliases": "aliases",
    "root_fields": "root fields in an operation",
    "directives": "directives",
    "definitions": "operations and fragments in a document",
    "fields": "fields, counting a fragment wherever it is spread",
    "merges": "pairs of fields with the same name in the same place",
    "nodes": "nodes in an answer",
    "representations": "representations for `_entities`",
    "introspection": "fields in an answer about the schema",
    "batch": "requests in one body",
    "concurrency": "requests of one caller at once",
    "streams": "WebSockets and event streams of one caller at once",
    "time_ms": "milliseconds for a request",
    "operations": "operations at once on a WebSocket or an event stream",
    "waiting": "messages that wait to be sent on a WebSocket or an event stream",
    "subscriptions": "subscriptions on this server; connect to another, or come back later",
}


def limit_exceeded(name: str, most: int, *, asked: int | None = None) -> PleinError:
    """The error for a limit that was hit: it names the limit and its number, and what was asked for where known."""
    asked_for = "" if asked is None else f" This one asks for {asked}."
    return PleinError(ErrorCode.LIMIT_EXCEEDED, f"Limit `{name}` exceeded: at most {most} {UNITS[name]}.{asked_for}")
