"""The operations of one connection: several at once, each under the id that the client gave it.

Promises: each operation is answered in its own right, and ends once: by its last answer, by an error, or by the client.
A subscription that runs holds no task. How many run at once is bounded. Never knows how a message is written: `Speech`
does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any, Protocol

import orjson
from graphql import OperationType

from gateway.context import Square
from gateway.documents import Prepared
from gateway.errors import ErrorObject, problem_from
from gateway.limits import limit_exceeded
from gateway.live.answers import Told
from gateway.live.circle import Follower
from gateway.live.outlet import Outlet
from gateway.live.question import read_question
from gateway.request import GraphQLRequest
from gateway.visit import Visit, admit, run_in_parts, run_prepared


class Speech(Protocol):
    """How a transport writes what is to be told, ready for its `Outlet`."""

    def next(self, id_: str, told: Told) -> Any:
        """A result of the operation."""
        ...

    def failed(self, id_: str, errors: Sequence[ErrorObject]) -> Any:
        """The operation could not be run, or not any further; nothing follows."""
        ...

    def complete(self, id_: str) -> Any:
        """The operation is done; nothing follows."""
        ...


class Operations:
    """What runs on one connection, on behalf of one caller."""

    __slots__ = ("_follows", "_outlet", "_speech", "_square", "_tasks", "_visit")

    def __init__(self, square: Square, visit: Visit, outlet: Outlet, speech: Speech) -> None:
        self._square = square
        self._visit = visit
        self._outlet = outlet
        self._speech = speech
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._follows: dict[str, Follower] = {}

    def __contains__(self, id_: str) -> bool:
        return id_ in self._tasks or id_ in self._follows

    def start(self, id_: str, request: GraphQLRequest | Prepared, since: str | None = None) -> None:
        """Run an operation; `since` is a cursor from outside the document. The id must be free."""
        most = self._square.settings.limits.operations
        if len(self._tasks) + len(self._follows) >= most:
            self._outlet.put(self._speech.failed(id_, problem_from(limit_exceeded("operations", most)).errors))
            return
        self._tasks[id_] = asyncio.create_task(self._run(id_, request, since))

    def stop(self, id_: str) -> None:
        """The client wants no more of it; an id that does not run is no fault."""
        task = self._tasks.pop(id_, None)
        if task is not None:
            task.cancel()
        follower = self._follows.pop(id_, None)
        if follower is not None:
            self._square.live.leave(follower)

    def stop_all(self) -> None:
        """The connection is gone."""
        for id_ in [*self._tasks, *self._follows]:
            self.stop(id_)

    async def _run(self, id_: str, request: GraphQLRequest | Prepared, since: str | None) -> None:
        try:
            prepared = request if isinstance(request, Prepared) else await admit(self._square, self._visit, request)
            if prepared.operation.type is OperationType.SUBSCRIPTION:
                await self._follow(id_, prepared, since)
                return
            if prepared.operation.is_incremental:
                await self._deliver(id_, prepared)
                return
            told = Told(await _run_in_time(self._square, self._visit, prepared))
        except Exception as error:  # the one map decides what is shown
            self._fail(id_, problem_from(error).errors)
            return
        await self._outlet.room()
        self._tasks.pop(id_, None)
        self._outlet.put(self._speech.next(id_, told))
        self._outlet.put(self._speech.complete(id_))

    async def _deliver(self, id_: str, prepared: Prepared) -> None:
        """Each part of the answer is a result; no more are made than the client takes."""
        async with aclosing(run_in_parts(self._square, self._visit, prepared)) as payloads:
            async for payload in payloads:
                await self._outlet.room()
                body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
                self._outlet.put(self._speech.next(id_, Told(body)))
        self._tasks.pop(id_, None)
        self._outlet.put(self._speech.complete(id_))

    async def _follow(self, id_: str, prepared: Prepared, since: str | None) -> None:
        square = self._square
        viewer = self._visit.viewer
        asked = read_question(square, square.live.plans, prepared, viewer)

        def tell(told: Told) -> None:
            self._outlet.put(self._speech.next(id_, told))

        def fail(errors: Sequence[ErrorObject]) -> None:
            self._fail(id_, errors)

        ways = (self._outlet, tell, fail)
        # Nothing is awaited between the beginning and the keeping, so that whoever stops it finds one or the other.
        self._follows[id_] = await square.live.subscribe(square, asked, viewer, since or asked.since, ways)
        self._tasks.pop(id_, None)

    def _fail(self, id_: str, errors: Sequence[ErrorObject]) -> None:
        self._tasks.pop(id_, None)
        follower = self._follows.pop(id_, None)
        if follower is not None:
            self._square.live.leave(follower)
        self._outlet.put(self._speech.failed(id_, errors))


async def _run_in_time(square: Square, visit: Visit, prepared: Prepared) -> bytes:
    """The body of the response to a query or a mutation, within the time for a request."""
    most = square.settings.limits.time_ms
    try:
        async with asyncio.timeout(most / 1000) as deadline:
            return await run_prepared(square, visit, prepared)
    except TimeoutError:
        if deadline.expired():
            raise limit_exceeded("time_ms", most) from None
        raise
