"""The aws-chunked encoding: sizes, signatures and trailing headers around the bytes of a body.

Promises: bytes in, bytes out, whatever the boundaries of the input; a chunk signature is checked before the
next chunk begins, and nothing is complete until `finish` has returned. Never reads a socket or a file.
"""

from __future__ import annotations

import hashlib
import re

from storage.devstore.errors import S3Error
from storage.devstore.signature import ChunkSigner

CHUNK_HEADER = re.compile(rb"([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?")
TRAILER = re.compile(rb"([a-z0-9-]+) *: *([!-~]*) *")
MAX_LINE_BYTES = 1024
MAX_TRAILERS = 8
TRAILER_SIGNATURE = "x-amz-trailer-signature"


class ChunkedDecoder:
    """Decodes one body. With a signer, every chunk must be signed; trailers are allowed if they are announced."""

    def __init__(self, signer: ChunkSigner | None, *, has_trailer: bool) -> None:
        self._signer = signer
        self._has_trailer = has_trailer
        self._buffer = bytearray()
        self._remaining = 0
        self._chunk_signature = ""
        self._chunk_hash = hashlib.sha256()
        self._state = "header"
        self.trailers: dict[str, str] = {}

    def feed(self, data: bytes) -> bytes:
        """The decoded bytes that have become known by `data`. Raises S3Error."""
        self._buffer += data
        output = bytearray()
        while self._advance(output):
            pass
        return bytes(output)

    def finish(self) -> dict[str, str]:
        """The trailing headers, when the body has come to its proper end. Raises S3Error otherwise."""
        if self._state != "end":
            raise S3Error("IncompleteBody", "The aws-chunked body ended early")
        return self.trailers

    def _advance(self, output: bytearray) -> bool:
        """Take one step; False if more input is needed."""
        if self._state == "data":
            return self._take_data(output)
        if self._state == "end":
            if self._buffer:
                raise S3Error("InvalidRequest", "There are bytes after the end of the aws-chunked body")
            return False
        line = self._take_line()
        if line is None:
            return False
        if self._state == "header":
            self._begin_chunk(line)
        elif self._state == "data end":
            if line:
                raise S3Error("InvalidRequest", "A chunk is longer than its header says")
            self._end_chunk()
            self._state = "header"
        else:
            self._take_trailer(line)
        return True

    def _take_data(self, output: bytearray) -> bool:
        taken = bytes(self._buffer[: self._remaining])
        del self._buffer[: self._remaining]
        self._remaining -= len(taken)
        if self._signer is not None:
            self._chunk_hash.update(taken)
        output += taken
        if self._remaining:
            return False
        self._state = "data end"
        return True

    def _take_line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n", 0, MAX_LINE_BYTES)
        if end < 0:
            if len(self._buffer) >= MAX_LINE_BYTES:
                raise S3Error("InvalidRequest", "A line of the aws-chunked body is too long")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _begin_chunk(self, line: bytes) -> None:
        match = CHUNK_HEADER.fullmatch(line)
        if match is None or (self._signer is not None) != (match[2] is not None):
            raise S3Error("InvalidRequest", "The header of a chunk is malformed, or not signed as announced")
        self._remaining = int(match[1], 16)
        self._chunk_signature = (match[2] or b"").decode()
        self._chunk_hash = hashlib.sha256()
        if self._remaining:
            self._state = "data"
        else:
            self._end_chunk()
            self._state = "trailer"

    def _end_chunk(self) -> None:
        if self._signer is not None:
            self._signer.require_chunk(self._chunk_signature, self._chunk_hash.hexdigest())

    def _take_trailer(self, line: bytes) -> None:
        if not line:
            self._end_trailers()
            return
        match = TRAILER.fullmatch(line)
        if match is None or len(self.trailers) >= MAX_TRAILERS or not self._has_trailer:
            raise S3Error("InvalidRequest", "A trailing header is malformed or was not announced")
        name = match[1].decode()
        if name in self.trailers:
            raise S3Error("InvalidRequest", "A trailing header is given twice")
        self.trailers[name] = match[2].decode()

    def _end_trailers(self) -> None:
        self._state = "end"
        signature = self.trailers.pop(TRAILER_SIGNATURE, "")
        if self._signer is not None and self._has_trailer:
            lines = "".join(f"{name}:{value}\n" for name, value in sorted(self.trailers.items()))
            self._signer.require_trailer(signature, lines.encode())
