"""GraphQL over HTTP: one ASGI endpoint for `POST` and `GET`, by the GraphQL-over-HTTP specification.

Promises: whatever a client sends gets a coded error with the right status, never a 5xx; the answer is in the media type
that was asked for. It is the hot path, so it reads ASGI messages itself. A page of another origin cannot make it write:
it takes JSON only, which browsers ask leave for first, and `GET` never writes. Never decides what a viewer may see.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NoReturn

import orjson
from graphql import OperationType
from starlette.types import Receive, Scope, Send

from auth.errors import Unauthenticated
from auth.viewer import ANONYMOUS, Viewer
from gateway.context import Square
from gateway.errors import Header, Problem, Refusal, problem_from
from gateway.hosts import site_here
from gateway.limits import limit_exceeded
from gateway.media import GRAPHQL_RESPONSE, JSON, accepted_media, is_json
from gateway.request import GraphQLRequest, from_json, from_query_string
from gateway.variables import coerce_variables

ALLOW: Header = (b"allow", b"GET, HEAD, POST, OPTIONS")
ALLOW_POST: Header = (b"allow", b"POST")
NONE: tuple[Header, ...] = ()
# Answers depend on who asks and when, so nobody on the way may keep them.
COMMON: tuple[Header, ...] = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
HEADERS = {media: ((b"content-type", media + b"; charset=utf-8"), *COMMON) for media in (GRAPHQL_RESPONSE, JSON)}
IGNORED_BODIES = 8  # how much of a body that is too long is let go by, in times the limit
# For clients that know `application/json` only, these mean "not a GraphQL answer"; the specification says 200.
LENIENT = frozenset({400, 403, 404, 409})


class Gone(Exception):  # noqa: N818 - a state of the client
    """The client hung up before its request was whole."""


class GraphQLOverHTTP:
    """The endpoint. One per process; it keeps nothing between requests."""

    def __init__(self, square: Square) -> None:
        self._square = square
        self._limits = square.settings.limits
        self._time_s = square.settings.limits.time_ms / 1000

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": (ALLOW,)})
            await send({"type": "http.response.body", "body": b""})
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        media = accepted_media(headers.get(b"accept") or b"*/*")
        status, extra = 200, NONE
        try:
            async with asyncio.timeout(self._time_s) as deadline:
                body = await self._answer(scope, headers, media, receive)
        except Gone:
            return
        except Exception as error:  # the one map decides what is shown
            late = isinstance(error, TimeoutError) and deadline.expired()
            problem = problem_from(limit_exceeded("time_ms", self._limits.time_ms) if late else error)
            status, extra = _status(problem, media), problem.headers
            body = orjson.dumps({"errors": problem.errors})
        length = (b"content-length", b"%d" % len(body))
        start = (*HEADERS[media or GRAPHQL_RESPONSE], length, *extra)
        await send({"type": "http.response.start", "status": status, "headers": start})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(
        self, scope: Scope, headers: Mapping[bytes, bytes], media: bytes | None, receive: Receive
    ) -> bytes:
        """The body of the response to a request that can be run; raises for all others."""
        if media is None:
            raise Refusal(406, "Answers come as application/graphql-response+json or application/json.")
        square = self._square
        request = await self._request(scope, headers, receive)
        document = square.documents.get(request.query)
        operation = document.operation(request.operation_name)
        if scope["method"] != "POST" and operation.type is not OperationType.QUERY:
            raise Refusal(405, f"A {operation.type.value} must be sent with POST.", headers=(ALLOW_POST,))
        hide = square.settings.is_production
        variables = coerce_variables(square.schema, operation.variables, request.variables, hide_suggestions=hide)
        authorization = headers.get(b"authorization")
        viewer = ANONYMOUS if authorization is None else await self._viewer(authorization)
        here = site_here(headers.get(b"host", b""), square.settings.base_host)
        return await square.execute(square, document, operation, variables, viewer, here)

    async def _request(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> GraphQLRequest:
        method: str = scope["method"]
        if method == "POST":
            if not is_json(headers.get(b"content-type", b"")):
                raise Refusal(415, "Send the request as application/json, in UTF-8.")
            if b"content-encoding" in headers:
                raise Refusal(415, "Send the request without a content encoding.")
            return from_json(await self._body(headers, receive))
        if method in {"GET", "HEAD"}:
            return from_query_string(scope["query_string"])
        raise Refusal(405, f"{method} is of no use here; send POST or GET.", headers=(ALLOW,))

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """The whole body, refused as soon as it is known to be too long."""
        most = self._limits.body_bytes
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced[:20]) > most:
            await self._refuse_body(receive)
        chunks: list[bytes] = []
        size, more = 0, True
        while more:
            chunk, more = await _chunk(receive)
            size += len(chunk)
            if size > most:
                await self._refuse_body(receive, more=more)
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _refuse_body(self, receive: Receive, *, more: bool = True) -> NoReturn:
        """Refuse a body that is too long. What still comes is let go, up to a point: most clients read no answer
        before they have sent everything, and a connection closed too early takes the answer with it."""
        ignored = 0
        while more and ignored < IGNORED_BODIES * self._limits.body_bytes:
            chunk, more = await _chunk(receive)
            ignored += len(chunk)
        message = limit_exceeded("body_bytes", self._limits.body_bytes).message
        raise Refusal(413, message, headers=((b"connection", b"close"),))

    async def _viewer(self, authorization: bytes) -> Viewer:
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or not token.strip():
            raise Unauthenticated("Authorization must be `Bearer` and an access token.")
        return await self._square.authenticate(token.strip().decode("latin-1"))


async def _chunk(receive: Receive) -> tuple[bytes, bool]:
    """A piece of the body, and whether there is more. Raises Gone."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    return message.get("body", b""), message.get("more_body", False)


def _status(problem: Problem, media: bytes | None) -> int:
    lenient = media == JSON and not problem.malformed and problem.status in LENIENT
    return 200 if lenient else problem.status
