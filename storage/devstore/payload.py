"""The body of a request, decoded and checked against everything the client said about it.

Promises: length, aws-chunked framing and signatures, payload hash, Content-MD5 and checksum are all verified
before `verify` returns. Never holds more than a block in memory, unless a small document is asked for.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator

from storage.devstore.checksums import HEADER_PREFIX, Digests, announced
from storage.devstore.chunked import ChunkedDecoder
from storage.devstore.errors import S3Error
from storage.devstore.request import Request
from storage.devstore.signature import SHA256_HEX, ChunkSigner, Signed


class Payload:
    """One body on its way in: iterate `blocks`, give each to `digests`, then `verify`."""

    def __init__(self, request: Request, signed: Signed, limit_bytes: int) -> None:
        self._request = request
        self._signed = signed
        self._decoder = _decoder(request, signed)
        self.size_bytes = _announced_size(request, signed)
        if self.size_bytes > limit_bytes:
            raise S3Error("EntityTooLarge", f"Your proposed upload exceeds the maximum of {limit_bytes} bytes")
        algorithms = announced(request.headers)
        self.algorithm = algorithms[0] if algorithms else None
        extra = {"sha256"} if SHA256_HEX.fullmatch(signed.payload) else set()
        self.digests = Digests({*algorithms, *extra})

    async def blocks(self, block_bytes: int) -> AsyncIterator[bytes]:
        """The decoded bytes in blocks of about this size."""
        buffer = bytearray()
        received = 0
        while chunk := await self._request.body.next_chunk():
            decoded = self._decoder.feed(chunk) if self._decoder else chunk
            received += len(decoded)
            if received > self.size_bytes:
                raise S3Error("InvalidRequest", "The body is longer than announced")
            buffer += decoded
            if len(buffer) >= block_bytes:
                yield bytes(buffer)
                buffer.clear()
        if buffer:
            yield bytes(buffer)

    async def document(self) -> bytes:
        """The whole body, verified; for the small XML documents of the protocol."""
        blocks = []
        async for block in self.blocks(self.size_bytes + 1):
            self.digests.update(block)
            blocks.append(block)
        self.verify()
        return b"".join(blocks)

    def verify(self) -> None:
        """Compare all that was announced with what came. Raises S3Error."""
        trailers = self._decoder.finish() if self._decoder else {}
        if self.digests.size_bytes != self.size_bytes:
            raise S3Error("IncompleteBody", "You did not provide the number of bytes announced")
        payload = self._signed.payload
        if SHA256_HEX.fullmatch(payload) and not hmac.compare_digest(self.digests.digest("sha256").hex(), payload):
            raise S3Error("XAmzContentSHA256Mismatch", "The provided x-amz-content-sha256 does not match the body")
        if "content-md5" in self._request.headers:
            self.digests.require("md5", self._request.headers["content-md5"])
        if self.algorithm is not None:
            name = HEADER_PREFIX + self.algorithm
            expected = self._request.headers.get(name, trailers.get(name))
            if expected is None:
                raise S3Error("InvalidRequest", f"The announced trailer {name} did not come")
            self.digests.require(self.algorithm, expected)
        if unknown := set(trailers) - {f"{HEADER_PREFIX}{self.algorithm}"}:
            raise S3Error("InvalidRequest", f"Trailing headers that were not announced: {', '.join(sorted(unknown))}")


def _decoder(request: Request, signed: Signed) -> ChunkedDecoder | None:
    if not signed.is_streaming:
        if "x-amz-trailer" in request.headers:
            raise S3Error("InvalidRequest", "x-amz-trailer needs a STREAMING-…-TRAILER payload")
        return None
    signer = ChunkSigner(signed) if signed.signs_chunks else None
    return ChunkedDecoder(signer, has_trailer=signed.payload.endswith("-TRAILER"))


def _announced_size(request: Request, signed: Signed) -> int:
    """The size of the decoded body in bytes, which S3 wants to know in advance."""
    if "transfer-encoding" in request.headers and not signed.is_streaming:
        raise S3Error("NotImplemented", "Transfer-Encoding without aws-chunked is not implemented")
    name = "x-amz-decoded-content-length" if signed.is_streaming else "content-length"
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise S3Error("MissingContentLength", f"You must provide the {name} HTTP header")
    return int(text)
