"""Everybody with an account in the demo.

Promises: pure. The well-known come first, under the same ids in every demo; the others in the order in which they came,
and who came first is on most sites.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from gateway.demo.cast import CAST
from gateway.demo.chance import RANDOM_BITS, chance, time_ordered
from gateway.demo.moments import END, SECOND, START
from gateway.demo.names import address, person_name

MARK = 0xDE3  # stands in every id of a site or an account that the demo made
PEOPLE_MAX = 10_000_000  # well before the first id that any account really got


@dataclass(frozen=True, slots=True)
class Person:
    """An account."""

    id: UUID
    name: str
    email: str
    platform_role: int
    created_us: int


def account_id(number: int) -> UUID:
    """The id of the person with this number, in every demo."""
    digest = hashlib.blake2b(b"account %d" % number, digest_size=8).digest()
    return time_ordered(START + number * SECOND, MARK, int.from_bytes(digest, "big") >> 64 - RANDOM_BITS)


def ids_of_people() -> tuple[UUID, UUID]:
    """Two ids between which are those of the demo's accounts, and no others: nobody had a real one in 2012."""
    return time_ordered(START, MARK, 0), time_ordered(START + PEOPLE_MAX * SECOND, MARK, 0)


def make_people(count: int, seed: int) -> list[Person]:
    """The well-known, and others up to `count`."""
    known = [
        Person(account_id(number), part.name, part.email, int(part.platform_role), START)
        for number, part in enumerate(CAST)
    ]
    rng = chance(seed, "people")
    others = []
    for number in range(len(CAST), count):
        name = person_name(rng)
        # The square grew faster as it grew.
        created_us = START + int((END - START) * (number / count) ** 0.7)
        others.append(Person(account_id(number), name, address(name, number), 0, created_us))
    return known + others
