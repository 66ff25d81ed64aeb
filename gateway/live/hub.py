"""The hub: reads the outbox for everybody who follows something in this process.

Promises: while nobody follows anything it does nothing. A new event is read once per process, whoever follows it; what
one's own process writes is told without a detour, other processes are told by the database. A fault while reading costs
a delay: reading goes on from where it was. Followers and connections are bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

from auth.revocations import Revoked
from auth.viewer import ANONYMOUS, Viewer
from gateway.context import Square
from gateway.errors import ErrorObject
from gateway.execute.plans import Plans
from gateway.limits import limit_exceeded
from gateway.live.answers import Told
from gateway.live.circle import Circle, Follower
from gateway.live.outlet import Outlet, Reason
from gateway.live.question import Asked, read_cursor, require_known
from schema.compiler.audience import VISITOR
from schema.errors import ErrorCode, PleinError, bad_input, step_up_required
from schema.events import Topic
from tenants.errors import TenantsError
from tenants.listener import Listener
from tenants.outbox import Event, News, Position, announce, load_horizon, load_missed, load_news
from tenants.registry import Registry
from tenants.settings import DatabaseSettings

AT_ONCE = 32  # statements for events at the same time; the reader has room for more, which others need
ANNOUNCE_S = 0.05  # other processes are told at most this often
WAIT_S = (0.005, 0.5)  # first and longest pause while a transaction that is not ended holds events back
FAULT_S = 1.0
DRAIN_S = 8.0  # less than the server waits for requests under way
MISSED_MOST = 1_000

logger = logging.getLogger(__name__)

Tell = Callable[[Told], None]
Fail = Callable[[Sequence[ErrorObject]], None]


class Live:
    """Who follows what; one per process, on one event loop."""

    def __init__(self, settings: DatabaseSettings, *, most: int, heartbeat_s: float) -> None:
        self.plans = Plans()
        self._most = most
        self._heartbeat_s = heartbeat_s
        self._followers = 0
        self._circles: dict[tuple[object, ...], Circle] = {}
        self._by_topic: dict[tuple[UUID, str], dict[Circle, None]] = {}
        self._position: Position | None = None
        self._entering = asyncio.Lock()
        self._woken = asyncio.Event()
        self._listener = Listener(settings, self._woken.set)
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._announcing = False
        self._outlets: dict[Outlet, Viewer] = {}
        self._emptied: asyncio.Event | None = None
        self.is_draining = False

    @property
    def count(self) -> int:
        """How many subscriptions run."""
        return self._followers

    def announce(self, square: Square) -> None:
        """An event was committed here: tell the own process at once, the others soon. Never fails."""
        self._woken.set()
        if not self._announcing and not self.is_draining:
            self._announcing = True
            self._spawn(self._announce(square))

    async def subscribe(
        self, square: Square, asked: Asked, viewer: Viewer, since: str | None, ways: tuple[Outlet, Tell, Fail]
    ) -> Follower:
        """Follow what is asked, from now on or since a cursor. Raises PleinError, and what reading raises."""
        outlet, tell, fail = ways
        if self.is_draining:
            raise PleinError(ErrorCode.UNAVAILABLE, "This server is about to stop; connect again.")
        if self._followers >= self._most:
            raise limit_exceeded("subscriptions", self._most)
        question = await asked.enter(square, viewer)
        secret = square.settings.secret.encode()
        from_ = None if since is None else read_cursor(secret, question.tenant.id, since)
        position = await self._begin(square)
        tenant = await square.registry.by_id(question.tenant.id)  # it may demand more by now
        if tenant is not None:
            require_known(square, tenant, viewer)
        circle = self._circles.get(question.key)
        if circle is None:
            circle = self._circles[question.key] = Circle(question, self._gate)
            self._by_topic.setdefault((question.tenant.id, question.binding.topic), {})[circle] = None
        follower = Follower(circle, viewer, position if from_ is None else max(position, from_), tell, fail)
        self._followers += 1
        if from_ is not None and from_ < position:
            follower.held = []
            self._spawn(self._catch_up(square, follower, (from_, position), outlet))
        return follower

    def leave(self, follower: Follower) -> None:
        """Follow no more. To be called once for everybody who began, also after a failure."""
        follower.leave()
        self._followers -= 1
        if not follower.circle.followers:
            self._forget(follower.circle)

    def connect(self, outlet: Outlet, viewer: Viewer = ANONYMOUS) -> None:
        """A connection began, or it is known now whose it is: it gets heartbeats, and is ended with the process."""
        if not self._outlets:
            self._spawn(self._beat())
        self._outlets[outlet] = viewer

    def revoke(self, revoked: Revoked) -> None:
        """End every connection that was opened by what is valid no more."""
        for outlet, viewer in list(self._outlets.items()):
            if revoked.is_about(viewer):
                outlet.close(Reason.REVOKED)

    def look_anew(self, registry: Registry, base_url: str, tenant_id: UUID) -> None:
        """A site demands more of how people signed in: whoever it does not know any more follows it no more."""
        registry.forget(tenant_id)
        circles = [circle for topic in Topic for circle in self._by_topic.get((tenant_id, topic), ())]
        if circles:
            self._spawn(self._look_anew(registry, base_url, tenant_id, circles))

    async def _look_anew(self, registry: Registry, base_url: str, tenant_id: UUID, circles: list[Circle]) -> None:
        try:
            tenant = await registry.by_id(tenant_id)
        except TenantsError as error:  # what it demands is not known: nobody may stay
            for circle in circles:
                circle.end_all(error)
            return
        if tenant is None or tenant.demand is None:
            return
        for circle in circles:
            for follower in list(circle.followers):
                if follower.account != VISITOR and not follower.assurance.meets(tenant.demand):
                    follower.end(step_up_required(tenant.slug, base_url))

    def disconnect(self, outlet: Outlet) -> None:
        """A connection ended."""
        self._outlets.pop(outlet, None)
        if not self._outlets and self._emptied is not None:
            self._emptied.set()

    async def drain(self) -> None:
        """Ask every connection to come back elsewhere, and wait until they are gone."""
        self.is_draining = True
        for outlet in list(self._outlets):
            outlet.close(Reason.GOING)
        if self._outlets:
            self._emptied = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), DRAIN_S)

    async def close(self) -> None:
        """Stop at once."""
        await self.drain()
        await self._listener.close()
        for circle in self._circles.values():
            circle.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _begin(self, square: Square) -> Position:
        """The place from which news is read, with the reading begun."""
        async with self._entering:
            if self._position is None:
                self._position = await load_horizon(square.reader, square.registry.platform_role)
                self._listener.open()
                self._spawn(self._follow(square))
            return self._position

    async def _follow(self, square: Square) -> None:
        """Read what is new whenever somebody says so, until nobody follows anything any more."""
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                if not self._followers and not self._entering.locked():
                    return
                try:
                    await self._read_all(square)
                except TenantsError as error:
                    logger.warning("cannot read what is new, trying again: %s", error)
                    await asyncio.sleep(FAULT_S)
                    self._woken.set()
        finally:
            self._position = None

    async def _read_all(self, square: Square) -> None:
        pause_s = WAIT_S[0]
        while True:
            assert self._position is not None
            news = await load_news(square.reader, square.registry.platform_role, self._position)
            self._take(square, news)
            if not news.waiting:
                return
            if news.events:
                pause_s = WAIT_S[0]
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), pause_s)
            self._woken.clear()
            pause_s = min(pause_s * 2, WAIT_S[1])

    def _take(self, square: Square, news: News) -> None:
        """Hand out what is new. Nothing is awaited here: who begins now begins before or after all of it."""
        assert self._position is not None
        if news.horizon < self._position and not news.events:
            logger.warning("the database went back in time: it was restored, or another took over")
            self._position = news.horizon
        for event in news.events:
            self._position = event.position
            for circle in self._by_topic.get((event.tenant_id, event.topic), ()):
                circle.push(square, event)
            if event.topic == Topic.SITE and event.kind == "SUSPENDED":
                self._suspend(square, event)

    def _suspend(self, square: Square, event: Event) -> None:
        for topic in Topic:
            if topic is not Topic.SITE:
                for circle in self._by_topic.get((event.tenant_id, topic), ()):
                    circle.push(square, event)

    async def _catch_up(
        self, square: Square, follower: Follower, between: tuple[Position, Position], outlet: Outlet
    ) -> None:
        """Tell one follower what they missed, no faster than it is taken, and then what happened meanwhile."""
        circle = follower.circle
        question = circle.question
        try:
            role, topic = square.registry.platform_role, question.binding.topic
            missed = await load_missed(
                square.reader, role, question.tenant.id, topic, question.within_id, between, MISSED_MOST + 1
            )
            if len(missed) > MISSED_MOST:
                message = f"More than {MISSED_MOST} things happened since. Read the list again, then follow it."
                raise bad_input("since", message)  # noqa: TRY301 - one way out for all that fails here
            for event in filter(question.asks_for, missed):
                told = await circle.answers(square, event, [follower.account])
                await outlet.room()
                if not follower.is_following:
                    return
                if follower.account in told:
                    follower.tell(told[follower.account])
            while follower.held:
                told_meanwhile, follower.held = follower.held, []
                for each in told_meanwhile:
                    await outlet.room()
                    if follower.is_following:
                        follower.tell(each)
            follower.held = None
        except Exception as error:  # whoever waits must be told
            follower.end(error)

    async def _announce(self, square: Square) -> None:
        try:
            async with square.database.transaction(None) as tx:
                await announce(tx)
        except Exception as error:  # they look by themselves after a while
            logger.warning("other processes are not told of an event: %s", error)
        await asyncio.sleep(ANNOUNCE_S)
        self._announcing = False

    async def _beat(self) -> None:
        """Go round all connections, so that each has its turn once per heartbeat."""
        while self._outlets:
            outlets = list(self._outlets)
            pause_s = self._heartbeat_s / len(outlets)
            slept_s = 0.0
            for outlet in outlets:
                slept_s += pause_s
                if slept_s >= 0.1:
                    await asyncio.sleep(slept_s * random.uniform(0.9, 1.1))  # noqa: S311 - to spread the load
                    slept_s = 0.0
                outlet.beat()

    def _forget(self, circle: Circle) -> None:
        question = circle.question
        if self._circles.get(question.key) is circle:
            del self._circles[question.key]
        place = (question.tenant.id, question.binding.topic)
        circles = self._by_topic.get(place, {})
        circles.pop(circle, None)
        if not circles:
            self._by_topic.pop(place, None)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
