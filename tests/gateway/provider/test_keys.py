"""The keys that sign: they take turns by the clock, are encrypted where they lie, and can be thrown away at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import pytest_asyncio
from joserfc.jwk import RSAKey
from sqlalchemy import func, select

from auth.provider.grants import GRANT
from auth.provider.provider import make_provider
from auth.provider.settings import ProviderSettings
from auth.provider.signing_keys import (
    ALGORITHMS,
    OVERLAP,
    PUBLISHED_AHEAD,
    KeyRing,
    KeyState,
    current_of,
    keep_keys,
    load_signers,
    rotate_keys,
)
from auth.provider.upkeep import KEPT, keep_up
from auth.relying.outside import Outside
from auth.sessions import close_session
from gateway.provider.telling import tell_now
from tenants.database import Database
from tenants.settings import DatabaseSettings
from tests.gateway.provider.plein import Plein, attempt, code_for, redeem, refresh, tokens_for

SETTINGS = ProviderSettings("https://plein.example", "plein.example", "s" * 40, key_days=90)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def pass_(self, time: timedelta) -> None:
        """Let time pass."""
        self.now += time


@pytest_asyncio.fixture
async def database(fresh_square: str) -> AsyncIterator[Database]:
    database = Database(DatabaseSettings(fresh_square))
    await database.open()
    yield database
    await database.close()


def ring(database: Database, clock: Clock, settings: ProviderSettings = SETTINGS) -> KeyRing:
    """The keys as another process knows them."""
    return KeyRing(settings, lambda: database.transaction(None), clock)


async def test_processes_that_start_at_once_agree_on_the_first_key(database: Database) -> None:
    clock = Clock()
    rings = [ring(database, clock) for _ in range(3)]
    for algorithm in ALGORITHMS:
        assert len({(await each.current(algorithm)).id for each in rings}) == 1
    assert len(await rings[0].published()) == len(ALGORITHMS)


async def test_keys_take_turns_and_nobody_meets_one_that_was_not_published(database: Database) -> None:
    """Every hour, with keys for two days: what signs has been published for an hour before."""
    clock = Clock()
    given = replace(SETTINGS, key_days=2)
    process = ring(database, clock, given)
    await process.current("RS256")
    published: list[set[str]] = [{each["kid"] for each in await process.published()}]
    signed: set[str] = set()
    for _ in range(24 * 4):
        clock.pass_(timedelta(hours=1))
        async with database.transaction(None) as tx:
            await keep_keys(tx, given, clock.now)
        published.append({each["kid"] for each in await process.published()})
        now = (await process.current("RS256")).id
        assert now in published[-2], "it signs, and those who asked an hour ago do not know it"
        signed.add(now)
    assert len(signed) == 3
    assert all(len(each) <= 2 * len(ALGORITHMS) for each in published)


async def test_rotating_by_hand_goes_unnoticed(database: Database) -> None:
    clock = Clock()
    process = ring(database, clock)
    old = (await process.current("RS256")).id
    async with database.transaction(None) as tx:
        await rotate_keys(tx, SETTINGS, clock.now)
        signers = await load_signers(tx, SETTINGS, clock.now)
    states = [each.state(clock.now) for each in signers if each.algorithm == "RS256"]
    assert sorted(str(each) for each in states) == ["CURRENT", "NEXT"]
    process.forget()
    assert (await process.current("RS256")).id == old
    clock.pass_(PUBLISHED_AHEAD)
    new = (await process.current("RS256")).id
    assert new != old
    assert (found := await process.by_id(old)) is not None
    assert found.state(clock.now) is KeyState.RETIRED
    clock.pass_(OVERLAP)
    assert await process.by_id(old) is None
    assert (await process.current("RS256")).id == new


async def test_another_secret_opens_nothing(database: Database) -> None:
    clock = Clock()
    first = await ring(database, clock).current("RS256")
    other = ring(database, clock, ProviderSettings("https://plein.example", "plein.example", "t" * 40))
    assert await other.by_id(first.id) is None
    assert (await other.current("RS256")).id != first.id


async def test_no_private_key_lies_open(database: Database, fresh_square: str) -> None:
    signer = await ring(database, Clock()).current("RS256")
    assert isinstance(signer.key, RSAKey)
    private = signer.key.as_dict(private=True)
    with psycopg.connect(fresh_square) as owner:
        rows = str(owner.execute("SELECT * FROM platform.signing_key").fetchall())
        assert not any(private[name] in rows for name in ("d", "p", "q"))
        # A key that somebody puts there is no key of ours, nor is one that was moved to another name.
        owner.execute("UPDATE platform.signing_key SET id = 'mine' WHERE algorithm = 'RS256'")
        owner.commit()
    assert await ring(database, Clock()).by_id("mine") is None
    async with database.transaction(None) as tx:
        assert current_of(await load_signers(tx, SETTINGS, datetime.now(UTC)), "RS256", datetime.now(UTC)) is None


async def test_an_unknown_key_does_not_make_us_read_each_time(database: Database) -> None:
    clock, reads = Clock(), 0
    opened = database.transaction

    def counted(tenant: None = None) -> object:
        nonlocal reads
        reads += 1
        return opened(tenant)

    process = KeyRing(SETTINGS, counted, clock)
    await process.current("RS256")
    clock.pass_(timedelta(seconds=6))
    before = reads
    for _ in range(20):
        assert await process.by_id("unknown") is None
    assert reads == before + 1


async def test_stolen_keys_are_thrown_away_at_once(plein: Plein) -> None:
    app = await plein.register()
    visitor = await plein.signed_in(plein.anna)
    tokens = await tokens_for(plein, visitor, app, scope="openid read")
    who = "{ viewer { account { name } } }"
    assert "errors" not in await plein.ask(tokens["access_token"], who)
    square = plein.gateway.square
    async with square.database.transaction(None) as tx:
        await rotate_keys(tx, square.provider.settings, datetime.now(UTC), at_once=True)
    await square.catch_up()
    assert "errors" in await plein.ask(tokens["access_token"], who)
    again = (await refresh(plein, app, tokens["refresh_token"])).json()
    assert "errors" not in await plein.ask(again["access_token"], who)


async def test_upkeep_keeps_what_is_needed(plein: Plein) -> None:
    app = await plein.register()
    visitor = plein.browser()
    session = await plein.sign_in(visitor, plein.anna)
    tokens = await tokens_for(plein, visitor, app, scope="openid offline_access read")
    square = plein.gateway.square
    unused = attempt(app, prompt="none", scope="openid offline_access read")
    code = (await code_for(visitor, unused))["code"]

    async def grants() -> int:
        async with square.database.transaction(None) as tx:
            found = await tx.scalar(select(func.count()).where(GRANT.c.client_id == app.client.id))
        return int(found or 0)

    async def keep_up_after(time: timedelta) -> None:
        later = Clock()
        later.pass_(time)
        await keep_up(make_provider(square.provider.settings, lambda: square.database.transaction(None), later))

    await keep_up(square.provider)
    again = (await refresh(plein, app, tokens["refresh_token"])).json()
    await keep_up_after(timedelta(minutes=5))
    assert (await redeem(plein, app, unused, code)).json()["error"] == "invalid_grant"
    await keep_up_after(KEPT + timedelta(days=10))
    assert await grants() == 2, "as long as the session is there, they say who is to be told of its end"
    assert (await refresh(plein, app, again["refresh_token"])).status_code == 200
    async with square.database.transaction(None) as tx:
        await close_session(tx, plein.anna.id, session)
    await tell_now(square.provider, Outside())
    await keep_up_after(KEPT + timedelta(days=10))
    assert await grants() == 1, "what outlives the session"
    await keep_up_after(KEPT + timedelta(days=400))
    assert await grants() == 0


@pytest.mark.parametrize("moment", [timedelta(), timedelta(days=89, hours=22)])
async def test_upkeep_makes_nothing_too_early(database: Database, moment: timedelta) -> None:
    clock = Clock()
    process = ring(database, clock)
    await process.current("RS256")
    clock.pass_(moment)
    async with database.transaction(None) as tx:
        await keep_keys(tx, SETTINGS, clock.now)
        assert len(await load_signers(tx, SETTINGS, clock.now)) == len(ALGORITHMS)
