"""GraphQL over server-sent events, in both ways of the protocol of `graphql-sse`.

Distinct connections: a request that prefers `text/event-stream` is answered by a stream of its own: `next` events with
results, each with its cursor as the event's id, and `complete`. Single connection: `PUT` reserves a stream, a `GET`
with the token opens it, `POST`s with the token start operations whose results come on it, `DELETE` stops one.
Promises: lines end in LF; a quiet stream gets a comment as heartbeat; `Last-Event-ID` is taken as `since`, so that a
browser's own EventSource misses nothing; a stream ends when its token does, and without `complete` when the server
stops, so that clients come back. What a client has reserved is its own account's.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import parse_qs

import orjson
from starlette.types import Message, Receive, Scope, Send

from auth.errors import TokenExpired, Unauthenticated
from auth.revocations import Revoked
from auth.viewer import Viewer
from gateway.callers import Crowd
from gateway.context import Square
from gateway.errors import ErrorObject, Header, Refusal, Rejected, problem_from
from gateway.limits import limit_exceeded
from gateway.live.answers import Told
from gateway.live.operations import Operations
from gateway.live.outlet import Outlet, Reason
from gateway.origins import Origins
from gateway.request import Batch, GraphQLRequest
from gateway.visit import MakeVisit, Visit, admit
from schema.errors import ErrorCode, PleinError

METHODS = frozenset({"PUT", "DELETE"})
"""Methods that are for streams only."""

TOKEN = b"x-graphql-event-stream-token"
RESERVED_SECONDS = 60.0
LONGEST_ID = 256  # characters
PULSE = b":\n\n"
PLAIN: Header = (b"content-type", b"text/plain; charset=utf-8")
IN_JSON: Header = (b"content-type", b"application/json; charset=utf-8")
START: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # proxies of the nginx family would keep events back
    (b"x-content-type-options", b"nosniff"),
)


ReadRequest = Callable[[Scope, Mapping[bytes, bytes], Receive], Awaitable[GraphQLRequest | Batch]]


ENDED = {Reason.EXPIRED: TokenExpired(), Reason.REVOKED: Unauthenticated(Reason.REVOKED.value)}
"""What is told last where the client has to sign in again."""


class Last(bytes):
    """A message after which the stream ends."""


class Stream:
    """One response that goes on. Before it is opened, what is to be sent on it waits."""

    __slots__ = ("_opened", "_send", "_streams", "_visit", "on_end", "operations", "outlet", "reserved_at")

    def __init__(self, square: Square, streams: Crowd, visit: Visit, speech: Distinct | Single) -> None:
        """Raises Throttled when the caller has too many; otherwise `end` must follow."""
        streams.enter(visit.caller)
        self._streams: Crowd | None = streams
        self._visit = visit
        self.reserved_at = time.monotonic()
        self.outlet = Outlet(self._write, self._finish, most=square.settings.limits.waiting, pulse=PULSE)
        self.operations = Operations(square, visit, self.outlet, speech)
        self.on_end: Callable[[], object] = bool
        self._send: Send | None = None
        self._opened = asyncio.Event()

    @property
    def viewer(self) -> Viewer:
        """Whose it is."""
        return self._visit.viewer

    @property
    def is_opened(self) -> bool:
        """Whether somebody listens on it."""
        return self._opened.is_set()

    async def serve(self, square: Square, headers: Sequence[Header], receive: Receive, send: Send) -> None:
        """Answer the request with the stream, until it ends or the client goes."""
        expiry: asyncio.TimerHandle | None = None
        self._opened.set()
        self._send = send
        self.outlet.attach()
        square.live.connect(self.outlet, self.viewer)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": [*START, *headers]})
            self.outlet.put(PULSE)
            ends_at = self._visit.viewer.expires_at
            if ends_at is not None:
                left_s = max(ends_at - time.time(), 0.0)
                expiry = asyncio.get_running_loop().call_later(left_s, self.outlet.close, Reason.EXPIRED)
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            if expiry is not None:
                expiry.cancel()
            square.live.disconnect(self.outlet)
            self.end()

    def end(self) -> None:
        """Nobody listens any more."""
        self.operations.stop_all()
        self.outlet.lost()
        self.on_end()
        if self._streams is not None:
            self._streams.leave(self._visit.caller)
            self._streams = None

    async def _write(self, message: bytes) -> None:
        await self._opened.wait()
        assert self._send is not None
        await self._send(_chunk(message, more=not isinstance(message, Last)))

    async def _finish(self, reason: Reason) -> None:
        if self._send is not None:
            last = b""
            if reason in ENDED:
                last = event("next", orjson.dumps({"errors": problem_from(ENDED[reason]).errors}))
                last += event("complete", b"")
            await self._send(_chunk(last, more=False))


class Distinct:
    """Messages on a stream of one operation."""

    def next(self, _id: str, told: Told) -> bytes:
        """A result, with its cursor as the event's id."""
        return event("next", told.body, told.cursor)

    def failed(self, _id: str, errors: Sequence[ErrorObject]) -> bytes:
        """The last result is the errors."""
        return Last(event("next", orjson.dumps({"errors": errors})) + event("complete", b""))

    def complete(self, _id: str) -> bytes:
        """Nothing follows."""
        return Last(event("complete", b""))


