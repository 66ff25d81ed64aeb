"""Ids are of version 7, ordered within the process whatever the clock does, and never handed out twice."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from tenants.ids import Sequence, uuid7


def test_form_and_time() -> None:
    before_ms = time.time_ns() // 1_000_000
    made = uuid7()
    after_ms = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == RFC_4122
    assert before_ms <= made.int >> 80 <= after_ms


@given(st.lists(st.integers(min_value=0, max_value=2**47), min_size=1, max_size=200))
def test_ordered_whatever_the_clock_does(times_ms: list[int]) -> None:
    clock = iter(times_ms)
    sequence = Sequence(lambda: next(clock) * 1_000_000)
    made = [sequence() for _ in times_ms]
    assert made == sorted(set(made))
    assert {each.version for each in made} == {7}


def test_ordered_beyond_what_one_millisecond_holds() -> None:
    sequence = Sequence(lambda: 1_000_000)
    made = [sequence() for _ in range(10_000)]
    assert made == sorted(set(made))


def test_no_two_threads_get_the_same() -> None:
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(lambda _: [uuid7() for _ in range(2000)], range(8)))
    assert len({each for batch in batches for each in batch}) == 16_000
    assert all(batch == sorted(batch) for batch in batches)
