"""One request and one answer, as the development store sees them.

Promises: bucket, key and query are decoded exactly once and strictly; a name given twice is refused, so that
the signature and the handlers can never read two different values.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from storage.devstore.errors import ClientGone, S3Error

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_KEY_BYTES = 1024


class Body:
    """The bytes of a request as they came over the wire, read once."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.started = False
        self._ended = False

    async def next_chunk(self) -> bytes:
        """The next bytes; empty at the end. Raises ClientGone."""
        self.started = True
        while not self._ended:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            self._ended = not message.get("more_body", False)
            if chunk := message.get("body", b""):
                return bytes(chunk)
        return b""


@dataclass(frozen=True, slots=True)
class Request:
    """Header names are lower case; several headers of one name are joined by a comma."""

    method: str
    path: bytes
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Body


@dataclass(frozen=True, slots=True)
class FileSlice:
    """A part of an open file to be sent; whoever sends it closes the file."""

    file: BinaryIO
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; the content length is added by the sender unless it is given."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | FileSlice = b""


def parse_request(scope: Scope, receive: Receive) -> Request:
    """Read an ASGI scope. Raises S3Error for what cannot be read in one way only."""
    path = unquote_to_bytes(scope["raw_path"])
    bucket, _, key = _text(path[1:]).partition("/")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise S3Error("KeyTooLongError", "Your key is too long")
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    query = _parse_query(scope["query_string"])
    return Request(scope["method"], path, bucket, key, query, headers, Body(receive))


def _parse_query(raw: bytes) -> dict[str, str]:
    query: dict[str, str] = {}
    for pair in raw.split(b"&"):
        if not pair:
            continue
        name, _, value = pair.partition(b"=")
        decoded = _text(unquote_to_bytes(name))
        if decoded in query:
            raise S3Error("InvalidArgument", f"The parameter {decoded} is given twice")
        query[decoded] = _text(unquote_to_bytes(value))
    return query


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise S3Error("InvalidURI", "The URI is not UTF-8") from error
