"""One request or a batch of them on behalf of one caller: prepared, weighed, run.

Promises: what is run was examined, is within the limits and paid for; in a batch each request answers for itself, at
the same time as the others, but in order as soon as one of them writes. Knows nothing of HTTP but the errors.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import OperationType

from auth.audit import Client
from auth.viewer import Viewer
from gateway.callers import Caller, address_of
from gateway.context import NOWHERE, Payload, Square
from gateway.documents import Document, Prepared
from gateway.errors import Header, Refusal, problem_from
from gateway.federated_trace import traced
from gateway.rates import Rates
from gateway.request import GraphQLRequest
from gateway.request_id import current_request_id
from gateway.variables import coerce_variables
from schema.compiler.slices import sliced

ALLOW_POST: Header = (b"allow", b"POST")
REQUEST_COST = 1
LONG_TEXT = 2_000  # characters; examining a document takes some 20 microseconds for each


Whence = tuple[tuple[str, int] | None, bytes | None, bytes | None]
"""Where a request comes from, as it came: the peer's address, X-Forwarded-For and User-Agent."""


@dataclass(slots=True)
class Visit:
    """Who asks, at which site, by what right. `rates` is there where `payers` pay for it; `earned` tells of that."""

    viewer: Viewer
    here: str | None
    caller: Caller
    may_write: bool
    tells_cost: bool
    rates: Rates | None
    payers: tuple[Caller, ...] = ()
    earned: tuple[Header, ...] = ()
    whence: Whence = (None, None, None)
    traces: bool = False
    """Whether a gateway asks for a trace of how the answer was made."""


MakeVisit = Callable[[MutableMapping[str, Any], Mapping[bytes, bytes]], Awaitable[Visit]]
"""Who asks, by an ASGI scope and headers. Raises `Unauthenticated`."""


def is_simple(visit: Visit, request: GraphQLRequest) -> bool:
    """Whether nothing has to be waited for before the request can be run: then `prepare` does what `admit` would."""
    return visit.rates is None and (request.query is None or len(request.query) < LONG_TEXT)


async def run_batch(square: Square, visit: Visit, requests: Sequence[GraphQLRequest | Refusal]) -> bytes:
    """The bodies of the responses as a JSON array, in the order of the requests."""
    prepared = [await _prepared_or_error(square, visit, each) for each in requests]
    if any(isinstance(each, Prepared) and each.operation.type is OperationType.MUTATION for each in prepared):
        bodies = [await _run_or_tell(square, visit, each) for each in prepared]
    else:
        bodies = await asyncio.gather(*(_run_or_tell(square, visit, each) for each in prepared))
    return b"[" + b",".join(bodies) + b"]"


async def admit(square: Square, visit: Visit, request: GraphQLRequest) -> Prepared:
    """What is prepared, and paid for where there are rates: first for the request itself, so nonsense is not free."""
    rates = visit.rates
    if rates is not None:
        visit.earned = await rates.charge(visit.payers, REQUEST_COST)
    if request.query is None or len(request.query) < LONG_TEXT or square.documents.knows(request.query):
        prepared = prepare(square, visit, request)
    else:  # examining it takes long
        async with square.documents.turn(request.query):
            prepared = await sliced(lambda: prepare(square, visit, request))
    if rates is not None:
        visit.earned = await rates.charge(visit.payers, prepared.nodes)
    return prepared


def prepare(square: Square, visit: Visit, request: GraphQLRequest) -> Prepared:
    """Everything that can be done before anything is read, or paid."""
    document = _document(square, request)
    operation = document.operation(request.operation_name)
    if not visit.may_write and operation.type is OperationType.MUTATION:
        raise Refusal(405, "A mutation must be sent with POST.", headers=(ALLOW_POST,))
    hide = square.documents.hide_suggestions
    variables = coerce_variables(square.schema, operation.variables, request.variables, hide_suggestions=hide)
    nodes = -1
    if visit.rates is not None or visit.tells_cost:
        nodes = square.weigh(square, document, operation, variables)
    return Prepared(document, operation, variables, nodes)


def _document(square: Square, request: GraphQLRequest) -> Document:
    """The document that was sent, or that was named."""
    persisted, text = square.persisted, request.query
    if request.document_id is not None:
        return square.documents.get(persisted.by_id(request.document_id))
    if text is None:
        assert request.hash is not None
        return square.documents.get(persisted.by_hash(request.hash))
    if persisted.only:
        persisted.require_trusted(text)
    document = square.documents.get(text)
    if request.hash is not None:
        if request.hash != document.hash:
            message = "`sha256Hash` is not the hash of `query`."
            raise Refusal(400, message, field="extensions.persistedQuery.sha256Hash")
        persisted.register(request.hash, text)
    return document


def run_prepared(square: Square, visit: Visit, prepared: Prepared) -> Awaitable[bytes]:
    """The body of the response to what was prepared; raises where the request as a whole fails."""
    client = client_of(square, visit) if prepared.operation.type is OperationType.MUTATION else NOWHERE
    answer = square.execute(square, prepared, visit.viewer, visit.here, client)
    return _extended(square, visit, prepared, answer) if visit.traces or visit.tells_cost else answer


async def _extended(square: Square, visit: Visit, prepared: Prepared, answer: Awaitable[bytes]) -> bytes:
    """The answer with what is told beside it."""
    document, operation, variables, nodes = prepared
    if not visit.traces:
        return _with_cost(await answer, nodes)
    body, trace = await traced(answer, square.schema, document, operation, variables)
    extensions: dict[str, object] = {"ftv1": trace} | ({"cost": {"nodes": nodes}} if visit.tells_cost else {})
    return body[:-1] + b',"extensions":' + orjson.dumps(extensions) + b"}"


async def run_in_parts(square: Square, visit: Visit, prepared: Prepared) -> AsyncGenerator[Payload | bytes]:
    """The parts of the response to what was prepared, or its one body; raises before the first one."""
    nodes, is_first = prepared.nodes, True
    client = client_of(square, visit) if prepared.operation.type is OperationType.MUTATION else NOWHERE
    given = square.deliver(square, prepared, visit.viewer, visit.here, client)
    async with aclosing(given) as payloads:
        async for payload in payloads:
            if not is_first or not visit.tells_cost:
                yield payload
            elif isinstance(payload, bytes):
                yield _with_cost(payload, nodes)
            else:
                yield payload | {"extensions": {"cost": {"nodes": nodes}}}
            is_first = False


def _with_cost(body: bytes, nodes: int) -> bytes:
    return body[:-1] + b',"extensions":{"cost":{"nodes":%d}}}' % nodes


def client_of(square: Square, visit: Visit) -> Client:
    """Where a visit comes from, for the audit."""
    peer, forwarded_for, agent = visit.whence
    address = address_of(peer, forwarded_for, square.settings.proxies)
    return Client(address, (agent or b"").decode("latin-1"), visit.viewer.credential, current_request_id())


async def _prepared_or_error(square: Square, visit: Visit, request: GraphQLRequest | Refusal) -> Prepared | Exception:
    if isinstance(request, Refusal):
        return request
    try:
        return await admit(square, visit, request)
    except Exception as error:  # told in the place of its answer
        return error


async def _run_or_tell(square: Square, visit: Visit, prepared: Prepared | Exception) -> bytes:
    if isinstance(prepared, Prepared):
        try:
            return await run_prepared(square, visit, prepared)
        except Exception as error:  # the one map decides what is shown
            prepared = error
    return orjson.dumps({"errors": problem_from(prepared).errors})
