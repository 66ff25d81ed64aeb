"""The lock on a directory of the bundled PostgreSQL: one owner at a time.

Promises that the kernel frees it the moment its owner ends, however that happens. Never waits for the lock.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

SAID_WITHIN_S = 1.0


class DirectoryLock:
    """An exclusive lock on `directory/lock`, which holds the process id of its owner for people to read."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "lock"
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False when another process, or another lock in this one, has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock up. Does nothing when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @property
    def owner(self) -> str:
        """The process id of the present owner, as text for a message; who has just become it is about to say so."""
        give_up_at = time.monotonic() + SAID_WITHIN_S
        while not (said := self._path.read_text().strip()) and time.monotonic() < give_up_at:
            time.sleep(0.01)
        return said or "unknown"
