"""Who calls, for limits: an account, or the address that somebody without one calls from; and how much each may do.

Promises: at most so many requests of one caller at once, and at most so much cost in a minute (1 for a request and 1
for each node of its answer), refilled evenly. What is remembered is bounded, and of the last minute only. Counts for
this process only: several worker processes each allow as much.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import NamedTuple

from auth.viewer import Viewer
from gateway.errors import Header, Throttled
from gateway.limits import UNITS

WINDOW_SECONDS = 60
REMEMBERED_MOST = 20_000  # callers of the last minute; 5 MB when full
ACCOUNT, ADDRESS = "account", "address"


class Caller(NamedTuple):
    """`kind` is `account` or `address`; `name` tells one from another."""

    kind: str
    name: int | str


@dataclass(slots=True)
class _Purse:
    left: float
    at: float


class Callers:
    """Keeps count of who does how much; one per process."""

    def __init__(
        self, concurrency: int, rates: Mapping[str, int], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`rates` is the cost per minute for each kind of caller; none or 0 is without limit."""
        self._concurrency = concurrency
        self._rates = {kind: rate for kind, rate in rates.items() if rate}
        self._clock = clock
        self._running: dict[Caller, int] = {}
        self._purses: OrderedDict[Caller, _Purse] = OrderedDict()

    def enter(self, caller: Caller) -> None:
        """A request of this caller begins, and `leave` must follow. Raises Throttled when too many run already."""
        running = self._running.get(caller, 0)
        if running >= self._concurrency:
            message = f"Limit `concurrency` exceeded: at most {self._concurrency} {UNITS['concurrency']}."
            raise Throttled(message, ((b"retry-after", b"1"),))
        self._running[caller] = running + 1

    def leave(self, caller: Caller) -> None:
        """A request of this caller has ended."""
        running = self._running[caller] - 1
        if running:
            self._running[caller] = running
        else:
            del self._running[caller]

    def is_limited(self, caller: Caller) -> bool:
        """Whether this kind of caller has a rate at all."""
        return caller.kind in self._rates

    def charge(self, caller: Caller, cost: int) -> tuple[Header, ...]:
        """Take so much from what this caller has left; gives the headers that tell the rest. Raises Throttled."""
        rate = self._rates[caller.kind]
        now, purse = self._clock(), self._purse(caller, rate)
        purse.left = min(rate, purse.left + (now - purse.at) * rate / WINDOW_SECONDS)
        purse.at = now
        if cost > purse.left:
            wait = ceil((min(cost, rate) - purse.left) * WINDOW_SECONDS / rate)
            message = f"Rate of this {caller.kind} exceeded: {rate} in {WINDOW_SECONDS} seconds; this costs {cost}."
            raise Throttled(message, (*_told(caller, rate, purse), (b"retry-after", b"%d" % max(wait, 1))))
        purse.left -= cost
        return _told(caller, rate, purse)

    def _purse(self, caller: Caller, rate: int) -> _Purse:
        purse = self._purses.get(caller)
        if purse is None:
            purse = self._purses[caller] = _Purse(rate, self._clock())
            if len(self._purses) > REMEMBERED_MOST:
                self._purses.popitem(last=False)  # the one that has not called for longest, so the fullest
        else:
            self._purses.move_to_end(caller)
        return purse


def caller_of(viewer: Viewer, client: tuple[str, int] | None, forwarded_for: bytes | None, proxies: int) -> Caller:
    """Who calls. `proxies` says how many of the last addresses in X-Forwarded-For are written by proxies of ours."""
    if viewer.account_id is not None:
        return Caller(ACCOUNT, viewer.account_id.int)  # as a number, it is compared without asking Python
    return Caller(ADDRESS, network_of(address_of(client, forwarded_for, proxies)))


def address_of(client: tuple[str, int] | None, forwarded_for: bytes | None, proxies: int) -> str:
    """The address that somebody calls from; see `caller_of`."""
    if proxies and forwarded_for is not None:
        passed = forwarded_for.decode("latin-1").split(",")
        return passed[max(len(passed) - proxies, 0)].strip()
    return client[0] if client else ""


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


def _told(caller: Caller, rate: int, purse: _Purse) -> tuple[Header, ...]:
    """The fields of the IETF's draft on rate limits: what may be spent, what is left, when it is whole again."""
    kind = caller.kind.encode()
    full = ceil((rate - purse.left) * WINDOW_SECONDS / rate)
    return (
        (b"ratelimit-policy", b'"%b";q=%d;w=%d' % (kind, rate, WINDOW_SECONDS)),
        (b"ratelimit", b'"%b";r=%d;t=%d' % (kind, int(purse.left), full)),
    )
