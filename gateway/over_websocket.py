"""GraphQL over WebSocket: the protocol `graphql-transport-ws`, and no other.

Promises: whatever a client sends is answered by the protocol's own messages and close codes; one connection holds one
task while it is quiet, and a bounded number of operations and of messages that wait. It ends when its token does, when
it takes too slowly, and in order when the server stops. The browser asks no leave for a WebSocket, so who asks is said
by a token in the first message, or by a session's cookie where the page is of the same origin; with the cookie, a page
of another origin is refused. Never decides what a viewer may see.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import orjson
from starlette.types import Receive, Scope, Send

from auth.errors import AuthError
from gateway.callers import Caller, Crowd
from gateway.context import Square
from gateway.errors import ErrorObject, Refusal, Throttled, problem_from
from gateway.live.answers import Told
from gateway.live.operations import Operations
from gateway.live.outlet import Outlet, Reason
from gateway.request import from_payload
from gateway.visit import MakeVisit, Visit
from schema.errors import PleinError

PROTOCOL = "graphql-transport-ws"
ACK_SECONDS = 5.0
LONGEST_ID = 256  # characters
LONGEST_REASON = 120  # bytes of UTF-8; the protocol has room for 123
PONG = '{"type":"pong"}'

# Those of the protocol, and RFC 6455's: going away, too big, internal error, try again later.
BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_ACCEPTABLE = 4400, 4401, 4403, 4406
LATE, ALREADY, TOO_MANY_INITS = 4408, 4409, 4429
GOING_AWAY, TOO_BIG, FAULT, TRY_AGAIN = 1001, 1009, 1011, 1013
CODES = {Reason.GOING: GOING_AWAY, Reason.SLOW: TRY_AGAIN, Reason.EXPIRED: FORBIDDEN, Reason.REVOKED: FORBIDDEN}


class Refused(Exception):  # noqa: N818 - what a client did against the protocol
    """The connection is closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class GraphQLOverWebSocket:
    """The endpoint. One per process; it keeps nothing of a connection."""

    def __init__(self, square: Square, visit: MakeVisit, streams: Crowd) -> None:
        """`streams` counts the connections of each caller."""
        self._square = square
        self._visit = visit
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, from its handshake to its end."""
        await receive()  # websocket.connect
        if PROTOCOL not in scope["subprotocols"]:
            # Accepted first: otherwise a browser is shown a failed request, and not this code.
            await send({"type": "websocket.accept"})
            await send(closing(NOT_ACCEPTABLE, "Subprotocol not acceptable"))
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        try:
            await _Connection(self._square, self._streams, scope, receive, send).serve(self._visit)
        except Refused as refused:
            await send(closing(refused.code, refused.reason))


class _Connection:
    """One connection: who is there, and what runs."""

    __slots__ = ("_caller", "_operations", "_outlet", "_receive", "_scope", "_send", "_square", "_streams")

    def __init__(self, square: Square, streams: Crowd, scope: Scope, receive: Receive, send: Send) -> None:
        self._square = square
        self._streams = streams
        self._caller: Caller | None = None
        self._scope: Scope | None = scope
        self._receive = receive
        self._send = send
        self._outlet = Outlet(self._write, self._finish, most=square.settings.limits.waiting)
        self._operations: Operations | None = None

    async def serve(self, make_visit: MakeVisit) -> None:
        """Greet, then take message after message until the client or the server ends it. Raises Refused."""
        live = self._square.live
        if live.is_draining:
            raise Refused(GOING_AWAY, Reason.GOING.value)
        live.connect(self._outlet)
        expiry: asyncio.TimerHandle | None = None
        try:
            visit = await self._greet(make_visit)
            if visit is None:
                return
            ends_at = visit.viewer.expires_at
            if ends_at is not None:
                left_s = max(ends_at - time.time(), 0.0)
                expiry = asyncio.get_running_loop().call_later(left_s, self._outlet.close, Reason.EXPIRED)
            self._operations = Operations(self._square, visit, self._outlet, _SPEECH)
            while (message := await self._next()) is not None:
                if self._outlet.is_open:  # what still comes while it is being ended is not done any more
                    self._take(message)
        finally:
            if expiry is not None:
                expiry.cancel()
            if self._operations is not None:
                self._operations.stop_all()
            live.disconnect(self._outlet)
            if self._outlet.is_open:
                self._outlet.lost()
            if self._caller is not None:
                self._streams.leave(self._caller)

    async def _greet(self, make_visit: MakeVisit) -> Visit | None:
        """Who is there, by the first message; None if they are gone before. Raises Refused."""
        try:
            async with asyncio.timeout(ACK_SECONDS):
                while (message := await self._next()) is not None:
                    kind = message["type"]
                    if kind == "connection_init":
                        break
                    if kind == "ping":
                        self._outlet.put(_pong(message))
                    elif kind != "pong":
                        raise Refused(UNAUTHORIZED, "Unauthorized")
        except TimeoutError:
            raise Refused(LATE, "Connection initialisation timeout") from None
        if message is None:
            return None
        scope, self._scope = self._scope, None
        assert scope is not None
        headers = dict(scope["headers"])
        given = _authorization(message.get("payload"))
        if given is not None:
            headers[b"authorization"] = given
        revocations = self._square.revocations
        began = revocations.count
        try:
            visit = await make_visit(scope, headers)
        except (AuthError, PleinError) as error:
            raise Refused(FORBIDDEN, error.message) from None
        except Exception as error:  # the database is away
            raise Refused(TRY_AGAIN, problem_from(error).errors[0]["message"]) from None
        if revocations.has_ended(visit.viewer, began):
            raise Refused(FORBIDDEN, Reason.REVOKED.value)
        try:
            self._streams.enter(visit.caller)
        except Throttled as error:
            raise Refused(TRY_AGAIN, error.message) from None
        self._caller = visit.caller
        self._square.live.connect(self._outlet, visit.viewer)
        self._outlet.put('{"type":"connection_ack"}')
        return visit

    async def _next(self) -> dict[str, Any] | None:
        """The next message of the client; None when there will be no more. Raises Refused for what is none."""
        event = await self._receive()
        if event["type"] != "websocket.receive":
            return None
        text = event.get("text")
        if text is None:
            raise Refused(BAD_REQUEST, "Messages are texts, not bytes")
        if len(text) > self._square.settings.limits.body_bytes:
            raise Refused(TOO_BIG, f"At most {self._square.settings.limits.body_bytes} bytes in a message")
        try:
            message = orjson.loads(text)
        except ValueError:
            _refuse("Messages are JSON")
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            _refuse("Messages are objects with a `type`")
        return message

    def _take(self, message: Mapping[str, Any]) -> None:
        """Do what a message asks. Raises Refused."""
        assert self._operations is not None
        match message["type"]:
            case "subscribe":
                id_ = _id(message)
                if id_ in self._operations:
                    raise Refused(ALREADY, f"Subscriber for {id_} already exists")
                if not isinstance(message.get("payload"), dict):
                    _refuse("The payload of subscribe must be an object")
                try:
                    request = from_payload(message["payload"])
                except Refusal as refusal:
                    self._outlet.put(_SPEECH.failed(id_, (refusal.error,)))
                else:
                    self._operations.start(id_, request)
            case "complete":
                self._operations.stop(_id(message))
            case "ping":
                self._outlet.put(_pong(message))
            case "pong":
                pass
            case "connection_init":
                raise Refused(TOO_MANY_INITS, "Too many initialisation requests")
            case _:
                _refuse("There is no such type of message")

    async def _write(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})

    async def _finish(self, reason: Reason) -> None:
        await self._send(closing(CODES[reason], reason.value))


class _Speech:
    """The protocol's messages."""

    def next(self, id_: str, told: Told) -> str:
        return f'{{"id":{_quoted(id_)},"type":"next","payload":{told.text}}}'

    def failed(self, id_: str, errors: Sequence[ErrorObject]) -> str:
        return orjson.dumps({"id": id_, "type": "error", "payload": errors}).decode()

    def complete(self, id_: str) -> str:
        return f'{{"id":{_quoted(id_)},"type":"complete"}}'


_SPEECH = _Speech()


def closing(code: int, reason: str) -> dict[str, Any]:
    """The ASGI message that closes a connection."""
    return {"type": "websocket.close", "code": code, "reason": reason.encode()[:LONGEST_REASON].decode(errors="ignore")}


def _authorization(payload: Any) -> bytes | None:
    """What the client says of itself in its first message. Raises Refused."""
    if payload is None:
        return None
    if not isinstance(payload, dict):
        _refuse("The payload of connection_init must be an object")
    given = payload.get("authorization") or payload.get("Authorization")
    if given is None:
        return None
    if not isinstance(given, str):
        _refuse("`authorization` must be a text")
    return given.encode("latin-1", "replace")


def _pong(message: Mapping[str, Any]) -> str:
    if message.get("payload") is None:
        return PONG
    return orjson.dumps({"type": "pong", "payload": message["payload"]}).decode()


def _id(message: Mapping[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not 0 < len(id_) <= LONGEST_ID:
        _refuse(f"This message needs an `id` of 1 to {LONGEST_ID} characters")
    return id_


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _refuse(reason: str) -> NoReturn:
    raise Refused(BAD_REQUEST, reason)
