"""What every operation of the development store is given: the request, who vouches for it, and the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from storage.devstore.blobs import Blobs, Incoming
from storage.devstore.errors import S3Error
from storage.devstore.index import Index
from storage.devstore.payload import Payload
from storage.devstore.request import Request
from storage.devstore.settings import MEBIBYTE, DevStoreSettings
from storage.devstore.signature import Signed

R = TypeVar("R")

STORED_HEADERS = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
)
METADATA_PREFIX = "x-amz-meta-"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one operation; `now` is seconds since 1970."""

    request: Request
    signed: Signed
    settings: DevStoreSettings
    index: Index
    blobs: Blobs
    now: float

    async def run(self, work: Callable[..., R], *arguments: object) -> R:
        """Run work that touches the disk in a thread."""
        return await asyncio.to_thread(work, *arguments)

    async def remove(self, blobs: Iterable[str]) -> None:
        """Remove blobs that the index has just let go."""
        await asyncio.to_thread(self.blobs.remove, list(blobs))

    async def receive_blob(self, payload: Payload) -> str:
        """Write the verified body to a new, durable blob and return its name."""
        incoming = await asyncio.to_thread(self.blobs.receive)
        try:
            async for block in payload.blocks(MEBIBYTE):
                await asyncio.to_thread(_take, incoming, payload, block)
            payload.verify()
            return await asyncio.to_thread(incoming.keep)
        finally:
            incoming.drop()

    async def document(self) -> bytes:
        """The verified body of a small XML request."""
        return await Payload(self.request, self.signed, self.settings.max_document_bytes).document()

    def stored_headers(self) -> dict[str, str]:
        """The headers of this request that the object will be served with."""
        headers = {name: self.request.headers[name] for name in STORED_HEADERS if name in self.request.headers}
        encodings = [part.strip() for part in headers.pop("content-encoding", "").split(",")]
        if encoding := ",".join(part for part in encodings if part and part != "aws-chunked"):
            headers["content-encoding"] = encoding
        headers.setdefault("content-type", "binary/octet-stream")
        metadata = {name: value for name, value in self.request.headers.items() if name.startswith(METADATA_PREFIX)}
        size = sum(len(name) - len(METADATA_PREFIX) + len(value) for name, value in metadata.items())
        if size > self.settings.max_metadata_bytes:
            raise S3Error("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
        return {**headers, **metadata}


def epoch_now() -> float:
    """The clock of the store, in one place."""
    return time.time()


def _take(incoming: Incoming, payload: Payload, block: bytes) -> None:
    incoming.write(block)
    payload.digests.update(block)
