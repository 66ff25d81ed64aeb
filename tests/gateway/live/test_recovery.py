"""Nothing is lost and nothing told twice: across breaks, among writers that overlap, and when the database goes."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select, update

from gateway.live.question import write_cursor
from schema.compiler.audience import VISITOR
from tenants.ids import uuid7
from tenants.listener import POLL_S
from tenants.outbox import EVENT, Event, NewEvent, Position, announce, append, load_horizon, load_missed, prune
from tenants.registry import TenantRef
from tenants.site_tables import Content
from tenants.tables import table_of
from tests.gateway.live.running import SOON_S, Running
from tests.gateway.live.test_subscriptions import following, last_event, refusal
from tests.gateway.mutations.door import id_of
from tests.gateway.mutations.test_content import published

CHANGED = (
    "subscription ($site: ID!, $since: String) { contentChanged(site: $site, since: $since) { contentId cursor } }"
)
WRITERS = 6
EVENTS_PER_WRITER = 25


async def test_what_was_missed_comes_first_and_in_order(live: Running) -> None:
    site, owner = await live.site()
    member = await live.member(site)
    async with live.socket(member) as socket:
        await following(live, socket, CHANGED, site=id_of("S", site))
        first = await published(live, owner, site)
        told = (await socket.next())["contentChanged"]
        assert told["contentId"] == first
    missed = [await published(live, owner, site, access=each) for each in ("MEMBERS", "PRIVATE", "PUBLIC")]
    async with live.socket(member) as socket:
        await following(live, socket, CHANGED, site=id_of("S", site), since=told["cursor"])
        then = await published(live, owner, site)
        heard = [(await socket.next())["contentChanged"]["contentId"] for _ in range(3)]
        assert heard == [missed[0], missed[2], then]
        assert await socket.is_quiet()
    async with live.events(member, CHANGED, {"last-event-id": told["cursor"]}, site=id_of("S", site)) as events:
        assert [(await events.next())["contentChanged"]["contentId"] for _ in range(3)] == [missed[0], missed[2], then]


async def test_a_cursor_of_elsewhere_or_of_long_ago_is_refused(live: Running) -> None:
    site, owner = await live.site()
    other, _ = await live.site()
    await published(live, owner, site)
    event = await last_event(live, site)
    secret = live.square.settings.secret.encode()
    foreign = write_cursor(secret, other.id, event)
    old = write_cursor(secret, site.id, _aged(event, days=8))
    recent = write_cursor(secret, site.id, _aged(event, days=6))
    async with live.socket() as socket:
        for cursor in (foreign, old, "x", ""):
            expected = ("BAD_USER_INPUT", "since")
            assert await refusal(socket, CHANGED, site=id_of("S", site), since=cursor) == expected
        await following(live, socket, CHANGED, site=id_of("S", site), since=recent)


def _aged(event: Event, *, days: int) -> Event:
    return replace(event, happened_at=event.happened_at - timedelta(days=days))


async def test_too_much_missed_is_said(live: Running) -> None:
    site, owner = await live.site()
    await published(live, owner, site)
    cursor = write_cursor(live.square.settings.secret.encode(), site.id, await last_event(live, site))
    async with live.database.transaction(site) as tx:
        for _ in range(1001):
            await append(tx, site, NewEvent("CONTENT", "CREATED", uuid7(), None, "BLOG"))
    await _final(live, (await last_event(live, site)).position)
    async with live.socket() as socket:
        assert await refusal(socket, CHANGED, site=id_of("S", site), since=cursor) == ("BAD_USER_INPUT", "since")
    await live.followed(0)


async def _final(live: Running, position: Position) -> None:
    """Wait until a follower begins after this place: no transaction on the server is older, not even another test's,
    and what was read for followers before is read no more."""
    hub, role = live.square.live, live.square.registry.platform_role
    async with asyncio.timeout(SOON_S):
        while await load_horizon(live.square.reader, role) <= position or hub._position is not None:
            hub.announce(live.square)
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("seed", range(3))
async def test_none_is_lost_or_doubled_among_writers_that_overlap(live: Running, seed: int) -> None:
    """Writers hold their transactions for as long as they like and give some up; the follower breaks off at random."""
    chance = random.Random(seed)
    site, owner = await live.site()
    content = UUID((await published(live, owner, site, access="PUBLIC"))[24:])
    start = write_cursor(live.square.settings.secret.encode(), site.id, await last_event(live, site))
    done = asyncio.Event()

    async def write(number: int) -> None:
        own = random.Random(f"{seed}.{number}")
        for _ in range(EVENTS_PER_WRITER):
            try:
                async with live.database.transaction(site) as tx:
                    for _ in range(own.choice((1, 1, 2, 3))):
                        await append(tx, site, NewEvent("CONTENT", "UPDATED", content, None, "BLOG"))
                        await asyncio.sleep(own.choice((0, 0, 0.002, 0.02)))
                    if own.random() < 0.2:
                        raise GivenUpError  # noqa: TRY301 - what rolls a transaction back
            except GivenUpError:
                pass
            live.square.live.announce(live.square)

    async def follow() -> list[str]:
        heard: list[str] = []
        cursor = start
        while not done.is_set() or heard[-1:] != [await newest(live, site)]:
            async with live.socket() as socket:
                await socket.subscribe(CHANGED, site=id_of("S", site), since=cursor)
                for _ in range(chance.randint(1, 40)):
                    try:
                        message = await socket.hear(0.5)
                    except TimeoutError:
                        break
                    cursor = message["payload"]["data"]["contentChanged"]["cursor"]
                    heard.append(cursor)
        return heard

    follower = asyncio.create_task(follow())
    await asyncio.gather(*(write(number) for number in range(WRITERS)))
    done.set()
    heard = await asyncio.wait_for(follower, 60)
    assert heard == await everything(live, site, after=start)
    assert len(heard) > WRITERS * EVENTS_PER_WRITER / 2


class GivenUpError(Exception):
    """A writer thought better of it."""


async def everything(live: Running, site: TenantRef, after: str) -> list[str]:
    """The cursors of all events of the site after this one, in the outbox's order."""
    square = live.square
    whole = (Position(0, VISITOR), Position(2**62, VISITOR))
    role = square.registry.platform_role
    events = await load_missed(square.reader, role, site.id, "CONTENT", None, whole, 10_000)
    cursors = [write_cursor(square.settings.secret.encode(), site.id, event) for event in events]
    return cursors[cursors.index(after) + 1 :]


