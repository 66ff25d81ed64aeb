"""The provider as the gateway holds it: its settings, its keys, a way to the tables, and the time.

Promises: one per process, on one event loop; holds nothing of a request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from auth.accounts import Transaction
from auth.provider.origins import ClientOrigins
from auth.provider.settings import ProviderSettings
from auth.provider.signing_keys import ALGORITHMS, KeyRing, Signer


def utc_now() -> datetime:
    """The time; tests move it."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Provider:
    """`transaction` opens one on the platform's tables."""

    settings: ProviderSettings
    transaction: Transaction
    keys: KeyRing
    origins: ClientOrigins
    clock: Callable[[], datetime] = field(default=utc_now)

    async def signers(self) -> dict[str, Signer]:
        """The key of each algorithm; asked for before a transaction is opened, as it may need one itself."""
        return {each: await self.keys.current(each) for each in ALGORITHMS}


def make_provider(
    settings: ProviderSettings, transaction: Transaction, clock: Callable[[], datetime] = utc_now
) -> Provider:
    """The provider of this process."""
    return Provider(settings, transaction, KeyRing(settings, transaction, clock), ClientOrigins(transaction), clock)
