"""The origins of clients' pages: who may read answers of the provider and of the API from a page elsewhere.

Promises: read at most once in half a minute, however many ask. Without the database nobody new is let in.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from auth.accounts import Transaction
from auth.provider.clients import load_origins
from tenants.errors import TenantsError

KEPT_S = 30.0


class ClientOrigins:
    """Knows them; one per process."""

    def __init__(self, transaction: Transaction, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds; tests move it."""
        self._transaction = transaction
        self._clock = clock
        self._known: frozenset[str] = frozenset()
        self._until = 0.0

    async def may_read(self, origin: str) -> bool:
        """Whether a client registered this origin."""
        if self._clock() >= self._until:
            self._until = self._clock() + KEPT_S  # before reading: whoever asks meanwhile gets what was known
            try:
                async with self._transaction() as tx:
                    self._known = await load_origins(tx)
            except TenantsError:
                return False
        return origin in self._known

    def forget(self) -> None:
        """Read them again before the next use."""
        self._until = 0.0
