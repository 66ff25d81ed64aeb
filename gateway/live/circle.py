"""All who follow the same: they are told the same, event by event, in order.

Promises: a follower is told of events after the place where they began, each once, in order, as long as they may see
it; a fault ends what it concerns with a coded error, so that nobody believes to follow what is not followed any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from uuid import UUID

from auth.viewer import Viewer
from gateway.context import Square
from gateway.errors import ErrorObject, problem_from
from gateway.execute.run import EVERYWHERE
from gateway.execute.splice import suspended
from gateway.live.answers import Told, answers
from gateway.live.question import Question
from schema.compiler.audience import VISITOR
from schema.errors import ErrorCode, PleinError
from tenants.outbox import Event, Position

PENDING_MOST = 1_000
"""How many events a circle may lie behind."""

PAUSES_S = (0.2, 1.0, 3.0)
"""How long to wait before each further attempt while the database is away."""

logger = logging.getLogger(__name__)


class Follower:
    """One subscription on one connection. `tell` and `fail` must not wait; after `fail` there is nothing more."""

    __slots__ = ("account", "after", "assurance", "circle", "fail", "held", "is_following", "tell")

    def __init__(
        self,
        circle: Circle,
        viewer: Viewer,
        after: Position,
        tell: Callable[[Told], None],
        fail: Callable[[Sequence[ErrorObject]], None],
    ) -> None:
        self.circle = circle
        self.account = viewer.account_id or VISITOR
        self.assurance = viewer.assurance
        self.after = after
        self.tell = tell
        self.fail = fail
        self.held: list[Told] | None = None  # what is new while they are still told what they missed
        self.is_following = True
        circle.followers.add(self)

    def hear(self, told: Told) -> None:
        """Something new, in its turn."""
        if not self.is_following:
            return
        if self.held is None:
            self.tell(told)
        elif len(self.held) < PENDING_MOST:
            self.held.append(told)
        else:
            self.end(too_far_behind())

    def end(self, error: Exception) -> None:
        """Tell the reason, and nothing after it."""
        if self.is_following:
            self.leave()
            self.fail(problem_from(error).errors)

    def leave(self) -> None:
        """Follow no more."""
        self.is_following = False
        self.circle.followers.discard(self)


class Circle:
    """The followers of one question, and the events they have still to be told."""

    def __init__(self, question: Question, gate: asyncio.Semaphore) -> None:
        self.question = question
        self.followers: set[Follower] = set()
        self._gate = gate
        self._pending: deque[Event] = deque()
        self._task: asyncio.Task[None] | None = None

    def push(self, square: Square, event: Event) -> None:
        """An event on the question's site: on its topic, or that the site is closed."""
        if event.topic == self.question.binding.topic and not self.question.asks_for(event):
            return
        if len(self._pending) >= PENDING_MOST:
            self.end_all(too_far_behind())
            return
        self._pending.append(event)
        if self._task is None:
            self._task = asyncio.create_task(self._work(square))

    def end_all(self, error: Exception) -> None:
        """End it for everybody, with the reason."""
        self._pending.clear()
        for follower in list(self.followers):
            follower.end(error)

    def close(self) -> None:
        """Work no more."""
        if self._task is not None:
            self._task.cancel()

    async def _work(self, square: Square) -> None:
        try:
            while self._pending and self.followers:
                await self._tell(square, self._pending.popleft())
        except Exception as error:  # whoever waits must be told
            self.end_all(error)
        finally:
            self._task = None
            self._pending.clear()

    async def _tell(self, square: Square, event: Event) -> None:
        hearers: dict[UUID, list[Follower]] = {}
        for follower in self.followers:
            if follower.after < event.position:
                hearers.setdefault(follower.account, []).append(follower)
        if event.topic != self.question.binding.topic:
            for followers in hearers.values():
                for follower in followers:
                    follower.end(suspended())
            return
        told = await self.answers(square, event, list(hearers)) if hearers else {}
        for account, each in told.items():
            for follower in hearers[account]:
                follower.hear(each)

    async def answers(self, square: Square, event: Event, accounts: list[UUID]) -> dict[UUID, Told]:
        """What each account is told, tried again for some seconds while the database is away."""
        for pause_s in PAUSES_S:
            try:
                return await answers(square, self.question, event, accounts, self._gate)
            except EVERYWHERE as error:
                logger.warning("an event waits for the database: %s", error)
                await asyncio.sleep(pause_s)
        return await answers(square, self.question, event, accounts, self._gate)


def too_far_behind() -> PleinError:
    """More happened than could be told."""
    message = "More happens here than can be told in time. Read it again, then follow it again."
    return PleinError(ErrorCode.UNAVAILABLE, message)
