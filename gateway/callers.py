"""Who calls, for limits: an account, or the address that somebody without one calls from; and how many run at once.

Promises: at most so many of a kind (requests, connections that last) of one caller at once. Counts for this process
only: several worker processes each allow as many.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from auth.viewer import Viewer
from gateway.errors import Throttled
from gateway.limits import UNITS

ACCOUNT, ADDRESS, KEY = "account", "address", "key"
TOKENS = "tokens"
"""Whoever asks the endpoints for OAuth clients, by address; counted apart from questions."""


class Caller(NamedTuple):
    """`kind` is `account`, `address`, `key` or `tokens`; `name` tells one from another."""

    kind: str
    name: int | str


class Crowd:
    """Keeps count of how many of one kind run for each caller."""

    def __init__(self, limit: str, most: int) -> None:
        """`limit` is the name of the limit that says how many may."""
        self._limit = limit
        self._most = most
        self._running: dict[Caller, int] = {}

    def enter(self, caller: Caller) -> None:
        """One of this caller's begins, and `leave` must follow. Raises Throttled when too many run already."""
        running = self._running.get(caller, 0)
        if running >= self._most:
            message = f"Limit `{self._limit}` exceeded: at most {self._most} {UNITS[self._limit]}."
            raise Throttled(message, ((b"retry-after", b"1"),))
        self._running[caller] = running + 1

    def leave(self, caller: Caller) -> None:
        """One of this caller's has ended."""
        running = self._running[caller] - 1
        if running:
            self._running[caller] = running
        else:
            del self._running[caller]


def caller_of(viewer: Viewer, client: tuple[str, int] | None, forwarded_for: bytes | None, proxies: int) -> Caller:
    """Who calls. `proxies` says how many of the last addresses in X-Forwarded-For are written by proxies of ours."""
    if viewer.account_id is not None:
        return _account(viewer.account_id.int)  # as a number, it is compared without asking Python
    return Caller(ADDRESS, network_of(address_of(client, forwarded_for, proxies)))


def payers_of(viewer: Viewer, caller: Caller) -> tuple[Caller, ...]:
    """Who pays for what this caller asks: whoever calls with an API key, the key first and then its account."""
    return (caller,) if viewer.key_id is None else (Caller(KEY, viewer.key_id.int), caller)


def address_of(client: tuple[str, int] | None, forwarded_for: bytes | None, proxies: int) -> str:
    """The address that somebody calls from; see `caller_of`."""
    if proxies and forwarded_for is not None:
        passed = forwarded_for.decode("latin-1").split(",")
        return passed[max(len(passed) - proxies, 0)].strip()
    return client[0] if client else ""


@lru_cache(maxsize=4096)
def _account(number: int) -> Caller:
    return Caller(ACCOUNT, number)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """An address as far as it tells one household from another: of version 6, the first half."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped is not None else parsed.packed[:8].hex()
    return str(parsed)
