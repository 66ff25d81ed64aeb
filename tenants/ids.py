"""Time-ordered identifiers: UUID version 7 (RFC 9562, section 5.7).

Promises: within one process each id is greater than the one before, in every thread, also when the clock stands still
or goes back; ids of several processes never collide but by 62 random bits. Never tells more than the millisecond.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from uuid import UUID

COUNTER_BITS = 12  # the field rand_a, used as a counter (RFC 9562, section 6.2, method 1)
COUNTER_MAX = (1 << COUNTER_BITS) - 1
RANDOM_BITS = 62
VERSION = 0x7 << 76
VARIANT = 0b10 << 62


class Sequence:
    """Hands out ids; `clock` gives the time in nanoseconds since 1970."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._time_ms = 0
        self._counter = 0

    def __call__(self) -> UUID:
        """The next id."""
        noise = int.from_bytes(os.urandom(10), "big")
        with self._lock:
            now_ms = self._clock() // 1_000_000
            if now_ms > self._time_ms:
                self._time_ms = now_ms
                self._counter = noise >> 69  # 11 bits: the lower half of the counter, so that it has room to grow
            elif self._counter < COUNTER_MAX:
                self._counter += 1
            else:
                self._time_ms += 1  # more than the counter holds: borrow from the next millisecond
                self._counter = 0
            head = (self._time_ms & (1 << 48) - 1) << 80 | self._counter << 64
        return UUID(int=head | VERSION | VARIANT | noise & (1 << RANDOM_BITS) - 1)


uuid7 = Sequence()
"""The process's one sequence."""
