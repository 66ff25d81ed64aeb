"""GraphQL over HTTP: one ASGI endpoint for `POST` and `GET`, by the GraphQL-over-HTTP specification.

Promises: whatever a client sends gets a coded error with the right status, never a 5xx; the answer is in the media type
that was asked for. It is the hot path, so it reads ASGI messages itself. A page of another origin cannot make it write:
it takes JSON only, which browsers ask leave for first, `GET` never writes, and a session's cookie counts for pages of
the same origin only. Never decides what a viewer may see.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple, NoReturn

import orjson
from starlette.types import Message, Receive, Scope, Send

from auth.errors import Unauthenticated
from auth.sessions import SQUARE
from auth.viewer import ANONYMOUS
from gateway.at_once import EXTENSION, Exchange
from gateway.callers import Crowd, caller_of, payers_of
from gateway.clock import Clock
from gateway.compression import LEAST_BYTES, accepted_coding, compressed
from gateway.context import Square
from gateway.cookies import SESSION, Cookies
from gateway.documents import Prepared
from gateway.errors import Header, Refusal, problem_from
from gateway.federated_trace import FORMAT as FTV1
from gateway.federated_trace import HEADER as TRACE
from gateway.hosts import site_here
from gateway.limits import limit_exceeded
from gateway.media import (
    EVENT_STREAM,
    GRAPHQL_RESPONSE,
    JSON,
    MULTIPART,
    Parts,
    accepted_media,
    accepted_parts,
    is_json,
)
from gateway.origins import PREFLIGHT, Origins
from gateway.over_multipart import Rest, multipart_type, only_part
from gateway.over_sse import METHODS as STREAM_METHODS
from gateway.over_sse import TOKEN as STREAM_TOKEN
from gateway.over_sse import GraphQLOverSSE
from gateway.request import Batch, GraphQLRequest, from_json, from_query_string
from gateway.request_id import HEADER as REQUEST_ID
from gateway.request_id import begin_request
from gateway.same_origin import is_same_origin
from gateway.visit import Visit, admit, is_simple, prepare, run_batch, run_in_parts, run_prepared
from gateway.watching import Timing
from schema.errors import ErrorCode, PleinError

ALLOW: Header = (b"allow", b"GET, HEAD, POST, OPTIONS")
CLOSE: Header = (b"connection", b"close")
# Answers depend on who asks and when, so nobody on the way may keep them; a persisted document may be asked for again.
NO_STORE: tuple[Header, ...] = ((b"cache-control", b"no-store"),)
ASK_AGAIN: Header = (b"cache-control", b"private, no-cache")
VARY: Header = (b"vary", b"accept, accept-encoding, authorization, cookie, origin")
COMMON: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"), VARY)
HEADERS = {media: ((b"content-type", media + b"; charset=utf-8"), *COMMON) for media in (GRAPHQL_RESPONSE, JSON)}
HEADERS[MULTIPART] = (multipart_type(Parts.MULTIPART), *COMMON)
NONE: dict[str, Any] = {}
TICK_S = 0.25  # how much longer than its time a request may take
IGNORED_BODIES = 8  # how much of a body that is too long is let go by, in times the limit
ELSEWHERE = (
    "The session's cookie counts for pages of this origin only, and this request does not come from one. Leave the "
    "cookie out, or send an access token."
)
# For clients that know `application/json` only, these mean "not a GraphQL answer"; the specification says 200.
LENIENT = frozenset({400, 403, 404, 409})


class Gone(Exception):  # noqa: N818 - a state of the client
    """The client hung up before its request was whole."""


class Answer(NamedTuple):
    """What goes back, before it is compressed."""

    body: bytes
    headers: tuple[Header, ...] = NO_STORE
    status: int = 200
    rest: Rest | None = None
    """Parts that follow, in the place of the body."""


class GraphQLOverHTTP:
    """The endpoint. One per process; between requests it keeps nothing but how much each caller does."""

    def __init__(self, square: Square) -> None:
        settings = square.settings
        self._square = square
        self._limits = settings.limits
        self._deadlines = Clock[asyncio.Task[Any]](settings.limits.time_ms / 1000, TICK_S, asyncio.Task.cancel)
        registered = square.provider.origins.may_read if square.provider else None
        self._origins = Origins(settings, square.registry, registered)
        rates = square.rates
        self._rates = rates if rates is not None and rates.of_requests else None
        self._tells_time = settings.watching.server_timing is not Timing.OFF
        self._requests = Crowd("concurrency", settings.limits.concurrency)
        self.streams = Crowd("streams", settings.limits.streams)
        self._cookies = Cookies(is_secure=settings.is_production)
        self._over_sse = GraphQLOverSSE(square, self._request, self.visit, self._origins, self.streams)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id = (REQUEST_ID, begin_request(headers.get(REQUEST_ID)))
        if scope["method"] == "OPTIONS":
            await self._preflight(headers, request_id, send)
            return
        media = accepted_media(headers.get(b"accept") or b"*/*")
        if media is EVENT_STREAM or STREAM_TOKEN in headers or scope["method"] in STREAM_METHODS:
            await self._over_sse(scope, headers, request_id, receive, send)
            return
        asked: GraphQLRequest | Batch | None = None
        task = asyncio.current_task()
        assert task is not None
        self._deadlines.begin(task)
        try:
            try:
                _require(media)
                asked = self._request_at_once(scope, headers)
                if asked is None:
                    asked = from_json(await self._body(headers, receive), self._limits.batch)
                answer = await self._answer(scope, headers, asked)
            finally:
                is_late = not self._deadlines.end(task)
                if is_late:
                    task.uncancel()
        except Gone:
            return
        except asyncio.CancelledError:
            if not is_late or task.cancelling():  # by somebody else
                raise
            answer = _failure(self._too_late(is_whole=asked is not None), media)
        except Exception as error:  # the one map decides what is shown
            answer = _failure(error, media)
        if answer.rest is not None:
            await self._send_parts(headers, [*COMMON, request_id, *answer.headers], answer.rest, receive, send)
            return
        if media is MULTIPART:
            media, answer = _as_part(answer)
        started = [*HEADERS[media or GRAPHQL_RESPONSE], request_id, *answer.headers]
        await self._send(scope, headers, started, answer, send)

    async def _preflight(self, headers: Mapping[bytes, bytes], request_id: Header, send: Send) -> None:
        """Answer `OPTIONS`: which methods there are, and to a browser whether a page may use them."""
        origin = headers.get(b"origin")
        allowed = () if origin is None else await self._origins.headers(origin, headers.get(b"host", b""))
        started = [ALLOW, VARY, request_id, *allowed, *(PREFLIGHT if allowed else ())]
        await send({"type": "http.response.start", "status": 204, "headers": started})
        await send({"type": "http.response.body", "body": b""})

    async def _send(
        self, scope: Scope, headers: Mapping[bytes, bytes], started: list[Header], answer: Answer, send: Send
    ) -> None:
        """Send a whole answer: compressed for who takes it so, and for a page of another origin with leave to read."""
        status, body = answer.status, answer.body
        if b"origin" in headers:
            started += await self._origins.headers(headers[b"origin"], headers.get(b"host", b""))
        if len(body) > LEAST_BYTES and b"accept-encoding" in headers:
            coding = accepted_coding(headers[b"accept-encoding"])
            if coding is not None:
                body = await compressed(body, coding)
                started.append((b"content-encoding", coding))
        if status == 304:
            started = [each for each in started if each[0] != b"content-type"]
        else:
            started.append((b"content-length", b"%d" % len(body)))
        if scope["method"] == "HEAD":
            body = b""
        exchange = _exchange_of(scope)
        if exchange is None or not exchange.answer(status, started, body):
            await send({"type": "http.response.start", "status": status, "headers": started})
            await send({"type": "http.response.body", "body": body})

    async def _send_parts(
        self, headers: Mapping[bytes, bytes], started: list[Header], rest: Rest, receive: Receive, send: Send
    ) -> None:
        origin = headers.get(b"origin")
        try:
            if origin is not None:
                started += await self._origins.headers(origin, headers.get(b"host", b""))
        except BaseException:
            await rest.close()
            raise
        await rest.serve(started, receive, send)

    async def _answer(self, scope: Scope, headers: Mapping[bytes, bytes], asked: GraphQLRequest | Batch) -> Answer:
        """The answer to one request or several that can be run; raises for all others."""
        visit = await self.visit(scope, headers)
        self._requests.enter(visit.caller)
        is_over = True
        try:
            if type(asked) is list:
                return Answer(await run_batch(self._square, visit, asked), (*NO_STORE, *visit.earned))
            assert isinstance(asked, GraphQLRequest)
            square = self._square
            prepared = prepare(square, visit, asked) if is_simple(visit, asked) else await admit(square, visit, asked)
            if prepared.operation.is_incremental:
                parts = accepted_parts(headers.get(b"accept", b"")) if scope["method"] != "HEAD" else None
                if parts is not None:
                    answer = await self._first_part(visit, prepared, parts)
                    is_over = answer.rest is None
                    return answer
            body = await run_prepared(self._square, visit, prepared)
        finally:
            if is_over:
                self._requests.leave(visit.caller)
        if asked.query is None and not visit.may_write:
            return _tagged(body, headers.get(b"if-none-match"), visit.earned)
        return Answer(body, (*NO_STORE, *visit.earned) if visit.earned else NO_STORE)

    async def _first_part(self, visit: Visit, prepared: Prepared, parts: Parts) -> Answer:
        """The answer, or the first part of it and what follows, for as long as which the caller is at work here."""
        payloads = run_in_parts(self._square, visit, prepared)
        try:
            first = await anext(payloads)
        except BaseException:
            await payloads.aclose()
            raise
        if isinstance(first, bytes):
            await payloads.aclose()
            return Answer(first, (*NO_STORE, *visit.earned))
        rest = Rest(parts, first, payloads, lambda: self._requests.leave(visit.caller))
        return Answer(b"", visit.earned, rest=rest)

    async def visit(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Visit:
        """Who asks, where, and what they still may."""
        square, settings, rates = self._square, self._square.settings, self._rates
        here = site_here(headers.get(b"host", b""), settings.base_host)
        shown = self._shown(headers, here)
        viewer = ANONYMOUS if shown is None else square.known(*shown) or await square.authenticate(*shown)
        peer, forwarded_for = scope.get("client"), headers.get(b"x-forwarded-for")
        caller = caller_of(viewer, peer, forwarded_for, settings.proxies)
        payers = () if rates is None else rates.limited(payers_of(viewer, caller))
        return Visit(
            viewer,
            here,
            caller,
            scope.get("method", "POST") == "POST",  # a WebSocket has none, and may write
            b"plein-cost" in headers,
            rates if payers else None,
            payers,
            whence=(peer, forwarded_for, headers.get(b"user-agent")),
            traces=TRACE in headers and headers[TRACE] == FTV1 and self._tells_time,
        )

    def _shown(self, headers: Mapping[bytes, bytes], here: str | None) -> tuple[str, str | None] | None:
        """The credential that is shown (see `Square`), or None. Raises for what is none, and for pages of elsewhere."""
        authorization = headers.get(b"authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(b" ")
            token = token.strip()
            if scheme.lower() != b"bearer" or not token:
                raise Unauthenticated("Authorization must be `Bearer` and an access token.")
            return token.decode("latin-1"), None
        cookie = headers.get(b"cookie")
        session = None if cookie is None else self._cookies.read(cookie, SESSION)
        if session is None:
            return None
        if not is_same_origin(headers, is_production=self._square.settings.is_production):
            raise PleinError(ErrorCode.FORBIDDEN, ELSEWHERE)
        return session, SQUARE if here is None else here

    async def _request(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> GraphQLRequest | Batch:
        asked = self._request_at_once(scope, headers)
        return from_json(await self._body(headers, receive), self._limits.batch) if asked is None else asked

    def _request_at_once(self, scope: Scope, headers: Mapping[bytes, bytes]) -> GraphQLRequest | Batch | None:
        """The request, or None where its body is still to be received. Raises for what can be no request."""
        method: str = scope["method"]
        if method == "POST":
            if not is_json(headers.get(b"content-type", b"")):
                raise Refusal(415, "Send the request as application/json, in UTF-8.")
            if b"content-encoding" in headers:
                raise Refusal(415, "Send the request without a content encoding.")
            exchange = _exchange_of(scope)
            body = None if exchange is None else exchange.body()
            if body is not None and len(body) > self._limits.body_bytes:
                raise self._too_long()
            return None if body is None else from_json(body, self._limits.batch)
        if method in {"GET", "HEAD"}:
            return from_query_string(scope["query_string"])
        raise Refusal(405, f"{method} is of no use here; send POST or GET.", headers=(ALLOW,))

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """The whole body, refused as soon as it is known to be too long."""
        most = self._limits.body_bytes
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced[:20]) > most:
            await self._refuse_body(receive)
        chunk, more = _piece(await receive())
        if not more and len(chunk) <= most:  # as nearly always
            return chunk
        chunks, size = [chunk], len(chunk)
        if size > most:
            await self._refuse_body(receive, more=more)
        while more:
            chunk, more = _piece(await receive())
            size += len(chunk)
            if size > most:
                await self._refuse_body(receive, more=more)
            chunks.append(chunk)
        return b"".join(chunks)

    async def _refuse_body(self, receive: Receive, *, more: bool = True) -> NoReturn:
        """Refuse a body that is too long. What still comes is let go, up to a point: most clients read no answer
        before they have sent everything, and a connection closed too early takes the answer with it."""
        ignored = 0
        while more and ignored < IGNORED_BODIES * self._limits.body_bytes:
            chunk, more = _piece(await receive())
            ignored += len(chunk)
        raise self._too_long()

    def _too_long(self) -> Refusal:
        return Refusal(413, limit_exceeded("body_bytes", self._limits.body_bytes).message, headers=(CLOSE,))

    def _too_late(self, *, is_whole: bool) -> Exception:
        """The error for a request that took too long: to be answered, or to arrive."""
        error = limit_exceeded("time_ms", self._limits.time_ms)
        return error if is_whole else Refusal(408, error.message, headers=(CLOSE,))


def _exchange_of(scope: Scope) -> Exchange | None:
    """The extension of `gateway.at_once`, where this server has it."""
    exchange: Exchange | None = scope.get("extensions", NONE).get(EXTENSION)
    return exchange


def _as_part(answer: Answer) -> tuple[bytes, Answer]:
    """A whole answer for who takes parts only; what went wrong before there was one is told as ever."""
    if answer.status != 200:
        return GRAPHQL_RESPONSE, answer
    return MULTIPART, answer._replace(body=only_part(answer.body))


def _require(media: bytes | None) -> None:
    if media is None:
        raise Refusal(406, "Answers come as application/graphql-response+json or application/json.")


def _piece(message: Message) -> tuple[bytes, bool]:
    """A piece of the body, and whether there is more. Raises Gone."""
    if message["type"] == "http.disconnect":
        raise Gone
    return message.get("body", b""), message.get("more_body", False)


def _failure(error: Exception, media: bytes | None) -> Answer:
    """The answer when a request as a whole failed."""
    problem = problem_from(error)
    lenient = media == JSON and not problem.malformed and problem.status in LENIENT
    body = orjson.dumps({"errors": problem.errors})
    return Answer(body, (*NO_STORE, *problem.headers), 200 if lenient else problem.status)


def _tagged(body: bytes, known: bytes | None, earned: tuple[Header, ...]) -> Answer:
    """The answer to a persisted document with its tag, or without a body for whoever has it."""
    tag = b'"' + blake2b(body, digest_size=16).hexdigest().encode() + b'"'
    # Weak: the bytes on the wire differ by coding.
    headers = (ASK_AGAIN, (b"etag", b"W/" + tag), *earned)
    if known is not None and (
        known.strip() == b"*" or tag in {each.strip().removeprefix(b"W/") for each in known.split(b",")}
    ):
        return Answer(b"", headers, 304)
    return Answer(body, headers)
