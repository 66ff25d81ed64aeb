"""Passwords as argon2id hashes, made beside the event loop and only a few at a time.

Promises: the parameters are those that OWASP recommends, and a hash of others is made anew when its owner next signs
in; for an account without a password, or none at all, as much is computed. A password is the same however a keyboard
composes its characters (NFKC). Never keeps a password.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from auth.errors import Busy

T = TypeVar("T")

LONGEST = 256  # characters; a longer one is refused when it is chosen

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
"""OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB, two passes and one lane. About 20 ms of one core."""

AT_ONCE = 2
WAITING_MOST = 50  # a second of work; whoever comes then is told to come back


class Passwords:
    """Hashes and verifies. One per process, on one event loop."""

    def __init__(
        self, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES, lanes: int = LANES, at_once: int = AT_ONCE
    ) -> None:
        self._hasher = PasswordHasher(passes, memory_kib, lanes)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="password")
        self._threads.submit(lambda: self._nobodys)  # made before anybody could measure that it is
        self._waiting = 0
        self.computed = 0

    def close(self) -> None:
        """Start nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """What is stored of a password. Raises `Busy`."""
        return await self._run(self._hash, password)

    async def verify(self, password: str, known: str | None) -> bool:
        """Whether the hash is of this password; as much is computed where there is none. Raises `Busy`."""
        return await self._run(self._verify, password, known)

    def is_outdated(self, known: str) -> bool:
        """Whether a hash was made with other parameters than ours."""
        return self._hasher.check_needs_rehash(known)

    async def _run(self, work: Callable[..., T], *args: str | None) -> T:
        if self._waiting >= WAITING_MOST:
            raise Busy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        finally:
            self._waiting -= 1

    def _hash(self, password: str) -> str:
        self.computed += 1
        return self._hasher.hash(_composed(password))

    def _verify(self, password: str, known: str | None) -> bool:
        self.computed += 1
        try:
            is_right = self._hasher.verify(known or self._nobodys, _composed(password[:LONGEST]))
        except (VerificationError, InvalidHashError):
            return False
        return is_right and known is not None and len(password) <= LONGEST

    @cached_property
    def _nobodys(self) -> str:
        """The hash of a password that nobody knows."""
        return self._hasher.hash(secrets.token_urlsafe(32))


def _composed(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
