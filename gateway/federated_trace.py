"""Federated tracing: where the time of one operation went, for a gateway that asks with `ftv1`.

The trace is Apollo's `Trace` message (start, end, and a node for each root field with its type, its time and its
errors), encoded as its protocol buffer says and told in base64 under `extensions.ftv1`. Promises: made only when asked
for, and only where `Server-Timing` is told on request; it holds nothing that answer and document do not. What is
below a root field is compiled into statements, so there is no time of single fields to tell.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Iterator, Sequence
from contextvars import ContextVar
from time import perf_counter_ns, time_ns
from typing import Any

import orjson

from gateway.documents import Document, Operation
from schema.compiler.selection import Operation as Selection
from schema.compiler.selection import Selected, collect

HEADER = b"apollo-federation-include-trace"
FORMAT = b"ftv1"

Spans = dict[str, tuple[int, int]]
"""When each root field began and ended, by its key, in nanoseconds of `perf_counter_ns`."""

_SPANS: ContextVar[Spans | None] = ContextVar("spans", default=None)


def current_spans() -> Spans | None:
    """Where the times of root fields are to be noted, if somebody asked for them."""
    return _SPANS.get()


async def timed(spans: Spans, key: str, field: Awaitable[bytes]) -> bytes:
    """A root field's JSON; how long it took is noted."""
    began = perf_counter_ns()
    try:
        return await field
    finally:
        spans[key] = (began, perf_counter_ns())


async def traced(
    answer: Awaitable[bytes], schema: Any, document: Document, operation: Operation, variables: dict[str, Any]
) -> tuple[bytes, str]:
    """The body of an answer, and the trace of how it was made."""
    spans: Spans = {}
    token, started_at, began = _SPANS.set(spans), time_ns(), perf_counter_ns()
    try:
        body = await answer
    finally:
        _SPANS.reset(token)
    ended = perf_counter_ns()
    root = schema.get_root_type(operation.type)
    fields = collect(Selection(schema, document.fragments, variables), root, (operation.node.selection_set,))
    errors = orjson.loads(body)["errors"] if body.startswith(b'{"errors"') else []
    children = [_field(each, errors, spans.get(each.key, (began, ended)), began) for each in fields]
    trace = (
        _message(4, _timestamp(started_at))
        + _message(3, _timestamp(started_at + ended - began))
        + _number(11, ended - began)
        + _message(14, b"".join(_message(12, child) for child in children))
    )
    return body, b64encode(trace).decode()


def _field(field: Selected, errors: Sequence[dict[str, Any]], span: tuple[int, int], began: int) -> bytes:
    """A root field as a node."""
    output = "String!" if field.name == "__typename" else str(field.definition.type if field.definition else "")
    node = _text(1, field.key) + _text(3, output) + _text(13, field.parent.name)
    node += _number(8, span[0] - began) + _number(9, span[1] - began)
    if field.key != field.name:
        node += _text(14, field.name)
    own = (each for each in errors if each.get("path", [None])[0] == field.key)
    return node + b"".join(_message(11, b"".join(_error(each))) for each in own)


def _error(error: dict[str, Any]) -> Iterator[bytes]:
    yield _text(1, error["message"])
    for place in error.get("locations") or ():
        yield _message(2, _number(1, place["line"]) + _number(2, place["column"]))
    yield _text(4, orjson.dumps(error).decode())


def _timestamp(moment_ns: int) -> bytes:
    seconds, nanoseconds = divmod(moment_ns, 1_000_000_000)
    return _number(1, seconds) + _number(2, nanoseconds)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _message(field, value.encode())


def _message(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
