"""Long work in slices: a function that takes long lets the event loop go on now and then.

Promises: who calls `breathe` in short turns holds the loop up for some milliseconds only, and may be cancelled there;
outside of `sliced` it does nothing. The work stays on its thread, so it needs no lock for what nobody else touches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

from sqlalchemy.util import await_, greenlet_spawn
from sqlalchemy.util.concurrency import in_greenlet

SLICE_S = 0.003

T = TypeVar("T")


@dataclass
class _Slice:
    """The slice that runs now: only one does, as all of them share a thread."""

    ends_at: float = 0.0


_SLICE = _Slice()


async def sliced(work: Callable[[], T]) -> T:
    """What the function gives or raises; it is run in slices, between which others have their turn."""
    _SLICE.ends_at = perf_counter() + SLICE_S
    return await greenlet_spawn(work)


def breathe() -> None:
    """Let others have their turn, if the slice is over."""
    if in_greenlet() and perf_counter() >= _SLICE.ends_at:
        await_(asyncio.sleep(0))
        _SLICE.ends_at = perf_counter() + SLICE_S
