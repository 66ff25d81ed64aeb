"""Rates: what is told, what is shared between processes, and what happens without the database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.callers import ACCOUNT, ADDRESS, KEY, Caller
from gateway.errors import Throttled
from gateway.rates import ADVANCES, Rates
from tenants.allowances import Grant, Wish, take
from tenants.database import Database
from tests.gateway.small_square import no_database

ANNA = Caller(ACCOUNT, 1)
SECRET = "a secret for tests, of some length"


def alone(rate: int, clock: Any = time.monotonic, workers: int = 1) -> Rates:
    """Rates of a process that reaches no database."""
    return Rates({ACCOUNT: rate}, no_database, secret=SECRET, workers=workers, clock=clock)


async def test_what_is_left_is_told_and_refilled_evenly() -> None:
    now = 1000.0
    rates = alone(600, lambda: now)
    assert dict(await rates.charge([ANNA], 450)) == {
        b"ratelimit-policy": b'"account";q=600;w=60',
        b"ratelimit": b'"account";r=150;t=45',
    }
    with pytest.raises(Throttled, match="Rate of this account exceeded: 600 in 60 seconds; this costs 200") as caught:
        await rates.charge([ANNA], 200)
    assert dict(caught.value.headers)[b"retry-after"] == b"5"
    now += 5
    assert dict(await rates.charge([ANNA], 200))[b"ratelimit"] == b'"account";r=0;t=60'
    now += 3600
    assert dict(await rates.charge([ANNA], 0))[b"ratelimit"] == b'"account";r=600;t=0'
    assert dict(await rates.charge([Caller(ACCOUNT, 2)], 1))[b"ratelimit"] == b'"account";r=599;t=1'
    assert rates.limited([Caller(ADDRESS, "10.0.0.9"), ANNA]) == (ANNA,)


async def test_a_key_and_its_account_both_pay_or_neither() -> None:
    now = 1000.0
    rates = Rates({ACCOUNT: 600, KEY: 300}, no_database, secret=SECRET, clock=lambda: now)
    one, other = Caller(KEY, 1), Caller(KEY, 2)
    told = dict(await rates.charge([one, ANNA], 250))
    assert told == {
        b"ratelimit-policy": b'"key";q=300;w=60, "account";q=600;w=60',
        b"ratelimit": b'"key";r=50;t=50, "account";r=350;t=25',
    }
    with pytest.raises(Throttled, match="Rate of this key exceeded: 300 in 60 seconds; this costs 60") as caught:
        await rates.charge([one, ANNA], 60)
    assert dict(caught.value.headers)[b"ratelimit"] == b'"key";r=50;t=50'
    assert dict(await rates.charge([other, ANNA], 200))[b"ratelimit"] == b'"key";r=100;t=40, "account";r=150;t=45'
    assert dict(await rates.charge([ANNA], 60))[b"ratelimit"] == b'"account";r=90;t=51'
    with pytest.raises(Throttled, match="Rate of this account exceeded"):
        await rates.charge([other, ANNA], 95)
    assert dict(await rates.charge([other], 0))[b"ratelimit"] == b'"key";r=100;t=40'


async def test_without_the_database_a_process_gives_out_its_share() -> None:
    now = 1000.0
    rates = alone(600, lambda: now, workers=4)
    for _ in range(15):
        await rates.charge([ANNA], 10)
    with pytest.raises(Throttled):
        await rates.charge([ANNA], 10)
    bram = Caller(ACCOUNT, 2)
    await rates.charge([bram], 500)  # more than the share, and still one request may cost it
    now += 30
    with pytest.raises(Throttled):
        await rates.charge([bram], 1)


async def test_who_called_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.rates.REMEMBERED_MOST", 2)
    rates = alone(100)
    for name in (1, 2, 1, 3):
        await rates.charge([Caller(ACCOUNT, name)], 60 if name != 1 else 10)
    assert [caller.name for caller in rates._purses] == [1, 3]


class Counting:
    """Takes from the database, and counts how often."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.count = 0

    async def take(self, wishes: Sequence[Wish]) -> Mapping[UUID, Grant]:
        """As `Take`."""
        self.count += 1
        async with self._database.transaction(None) as tx:
            return await take(tx, wishes)


async def spend(rates: Rates, caller: Caller, cost: int, seconds: float) -> int:
    """How much a caller can spend in this time who does not stop asking."""
    spent, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            await rates.charge([caller], cost)
            spent += cost
        except Throttled:
            await asyncio.sleep(0.001)
    return spent


@pytest.mark.parametrize("cost", [1, 21, 421])
async def test_processes_together_allow_what_one_does(cost: int, database: Database) -> None:
    caller, rate, processes = Caller(ACCOUNT, uuid4().int), 12_000, 4
    takes = [Counting(database) for _ in range(processes)]
    several = [Rates({ACCOUNT: rate}, each.take, secret=SECRET) for each in takes]
    began = time.monotonic()
    spent = sum(await asyncio.gather(*(spend(each, caller, cost, 1.0) for each in several for _ in range(3))))
    most = rate * (1 + (time.monotonic() - began) / 60)
    assert rate - processes * (rate / ADVANCES + cost) <= spent <= most
    # A statement takes a twentieth of the rate; when nothing is left, each process asks four times in a second.
    assert sum(each.count for each in takes) <= ADVANCES + processes * (1 + 5)
    for each in several:
        await each.close()


async def test_what_a_process_holds_in_advance_is_a_twentieth_at_the_most(database: Database) -> None:
    """The stated bound: an advance that was taken long before may be spent on top, and is void after a minute."""
    now, caller, rate = 1000.0, Caller(ACCOUNT, uuid4().int), 12_000
    rates = Rates({ACCOUNT: rate}, Counting(database).take, secret=SECRET, clock=lambda: now)
    await rates.charge([caller], 1)
    purse = rates._purses[caller]
    assert purse.held == rate / ADVANCES
    for cost in (13, 599, 700, 5_000):
        await rates.charge([caller], cost)
        assert purse.held <= rate / ADVANCES
    now += 61
    await rates.charge([caller], 0)
    assert purse.held == 0
    await rates.close()


async def test_callers_who_wait_share_a_statement(database: Database) -> None:
    taking = Counting(database)
    rates = Rates({ACCOUNT: 12_000}, taking.take, secret=SECRET)
    callers = [Caller(ACCOUNT, uuid4().int) for _ in range(200)]
    await asyncio.gather(*(rates.charge([each], 1) for each in callers for _ in range(5)))
    assert taking.count <= 3
    assert {rates._purses[caller].held for caller in callers} == {12_000 / ADVANCES - 4}
    await rates.close()