class Single:
    """Messages on a stream of several operations, each with the operation's id."""

    def next(self, id_: str, told: Told) -> bytes:
        """A result."""
        return event("next", b'{"id":%b,"payload":%b}' % (orjson.dumps(id_), told.body))

    def failed(self, id_: str, errors: Sequence[ErrorObject]) -> bytes:
        """The last result is the errors."""
        return event("next", orjson.dumps({"id": id_, "payload": {"errors": errors}})) + self.complete(id_)

    def complete(self, id_: str) -> bytes:
        """Nothing follows for this one."""
        return event("complete", orjson.dumps({"id": id_}))


DISTINCT, SINGLE = Distinct(), Single()


class GraphQLOverSSE:
    """The streams of this process. It keeps those that are reserved."""

    def __init__(
        self, square: Square, read: ReadRequest, make_visit: MakeVisit, origins: Origins, streams: Crowd
    ) -> None:
        """`read` takes the request from scope and body, as over HTTP; `streams` counts those of each caller."""
        self._square = square
        self._read = read
        self._make_visit = make_visit
        self._origins = origins
        self._streams = streams
        self._reserved: dict[str, Stream] = {}
        square.revocations.hear(self._revoke)

    async def __call__(
        self, scope: Scope, headers: Mapping[bytes, bytes], request_id: Header, receive: Receive, send: Send
    ) -> None:
        """Answer one request that has to do with streams."""
        more = [request_id]
        if b"origin" in headers:
            more += await self._origins.headers(headers[b"origin"], headers.get(b"host", b""))
        try:
            answer = await self._answer(scope, headers, receive)
            if isinstance(answer, Stream):
                await answer.serve(self._square, more, receive, send)
                return
            status, body, own = (201, answer.encode(), [PLAIN]) if isinstance(answer, str) else (answer, b"", [])
        except Exception as error:  # the one map decides what is shown
            problem = problem_from(error)
            status, body = problem.status, orjson.dumps({"errors": problem.errors})
            own = [*problem.headers, IN_JSON]
        length = (b"content-length", b"%d" % len(body))
        start = [*own, length, (b"cache-control", b"no-store"), *more]
        await send({"type": "http.response.start", "status": status, "headers": start})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> Stream | str | int:
        """A stream, the token of a reserved one, or the status that says that it is done."""
        method, token = scope["method"], token_of(headers, scope["query_string"])
        began = self._square.revocations.count
        visit = await self._make_visit(scope, headers)
        if method == "PUT":
            self._require_valid(visit, began)
            return self._reserve(visit)
        if token is None:
            if method == "DELETE":
                raise Refusal(400, "Tell which stream is meant by its token.")
            return await self._distinct(visit, began, scope, headers, receive)
        opens = method == "GET" and b"query=" not in scope["query_string"]
        # A browser's EventSource sends no Authorization: there the token must do, and only opens the stream.
        stream = self._find(token, None if opens and visit.viewer.account_id is None else visit)
        if method == "DELETE":
            stream.operations.stop(parameter(scope["query_string"], "operationId") or "")
            return 200
        if opens:
            return self._open(token, stream)
        request = await self._read(scope, headers, receive)
        id_ = request.operation_id if isinstance(request, GraphQLRequest) else None
        if not isinstance(request, GraphQLRequest) or id_ is None or not 0 < len(id_) <= LONGEST_ID:
            message = f"An operation on a stream needs `extensions.operationId`, 1 to {LONGEST_ID} characters."
            raise Refusal(400, message, field="extensions.operationId")
        prepared = await admit(self._square, visit, request)
        if id_ in stream.operations:
            raise Refusal(409, "There is an operation with this id on the stream.", field="extensions.operationId")
        stream.operations.start(id_, prepared)
        return 202

    async def _distinct(
        self, visit: Visit, began: int, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive
    ) -> Stream:
        """A stream of one operation, or of the reason why it cannot be run."""
        request = await self._read(scope, headers, receive)
        if not isinstance(request, GraphQLRequest):
            raise Refusal(400, "A stream takes one request, not an array.")
        errors: Sequence[ErrorObject] = ()
        try:
            prepared = await admit(self._square, visit, request)
        except (Rejected, PleinError) as error:
            errors = problem_from(error).errors
        # From here on nothing is awaited until the stream is served, where it is found by what ends it.
        self._require_valid(visit, began)
        if self._square.live.is_draining:
            raise PleinError(ErrorCode.UNAVAILABLE, Reason.GOING.value)
        stream = Stream(self._square, self._streams, visit, DISTINCT)
        if errors:
            # On the stream, where clients look for it: a browser's EventSource shows nothing of a refused request.
            stream.outlet.put(DISTINCT.failed("", errors))
        else:
            stream.operations.start("", prepared, headers.get(b"last-event-id", b"").decode("latin-1") or None)
        return stream

    def _reserve(self, visit: Visit) -> str:
        """A token for a stream that is to be opened within a minute. Raises PleinError when there are too many."""
        now = time.monotonic()
        for token, stream in list(self._reserved.items()):
            if not stream.outlet.is_open or (not stream.is_opened and stream.reserved_at < now - RESERVED_SECONDS):
                del self._reserved[token]
                stream.end()
        most = self._square.settings.subscriptions
        if len(self._reserved) >= most:
            raise limit_exceeded("subscriptions", most)
        token = secrets.token_urlsafe(24)
        self._reserved[token] = Stream(self._square, self._streams, visit, SINGLE)
        return token

    def _find(self, token: str, visit: Visit | None) -> Stream:
        """The stream of this token, opened or not, for who reserved it (None is taken for that). Raises Refusal."""
        stream = self._reserved.get(token)
        if stream is None or not stream.outlet.is_open:
            raise Refusal(404, "There is no stream with this token; reserve another with PUT.")
        if visit is not None and visit.viewer != stream.viewer:
            raise Refusal(403, "This stream is somebody else's, or was reserved by what may do more or less.")
        return stream

    def _require_valid(self, visit: Visit, began: int) -> None:
        """Raise Unauthenticated for who was let in by what was revoked since."""
        if self._square.revocations.has_ended(visit.viewer, began):
            raise Unauthenticated(Reason.REVOKED.value)

    def _revoke(self, revoked: Revoked) -> None:
        """Let go of the streams that were reserved by what is valid no more; those that are open are ended anyway."""
        for token, stream in list(self._reserved.items()):
            if not stream.is_opened and revoked.is_about(stream.viewer):
                del self._reserved[token]
                stream.end()

    def _open(self, token: str, stream: Stream) -> Stream:
        if stream.is_opened:
            raise Refusal(409, "This stream is open already.")
        stream.on_end = lambda: self._reserved.pop(token, None)
        return stream


def token_of(headers: Mapping[bytes, bytes], query_string: bytes) -> str | None:
    """The token of a reserved stream, from the header or the address."""
    given = headers.get(TOKEN)
    if given is not None:
        return given.decode("latin-1")
    return parameter(query_string, "token") if b"token=" in query_string else None


def parameter(query_string: bytes, name: str) -> str | None:
    """A parameter of the address, if it is there once."""
    values = parse_qs(query_string.decode("latin-1"), max_num_fields=20).get(name, ())
    return values[0] if len(values) == 1 else None


def event(kind: str, data: bytes, id_: str = "") -> bytes:
    """One event. A line feed in JSON is white space, as texts have theirs escaped; here it would end the line."""
    head = f"event: {kind}\n" + (f"id: {id_}\n" if id_ else "")
    return head.encode() + b"data: " + data.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n\n"


def _chunk(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": bytes(body), "more_body": more}
