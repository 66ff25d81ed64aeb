"""One clock for all requests: who is late is cancelled, others go on, and nobody else's cancelling is mistaken."""

from __future__ import annotations

import asyncio

import pytest

from gateway.deadlines import Deadlines

SOON_S = 0.05


async def answer(deadlines: Deadlines, work: asyncio.Future[str] | float) -> str:
    """A request as the door runs it."""
    task = deadlines.begin()
    try:
        try:
            await (asyncio.sleep(work) if isinstance(work, float) else work)
        finally:
            is_late = deadlines.end(task)
    except asyncio.CancelledError:
        if not is_late or task.cancelling():
            raise
        await asyncio.sleep(0)  # it goes on as if it had never been cancelled
        return "late"
    return "done"


async def test_only_what_is_late_is_cancelled() -> None:
    deadlines = Deadlines(SOON_S)
    quick = [answer(deadlines, 0.0) for _ in range(5)]
    slow = [answer(deadlines, 30.0) for _ in range(5)]
    assert await asyncio.wait_for(asyncio.gather(*quick, *slow), 5) == ["done"] * 5 + ["late"] * 5


async def test_a_request_that_begins_later_ends_later() -> None:
    deadlines, loop = Deadlines(4 * SOON_S), asyncio.get_running_loop()
    began = loop.time()
    first = asyncio.create_task(answer(deadlines, 30.0))
    await asyncio.sleep(2 * SOON_S)
    second = asyncio.create_task(answer(deadlines, 30.0))
    assert await first == "late"
    assert not second.done()
    assert await second == "late"
    assert loop.time() - began >= 6 * SOON_S


async def test_whoever_else_cancels_is_obeyed() -> None:
    deadlines = Deadlines(30)
    task = asyncio.create_task(answer(deadlines, 30.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_clock_stops_when_nothing_is_under_way_and_starts_again() -> None:
    deadlines = Deadlines(SOON_S)
    assert await answer(deadlines, 0.0) == "done"
    await asyncio.sleep(3 * SOON_S)
    assert deadlines._loop is None
    assert await asyncio.wait_for(answer(deadlines, 30.0), 5) == "late"
