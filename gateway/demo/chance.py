"""Chance that can be had again: random numbers from a name, skewed picks, and totals shared out exactly.

Promises: pure; the same name gives the same numbers on every machine. Never for secrets.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")

VERSION = 0x7 << 76
VARIANT = 0b10 << 62
RANDOM_BITS = 62


def chance(*name: object) -> Random:
    """A source of random numbers of its own for everything that has a name."""
    return Random("/".join(map(str, name)))  # noqa: S311 - a demo must come out the same, which no secret may


def time_ordered(moment_us: int, counter: int, tail: int) -> UUID:
    """An identifier in the form of UUID version 7: microseconds since 1970, 12 bits, and the last 62 bits."""
    return UUID(int=(moment_us // 1000) << 80 | VERSION | counter << 64 | VARIANT | tail)


def some_id(rng: Random, moment_us: int) -> UUID:
    """An identifier for what came to be at this moment."""
    noise = rng.getrandbits(RANDOM_BITS + 12)
    return time_ordered(moment_us, noise >> RANDOM_BITS, noise & (1 << RANDOM_BITS) - 1)


def zipf(count: int, exponent: float) -> list[float]:
    """Weights of places 1 to `count`, as sizes of communities are distributed: the first is largest by far."""
    return [place**-exponent for place in range(1, count + 1)]


def share_out(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to the weights that add up to `total` (largest remainders)."""
    sum_of_weights = sum(weights)
    if total <= 0 or not sum_of_weights:
        return [0] * len(weights)
    exact = [total * weight / sum_of_weights for weight in weights]
    shares = [int(each) for each in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: shares[place] - exact[place])
    for place in by_remainder[: total - sum(shares)]:
        shares[place] += 1
    return shares


def early(rng: Random, count: int, skew: float) -> int:
    """A place below `count`, the first ones more often: with skew 1 all alike, with 2 half are in the first quarter."""
    return int(count * rng.random() ** skew)


class Lot(Generic[T]):
    """Words to draw from, by weight."""

    def __init__(self, weights: dict[T, float]) -> None:
        self._words = list(weights)
        self._bounds = list(accumulate(weights.values()))

    def draw(self, rng: Random) -> T:
        """One of the words."""
        return rng.choices(self._words, cum_weights=self._bounds)[0]
