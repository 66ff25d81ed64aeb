"""Checksums of object bytes, as S3 names and writes them (base64).

Promises: CRC32, CRC32C, SHA1 and SHA256 are computed here and compared with what the client says.
Never keeps a checksum it did not compute itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Iterable, Mapping
from typing import Protocol

from storage.devstore.errors import S3Error

HEADER_PREFIX = "x-amz-checksum-"
CASTAGNOLI = 0x82F63B78  # the reversed polynomial of CRC32C, RFC 3720


class Checksum(Protocol):
    """What grows with the bytes and ends as a digest."""

    def update(self, data: bytes, /) -> None:
        """Take the next bytes."""

    def digest(self) -> bytes:
        """The checksum so far."""


class Crc32:
    """CRC32 as zlib has it."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        """Four bytes, the highest first."""
        return self._value.to_bytes(4, "big")


def _castagnoli_table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        value = number
        for _ in range(8):
            value = (value >> 1) ^ (CASTAGNOLI if value & 1 else 0)
        table.append(value)
    return tuple(table)


CASTAGNOLI_TABLE = _castagnoli_table()


class Crc32c:
    """CRC32C in plain Python: the standard library has none. Some 10 MB/s, enough for development."""

    def __init__(self) -> None:
        self._value = 0xFFFFFFFF

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        value, table = self._value, CASTAGNOLI_TABLE
        for byte in data:
            value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
        self._value = value

    def digest(self) -> bytes:
        """Four bytes, the highest first."""
        return (self._value ^ 0xFFFFFFFF).to_bytes(4, "big")


def new_checksum(algorithm: str) -> Checksum:
    """A checksum by its lower-case name. Raises S3Error for one we cannot compute."""
    if algorithm == "crc32":
        return Crc32()
    if algorithm == "crc32c":
        return Crc32c()
    if algorithm == "sha1":
        return hashlib.sha1(usedforsecurity=False)
    if algorithm == "sha256":
        return hashlib.sha256()
    if algorithm == "md5":
        return hashlib.md5(usedforsecurity=False)
    raise S3Error("NotImplemented", f"The development store does not compute {algorithm}: use CRC32 or SHA256")


def announced(headers: Mapping[str, str]) -> list[str]:
    """The algorithms a request names, by a checksum header or by the trailer it announces."""
    names = [name.removeprefix(HEADER_PREFIX) for name in headers if name.startswith(HEADER_PREFIX)]
    for name in headers.get("x-amz-trailer", "").lower().split(","):
        if name.strip():
            if not name.strip().startswith(HEADER_PREFIX):
                raise S3Error("InvalidRequest", "The value of x-amz-trailer is not a checksum")
            names.append(name.strip().removeprefix(HEADER_PREFIX))
    names = [name for name in names if name not in {"mode", "type", "algorithm"}]
    if len(names) > 1:
        raise S3Error("InvalidRequest", "Expecting a single x-amz-checksum- header")
    return names


class Digests:
    """All checksums one body needs, computed in one pass over it."""

    def __init__(self, algorithms: Iterable[str]) -> None:
        self._checksums = {name: new_checksum(name) for name in {"md5", *algorithms}}
        self.size_bytes = 0

    def add(self, algorithm: str) -> None:
        """Compute one more; only before the first bytes."""
        self._checksums.setdefault(algorithm, new_checksum(algorithm))

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size_bytes += len(data)
        for checksum in self._checksums.values():
            checksum.update(data)

    def digest(self, algorithm: str) -> bytes:
        """The digest of one of the algorithms."""
        return self._checksums[algorithm].digest()

    def base64(self, algorithm: str) -> str:
        """The digest as S3 writes it in headers."""
        return base64.b64encode(self.digest(algorithm)).decode()

    def require(self, algorithm: str, expected: str) -> None:
        """Compare with what the client says, in base64. Raises S3Error."""
        try:
            raw = base64.b64decode(expected, validate=True)
        except binascii.Error as error:
            raise S3Error("InvalidDigest", f"The {algorithm} you specified is not base64") from error
        if len(raw) != len(self.digest(algorithm)):
            raise S3Error("InvalidDigest", f"The {algorithm} you specified has the wrong length")
        if raw != self.digest(algorithm):
            raise S3Error("BadDigest", f"The {algorithm} you specified did not match what we received")
