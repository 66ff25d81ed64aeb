"""One clock for all requests: who is late is cancelled, others go on, and nobody else's cancelling is mistaken."""

from __future__ import annotations

import asyncio

import pytest

from gateway.clock import Clock

SOON_S = 0.05
Tasks = Clock["asyncio.Task[str]"]


def clock(time_s: float) -> Tasks:
    return Clock(time_s, 0.25, asyncio.Task.cancel)


async def answer(deadlines: Tasks, work: asyncio.Future[str] | float) -> str:
    """A request as the door runs it."""
    task = asyncio.current_task()
    assert task is not None
    deadlines.begin(task)
    try:
        try:
            await (asyncio.sleep(work) if isinstance(work, float) else work)
        finally:
            is_late = not deadlines.end(task)
            if is_late:
                task.uncancel()
    except asyncio.CancelledError:
        if not is_late or task.cancelling():
            raise
        await asyncio.sleep(0)  # it goes on as if it had never been cancelled
        return "late"
    return "done"


async def test_only_what_is_late_is_cancelled() -> None:
    deadlines = clock(SOON_S)
    quick = [answer(deadlines, 0.0) for _ in range(5)]
    slow = [answer(deadlines, 30.0) for _ in range(5)]
    assert await asyncio.wait_for(asyncio.gather(*quick, *slow), 5) == ["done"] * 5 + ["late"] * 5


async def test_a_request_that_begins_later_ends_later() -> None:
    deadlines, loop = clock(4 * SOON_S), asyncio.get_running_loop()
    began = loop.time()
    first = asyncio.create_task(answer(deadlines, 30.0))
    await asyncio.sleep(2 * SOON_S)
    second = asyncio.create_task(answer(deadlines, 30.0))
    assert await first == "late"
    assert not second.done()
    assert await second == "late"
    assert loop.time() - began >= 6 * SOON_S


async def test_whoever_else_cancels_is_obeyed() -> None:
    deadlines = clock(30)
    task = asyncio.create_task(answer(deadlines, 30.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_clock_stops_when_nothing_is_under_way_and_starts_again() -> None:
    deadlines = clock(SOON_S)
    assert await answer(deadlines, 0.0) == "done"
    await asyncio.sleep(3 * SOON_S)
    assert deadlines._loop is None
    assert await asyncio.wait_for(answer(deadlines, 30.0), 5) == "late"


async def test_what_ended_is_not_told_of_and_what_is_late_once() -> None:
    late: list[str] = []
    few = Clock[str](SOON_S, 1.0, late.append)
    for each in ("first", "second", "third"):
        few.begin(each)
    assert few.end("second")
    await asyncio.sleep(4 * SOON_S)
    assert late == ["first", "third"]
    assert [few.end(each) for each in ("first", "second", "never")] == [False, False, False]
    assert few._loop is None
