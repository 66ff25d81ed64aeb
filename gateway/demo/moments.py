"""Moments: whole microseconds since 1970, the years the demo tells of, and the hours at which people write.

Promises: pure. Never asks what time it is: the demo ends at the same moment whenever it is made.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAYS_FROM_MONDAY = 3  # 1 January 1970 was a Thursday


def in_us(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def as_datetime(moment_us: int) -> datetime:
    """The moment, in UTC."""
    return EPOCH + timedelta(microseconds=moment_us)


START = in_us(datetime(2012, 1, 2, 8, tzinfo=UTC))
"""When the square opened."""

END = in_us(datetime(2026, 6, 30, 22, tzinfo=UTC))
"""Nothing in the demo is younger."""


def between(rng: Random, first: int, skew: float = 1.0) -> int:
    """A moment from `first` to the end; a skew over 1 makes early ones likelier, under 1 late ones."""
    return first + int((END - first) * rng.random() ** skew)


def at_work(rng: Random, moment: int, first: int) -> int:
    """About the same day, but at an hour when people write and seldom at the weekend; never before `first`."""
    day = moment // DAY
    weekday = (day + DAYS_FROM_MONDAY) % 7
    if weekday > 4 and rng.random() < 0.7:
        day -= weekday - 4
    moved = day * DAY + 6 * HOUR + int((rng.random() + rng.random()) * 7.5 * HOUR)
    return moved if first <= moved <= END else moment


def soon_after(rng: Random, moment: int, mean_days: float) -> int:
    """A moment after this one, mostly within a few days; the end at the latest."""
    wait = int(rng.expovariate(1 / mean_days) * DAY) + SECOND
    return moment + wait if moment + wait < END else moment + int((END - moment) * rng.random())


class Distinct:
    """Hands out moments so that no two are the same."""

    def __init__(self) -> None:
        self._used: set[int] = set()

    def __call__(self, moment: int) -> int:
        """This moment, or the next that is free."""
        while moment in self._used:
            moment += 1
        self._used.add(moment)
        return moment
