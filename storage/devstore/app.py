"""The ASGI application of the development store: verify, select, run, answer.

Promises: nothing but a CORS preflight passes without a valid signature; every error is an S3 XML document with
a request id; an unforeseen one is logged and masked. Never listens by itself.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

from storage.devstore.blobs import Blobs
from storage.devstore.call import Call, epoch_now
from storage.devstore.cors import cors_headers, preflight
from storage.devstore.documents import render
from storage.devstore.errors import ClientGone, S3Error
from storage.devstore.index import Index
from storage.devstore.operations import select
from storage.devstore.request import FileSlice, Receive, Request, Response, Scope, Send, parse_request
from storage.devstore.settings import DevStoreSettings
from storage.devstore.signature import verify

LOGGER = logging.getLogger(__name__)
BLOCK_BYTES = 256 * 1024
SERVER = "Plein development object store"


class DevStore:
    """One store directory, opened. The directory must be locked by the caller (see `__main__`)."""

    def __init__(self, settings: DevStoreSettings) -> None:
        self._settings = settings
        self._index = Index(settings.directory / "index.sqlite3")
        self._blobs = Blobs(settings.directory)
        if swept := self._blobs.sweep(self._index.blobs()):
            LOGGER.warning("removed %d unfinished files of an earlier run", swept)

    def ensure_bucket(self, name: str) -> None:
        """Make a bucket, unless it is there."""
        with suppress(S3Error):
            self._index.create_bucket(name, epoch_now())

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            raise RuntimeError(f"the object store speaks HTTP, not {scope['type']}")
        request_id = uuid4().hex[:16].upper()
        request: Request | None = None
        try:
            request = parse_request(scope, receive)
            response = await self._answer(request)
        except ClientGone:
            return
        except S3Error as error:
            response = _error_response(scope, error, request_id)
        except Exception:
            LOGGER.exception("request %s failed", request_id)
            masked = S3Error("InternalError", "We encountered an internal error. Please try again.")
            response = _error_response(scope, masked, request_id)
        headers = {**response.headers, "server": SERVER, "x-amz-request-id": request_id}
        if request is not None:
            headers |= cors_headers(request, self._settings.allowed_origins)
            if "expect" in request.headers and not request.body.started:
                # The body was never asked for, so the connection cannot be used for another request.
                headers["connection"] = "close"
        await _send(send, scope["method"], response, headers)

    async def _answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return preflight(request, self._settings.allowed_origins)
        now = epoch_now()
        signed = verify(request, self._settings, datetime.fromtimestamp(now, UTC))
        operation = select(request)
        return await operation.handle(Call(request, signed, self._settings, self._index, self._blobs, now))


def _error_response(scope: Scope, error: S3Error, request_id: str) -> Response:
    if error.status == 304:
        return Response(304, error.headers)
    document = render(
        (
            "Error",
            [
                ("Code", error.code),
                ("Message", error.message),
                ("Resource", scope["path"]),
                ("RequestId", request_id),
            ],
        )
    )
    return Response(error.status, {**error.headers, "content-type": "application/xml"}, document)


async def _send(send: Send, method: str, response: Response, headers: dict[str, str]) -> None:
    body = response.body
    if response.status not in {204, 304}:
        length = body.length if isinstance(body, FileSlice) else len(body)
        headers.setdefault("content-length", str(length))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    if isinstance(body, FileSlice):
        try:
            await send({"type": "http.response.start", "status": response.status, "headers": raw})
            await _send_file(send, body)
        finally:
            body.file.close()
        return
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


async def _send_file(send: Send, part: FileSlice) -> None:
    remaining = part.length
    await asyncio.to_thread(part.file.seek, part.start)
    while remaining > 0:
        block = await asyncio.to_thread(part.file.read, min(BLOCK_BYTES, remaining))
        if not block:
            raise RuntimeError("a blob is shorter than the index says")
        remaining -= len(block)
        await send({"type": "http.response.body", "body": block, "more_body": remaining > 0})
    if part.length == 0:
        await send({"type": "http.response.body", "body": b""})