async def newest(live: Running, site: TenantRef) -> str:
    return write_cursor(live.square.settings.secret.encode(), site.id, await last_event(live, site))


async def test_an_event_waits_for_a_transaction_that_began_before_it(live: Running) -> None:
    site, owner = await live.site()
    async with live.socket() as socket:
        await following(live, socket, CHANGED, site=id_of("S", site))
        async with live.database.transaction(site) as tx:
            content = table_of(Content)
            await tx.execute(update(content).values(version=1))
            await append(tx, site, NewEvent("CONTENT", "CREATED", uuid7(), None, "BLOG"))
            first = await published(live, owner, site, access="PUBLIC")
            assert await socket.is_quiet()
        assert (await socket.next())["contentChanged"]["contentId"] == first


@pytest.mark.parametrize("is_announced", [True, False])
async def test_writers_elsewhere_are_heard_at_once_or_after_a_while(live: Running, is_announced: bool) -> None:
    """Another process writes: here, this test itself. What it announces is there at once; the rest is looked for."""
    site, owner = await live.site()
    content = UUID((await published(live, owner, site, access="PUBLIC"))[24:])
    async with live.socket() as socket:
        await following(live, socket, CHANGED, site=id_of("S", site))
        await asyncio.sleep(0.2)
        async with live.database.transaction(site) as tx:
            await append(tx, site, NewEvent("CONTENT", "UPDATED", content, None, "BLOG"))
            if is_announced:
                await announce(tx)
        told = await socket.hear(1 if is_announced else POLL_S + 3)
        assert told["type"] == "next"


async def test_it_goes_on_when_the_database_comes_back(live: Running, square_database: str, postgres_url: str) -> None:
    site, owner = await live.site()
    async with live.socket() as socket:
        await following(live, socket, CHANGED, site=id_of("S", site))
        name = psycopg.conninfo.conninfo_to_dict(square_database)["dbname"]
        async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as admin:
            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        for _ in range(100):
            body = await live.ask(None, "{ sites(first: 1) { totalCount } }")
            if "errors" not in body:
                break
            await asyncio.sleep(0.1)
        content = await published(live, owner, site, access="PUBLIC")
        assert (await socket.next())["contentChanged"]["contentId"] == content


async def test_old_events_go_and_others_stay(live: Running) -> None:
    site, owner = await live.site()
    for _ in range(2):
        await published(live, owner, site)
    async with live.database.transaction(None) as tx:
        ids = [row.id for row in await tx.execute(select(EVENT.c.id).where(EVENT.c.tenant_id == site.id))]
        long_ago = datetime.now(UTC) - timedelta(days=9)
        await tx.execute(update(EVENT).where(EVENT.c.id == ids[0]).values(happened_at=long_ago))
        assert await prune(tx, datetime.now(UTC) - timedelta(days=8)) >= 1
        assert [row.id for row in await tx.execute(select(EVENT.c.id).where(EVENT.c.tenant_id == site.id))] == ids[1:]
