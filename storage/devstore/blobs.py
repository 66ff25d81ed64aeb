"""Files on disk: the bytes of objects and parts, each under a name of its own that is never used twice.

Promises: a blob is whole and on disk (fsync of file and directory) before anybody knows its name, and is never
changed after that. What a crash leaves behind has no name in the index and is removed at the next start.
Never derives a path from a key, so a key cannot reach outside.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

SHARDS = tuple(f"{number:02x}" for number in range(256))


class Incoming:
    """A file being written. End it with `keep` or `drop`."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self.name = uuid4().hex
        self._path = blobs.incoming / self.name
        self._file = self._path.open("xb")

    def write(self, data: bytes) -> None:
        """Append."""
        self._file.write(data)

    def keep(self) -> str:
        """Make it durable and return the name of the new blob."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        target = self._blobs.path_of(self.name)
        self._path.replace(target)
        _fsync_directory(target.parent)
        return self.name

    def drop(self) -> None:
        """Forget what was written; harmless after `keep`."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)


class Blobs:
    """All blobs of one store directory."""

    def __init__(self, directory: Path) -> None:
        self._root = directory / "blobs"
        self.incoming = directory / "incoming"
        self.incoming.mkdir(exist_ok=True)
        self._root.mkdir(exist_ok=True)
        for shard in SHARDS:
            (self._root / shard).mkdir(exist_ok=True)
        _fsync_directory(self._root)
        _fsync_directory(directory)

    def path_of(self, name: str) -> Path:
        """Where the blob lies."""
        return self._root / name[:2] / name

    def receive(self) -> Incoming:
        """Begin a new blob."""
        return Incoming(self)

    def open(self, name: str) -> BinaryIO:
        """Open for reading; stays readable if the blob is removed meanwhile. Raises FileNotFoundError."""
        return self.path_of(name).open("rb")

    def duplicate(self, name: str) -> str:
        """A second blob of the same bytes, by a hard link: blobs never change. Raises FileNotFoundError."""
        copy = uuid4().hex
        target = self.path_of(copy)
        os.link(self.path_of(name), target)
        _fsync_directory(target.parent)
        return copy

    def remove(self, names: Iterable[str]) -> None:
        """Remove blobs the index no longer names."""
        for name in names:
            self.path_of(name).unlink(missing_ok=True)

    def sweep(self, named: set[str]) -> int:
        """Remove all that the index does not name, and return how many files that were. Only at the start."""
        leftovers = list(self.incoming.iterdir())
        for shard in SHARDS:
            leftovers += [path for path in (self._root / shard).iterdir() if path.name not in named]
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers)


def _fsync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
