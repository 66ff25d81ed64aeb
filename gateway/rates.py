"""How much each caller may ask for in a minute: 1 for a request and 1 for each node of its answer, refilled evenly.

All processes of a square share what a caller may, in Postgres. Each takes a little in advance (a twentieth of the rate)
and spends that without asking; so a request costs a statement only now and then, one statement for everybody who waits.
Promises: in a stretch of t seconds nobody spends more than rate x (1 + t / 60), and a twentieth for each process, which
may have been taken before. Where several pay for one request, all of them do or none. Without the database each process
goes on with its own share. What is remembered is bounded.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from math import ceil
from typing import NamedTuple
from uuid import UUID

from gateway.beside import beside
from gateway.callers import ACCOUNT, ADDRESS, KEY, TOKENS, Caller
from gateway.errors import Header, Throttled
from gateway.parts import database_settings
from gateway.settings import Settings
from tenants.allowances import REMOVED_AT_ONCE, WINDOW_SECONDS, Grant, Wish, remove_full, take
from tenants.database import Database

REMEMBERED_MOST = 20_000  # callers of the last minute; 10 MB when full
ADVANCES = 20  # so many make a rate
PAUSE_SECONDS = 0.25  # who got less than was wanted is not asked for again so soon
TAKE_SECONDS = 1.0  # how long a request waits for the database, and how long it is not asked again after a fault

Take = Callable[[Sequence[Wish]], Awaitable[Mapping[UUID, Grant]]]
"""Takes for callers what they wish for, from what all processes share."""

logger = logging.getLogger(__name__)


class Left(NamedTuple):
    """How much one kind of caller has left of its rate."""

    kind: str
    rate: int
    left: float


@dataclass(slots=True)
class _Purse:
    """What this process holds for a caller, until when, and how much others could still have taken at a moment."""

    key: UUID
    left: float
    at: float
    own: float
    held: float = 0.0
    until: float = 0.0
    pause_until: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Rates:
    """Keeps what callers may spend here; one per process."""

    def __init__(
        self,
        rates: Mapping[str, int],
        take: Take,
        *,
        secret: str,
        workers: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`rates` is the cost per minute for each kind of caller; none or 0 is without limit."""
        self._rates = {kind: rate for kind, rate in rates.items() if rate}
        self._take = take
        self._key = blake2b(secret.encode(), digest_size=32).digest()
        self._workers = workers
        self._clock = clock
        self._purses: OrderedDict[Caller, _Purse] = OrderedDict()
        self._waiting: dict[UUID, tuple[Wish, asyncio.Future[Grant | None]]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._alone_until = 0.0

    @property
    def remembered(self) -> int:
        """How many callers are remembered."""
        return len(self._purses)

    @property
    def of_requests(self) -> bool:
        """Whether those who ask have a rate, of whichever kind."""
        return any(kind in self._rates for kind in (ACCOUNT, ADDRESS, KEY))

    def limited(self, callers: Sequence[Caller]) -> tuple[Caller, ...]:
        """Those of them whose kind has a rate at all."""
        return tuple(caller for caller in callers if caller.kind in self._rates)

    async def close(self) -> None:
        """Ask no more; whoever still waits goes on with this process's own share."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait((self._asking,))
        for _, future in self._waiting.values():
            future.cancel()

    async def charge(self, payers: Sequence[Caller], cost: int) -> tuple[Header, ...]:
        """Take so much from what each of these has left; gives the headers that tell the rest. Raises Throttled."""
        left = []
        for payer in payers:
            try:
                left.append(Left(payer.kind, self._rates[payer.kind], await self._charge(payer, cost)))
            except Throttled:
                for paid in payers[: len(left)]:
                    self._purse(paid, self._rates[paid.kind]).held += cost
                raise
        return _told(left)

    async def _charge(self, caller: Caller, cost: int) -> float:
        """Take so much from what this caller has left, and give what is left then. Raises Throttled."""
        rate = self._rates[caller.kind]
        purse = self._purse(caller, rate)
        if purse.held < cost or self._clock() >= purse.until:
            async with purse.turn:  # one request of a caller asks at a time: the next may find enough
                await self._fill(purse, rate, cost)
                return self._spend(caller, purse, rate, cost)
        return self._spend(caller, purse, rate, cost)

    def _spend(self, caller: Caller, purse: _Purse, rate: int, cost: int) -> float:
        left = purse.held + self._shared(purse, rate)
        if cost > purse.held:
            wait = ceil((min(cost, rate) - left) * WINDOW_SECONDS / rate)
            message = f"Rate of this {caller.kind} exceeded: {rate} in {WINDOW_SECONDS} seconds; this costs {cost}."
            told = _told([Left(caller.kind, rate, left)])
            raise Throttled(message, (*told, (b"retry-after", b"%d" % max(wait, 1))))
        purse.held -= cost
        return left - cost

    async def _fill(self, purse: _Purse, rate: int, cost: int) -> None:
        """See to it that the purse holds the cost, if that is to be had."""
        now = self._clock()
        if now >= purse.until:
            purse.held = 0.0
        # What is known to be left can only have become less, so who cannot have it need not ask.
        is_gone = now < purse.pause_until or purse.held + self._shared(purse, rate) < cost
        if purse.held >= cost or is_gone:
            return
        need = cost - purse.held
        want = need + rate / ADVANCES
        grant = await self._granted(Wish(purse.key, rate, need, want))
        now = self._clock()
        if grant is None:
            grant = self._own_share(purse, rate, need, now)
        elif grant.taken < want:
            purse.pause_until = now + PAUSE_SECONDS
        purse.held += grant.taken
        purse.left, purse.at, purse.until = grant.left, now, now + WINDOW_SECONDS

    def _shared(self, purse: _Purse, rate: int) -> float:
        """The most that can be left by now of what all processes share."""
        return min(rate, purse.left + (self._clock() - purse.at) * rate / WINDOW_SECONDS)

    async def _granted(self, wish: Wish) -> Grant | None:
        """What was taken, together with what others wish for at this moment; None where nobody could be asked."""
        while wish.caller in self._waiting:  # one who was forgotten meanwhile and is new again
            await asyncio.wait((self._waiting[wish.caller][1],))
        if self._clock() < self._alone_until:
            return None
        future: asyncio.Future[Grant | None] = asyncio.get_running_loop().create_future()
        self._waiting[wish.caller] = (wish, future)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await future

    async def _ask(self) -> None:
        """Ask for all who wait, and for those who come meanwhile, in turns."""
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            grants: Mapping[UUID, Grant] = {}
            try:
                async with asyncio.timeout(TAKE_SECONDS):
                    grants = await self._take([wish for wish, _ in asked.values()])
            except Exception as error:  # whoever calls is served all the same, by this process's own share
                logger.warning("rates are not shared with other processes just now: %s", error)
                self._alone_until = self._clock() + TAKE_SECONDS
            finally:  # also at the end of the process
                for caller, (_, future) in asked.items():
                    if not future.done():
                        future.set_result(grants.get(caller))
        self._asking = None

    def _own_share(self, purse: _Purse, rate: int, need: float, now: float) -> Grant:
        """What this process gives out by itself. What costs more than its whole share is given once that is full."""
        share = rate / self._workers
        purse.own = min(share, purse.own + (now - purse.at) * share / WINDOW_SECONDS)
        taken = need if purse.own >= min(need, share) else 0.0
        purse.own -= taken
        return Grant(taken, max(purse.own, 0.0))

    def _purse(self, caller: Caller, rate: int) -> _Purse:
        purse = self._purses.get(caller)
        if purse is None:
            name = f"{caller.kind}:{caller.name}".encode()
            key = UUID(bytes=blake2b(name, digest_size=16, key=self._key).digest())
            purse = self._purses[caller] = _Purse(key, rate, self._clock(), rate / self._workers)
            if len(self._purses) > REMEMBERED_MOST:
                self._purses.popitem(last=False)  # the one that has not called for longest, so the fullest
        else:
            self._purses.move_to_end(caller)
        return purse


@asynccontextmanager
async def opened_rates(settings: Settings) -> AsyncIterator[Rates | None]:
    """Yield the rates of these settings, on a connection of their own; None where there are none.

    On the pool for writes, whoever waits for a connection there would hold up everybody who has a rate.
    """
    rated = {
        ACCOUNT: settings.rate_account,
        ADDRESS: settings.rate_address,
        KEY: settings.rate_key,
        TOKENS: settings.providing.rate,
    }
    if not any(rated.values()):
        yield None
        return
    database = Database(replace(database_settings(settings), pool_size=1, pool_timeout_s=TAKE_SECONDS))
    await database.open()

    async def taken(wishes: Sequence[Wish]) -> Mapping[UUID, Grant]:
        async with database.transaction(None) as tx:
            return await take(tx, wishes)

    rates = Rates(rated, taken, secret=settings.secret, workers=settings.workers)
    try:
        async with beside(_forget(database)):
            yield rates
    finally:
        await rates.close()
        await database.close()


async def _forget(database: Database) -> None:
    """Remove callers who have everything left, every minute."""
    while True:
        await asyncio.sleep(WINDOW_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - several processes start together
        try:
            removed = REMOVED_AT_ONCE
            while removed == REMOVED_AT_ONCE:
                async with database.transaction(None) as tx:
                    removed = await remove_full(tx)
        except Exception as error:  # the next time comes
            logger.warning("callers with everything left could not be forgotten: %s", error)


def _told(several: Sequence[Left]) -> tuple[Header, ...]:
    """The fields of the IETF's draft on rate limits: what may be spent, what is left, when it is whole again."""
    policies, states = [], []
    for kind, rate, left in several:
        rest = min(max(left, 0.0), rate)
        full = ceil((rate - rest) * WINDOW_SECONDS / rate)
        policies.append(f'"{kind}";q={rate};w={WINDOW_SECONDS}')
        states.append(f'"{kind}";r={int(rest)};t={full}')
    return (b"ratelimit-policy", ", ".join(policies).encode()), (b"ratelimit", ", ".join(states).encode())
