"""Sessions: tokens, limits, rotation, ending, and what is written when."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from auth.accounts import create_account
from auth.session_verifier import SessionVerifier
from auth.sessions import (
    SESSION,
    SQUARE,
    Authentication,
    Device,
    Session,
    SessionLimits,
    close_session,
    close_sessions_by_issuer,
    close_sessions_of,
    load_session,
    open_session,
    remove_ended_sessions,
    rotate_session,
    touch_session,
)
from tenants.database import Database, Transaction

LIMITS = SessionLimits(idle=timedelta(hours=1), absolute=timedelta(hours=10))
DEVICE = Device("Firefox, Linux", "192.0.2.7")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def how(subject: str, sid: str | None = None, issuer: str = "https://id.example") -> Authentication:
    return Authentication(issuer, subject, sid, "2", ("pwd", "otp"), NOW)


@pytest_asyncio.fixture
async def tx(database: Database) -> AsyncIterator[Transaction]:
    async with database.transaction(None) as tx:
        yield tx


@pytest_asyncio.fixture
async def anna(tx: Transaction) -> UUID:
    return (await create_account(tx, "Anna", f"{secrets.token_hex(8)}@example.nl")).id


async def age(tx: Transaction, session_id: UUID, column: str, by: timedelta) -> None:
    await tx.execute(
        update(SESSION).where(SESSION.c.id == session_id).values({column: datetime.now(UTC) - by}),
    )


async def test_a_token_finds_its_session_and_is_nowhere_stored(tx: Transaction, anna: UUID) -> None:
    new = await open_session(tx, anna, how("a"), DEVICE)
    assert len(new.token) == 43
    session = await load_session(tx, new.token, SQUARE, LIMITS)
    assert session is not None
    assert (session.id, session.account_id, session.name) == (new.id, anna, "Anna")
    assert (session.how, session.device) == (how("a"), DEVICE)
    row = (await tx.execute(select(SESSION).where(SESSION.c.id == new.id))).one()
    assert new.token not in repr(row)
    assert new.token.encode() not in bytes(row.token_hash)
    for other in ("", "x" * 43, new.token[:-1], new.token + "x", "\udc80" * 43, "é" * 43):
        assert await load_session(tx, other, SQUARE, LIMITS) is None


async def test_two_tokens_are_never_alike(tx: Transaction, anna: UUID) -> None:
    tokens = {(await open_session(tx, anna, how("a"), DEVICE)).token for _ in range(20)}
    assert len(tokens) == 20


async def test_a_session_is_good_on_its_own_host_only(tx: Transaction, anna: UUID) -> None:
    on_site = await open_session(tx, anna, how("a"), Device("", "", "utrecht"))
    assert await load_session(tx, on_site.token, "utrecht", LIMITS) is not None
    for host in (SQUARE, "amersfoort", "utrecht.example"):
        assert await load_session(tx, on_site.token, host, LIMITS) is None


@pytest.mark.parametrize(
    ("column", "by", "is_good"),
    [
        ("last_seen_at", timedelta(minutes=59), True),
        ("last_seen_at", timedelta(minutes=61), False),
        ("renewed_at", timedelta(hours=9.9), True),
        ("renewed_at", timedelta(hours=10.1), False),
    ],
)
async def test_a_session_ends_by_time(tx: Transaction, anna: UUID, column: str, by: timedelta, is_good: bool) -> None:
    new = await open_session(tx, anna, how("a"), DEVICE)
    await age(tx, new.id, column, by)
    assert (await load_session(tx, new.token, SQUARE, LIMITS) is not None) is is_good
    assert await remove_ended_sessions(tx, LIMITS) == (0 if is_good else 1)


async def test_being_seen_is_written_once_a_minute(tx: Transaction, anna: UUID) -> None:
    new = await open_session(tx, anna, how("a"), DEVICE)
    below = await open_session(tx, anna, how("a"), Device("", "", "utrecht"), parent_id=new.id)

    async def seen(session_id: UUID) -> datetime:
        found: datetime = await tx.scalar(select(SESSION.c.last_seen_at).where(SESSION.c.id == session_id))
        return found

    async def touch(token: str, host: str) -> None:
        session = await load_session(tx, token, host, LIMITS)
        assert session is not None
        await touch_session(tx, session)

    before = await seen(new.id)
    await touch(new.token, SQUARE)
    assert await seen(new.id) == before
    await age(tx, new.id, "last_seen_at", timedelta(seconds=61))
    await touch(new.token, SQUARE)
    assert await seen(new.id) > before
    for each in (new, below):
        await age(tx, each.id, "last_seen_at", timedelta(minutes=30))
    await touch(below.token, "utrecht")
    assert await seen(new.id) == await seen(below.id) > before


async def test_rotating_kills_the_old_token_and_can_begin_anew(tx: Transaction, anna: UUID) -> None:
    new = await open_session(tx, anna, how("a"), DEVICE)
    await age(tx, new.id, "renewed_at", timedelta(hours=9))
    rotated = await rotate_session(tx, new.id)
    assert rotated is not None
    assert rotated.id == new.id
    assert await load_session(tx, new.token, SQUARE, LIMITS) is None
    kept = await load_session(tx, rotated.token, SQUARE, LIMITS)
    assert kept is not None
    assert kept.expires_at < datetime.now(UTC) + timedelta(hours=1.1)
    again = await rotate_session(tx, new.id, how("b"))
    assert again is not None
    renewed = await load_session(tx, again.token, SQUARE, LIMITS)
    assert renewed is not None
    assert renewed.how == how("b")
    assert renewed.expires_at > datetime.now(UTC) + timedelta(hours=9.9)
    await close_session(tx, anna, new.id)
    assert await rotate_session(tx, new.id) is None


async def test_ending_one_ends_those_made_from_it_and_no_other(tx: Transaction, anna: UUID) -> None:
    new, other = [await open_session(tx, anna, how("a"), DEVICE) for _ in range(2)]
    below = await open_session(tx, anna, how("a"), Device("", "", "utrecht"), parent_id=new.id)
    somebody = (await create_account(tx, "Bram", f"{secrets.token_hex(8)}@example.nl")).id
    assert await close_session(tx, somebody, new.id) == []
    assert set(await close_session(tx, anna, new.id)) == {new.id, below.id}
    assert await load_session(tx, below.token, "utrecht", LIMITS) is None
    assert await load_session(tx, other.token, SQUARE, LIMITS) is not None


async def test_ending_all_but_this_one(tx: Transaction, anna: UUID) -> None:
    mine, other = [await open_session(tx, anna, how("a"), DEVICE) for _ in range(2)]
    on_site = await open_session(tx, anna, how("a"), Device("", "", "utrecht"), parent_id=mine.id)
    elsewhere = await open_session(tx, anna, how("a"), Device("", "", "utrecht"), parent_id=other.id)
    assert set(await close_sessions_of(tx, anna, but=mine.id)) == {other.id, elsewhere.id}
    assert await load_session(tx, on_site.token, "utrecht", LIMITS) is not None
    assert set(await close_sessions_of(tx, anna)) == {mine.id, on_site.id}


async def test_an_issuer_ends_its_own(tx: Transaction, anna: UUID) -> None:
    issuer = f"https://{secrets.token_hex(8)}.example"
    one = await open_session(tx, anna, how("s", "1", issuer), DEVICE)
    two = await open_session(tx, anna, how("s", "2", issuer), DEVICE)
    foreign = await open_session(tx, anna, how("s", "1"), DEVICE)
    assert await close_sessions_by_issuer(tx, issuer, sid="1") == [one.id]
    assert await close_sessions_by_issuer(tx, issuer, sid="2", subject="another") == []
    assert await close_sessions_by_issuer(tx, issuer, subject="s") == [two.id]
    assert await load_session(tx, foreign.token, SQUARE, LIMITS) is not None
    with pytest.raises(ValueError, match="sid"):
        await close_sessions_by_issuer(tx, issuer)


async def test_the_verifier_remembers_half_a_minute_and_forgets_when_told(tx: Transaction, anna: UUID) -> None:
    loads, now = 0, datetime.now(UTC).timestamp()

    async def load(token: str, host: str) -> Session | None:
        nonlocal loads
        loads += 1
        return await load_session(tx, token, host, LIMITS)

    verifier = SessionVerifier(load, clock=lambda: now)
    new = await open_session(tx, anna, how("a"), DEVICE)
    for _ in range(3):
        viewer = await verifier.verify(new.token, SQUARE)
        assert viewer is not None
        assert (viewer.account_id, viewer.session_id, viewer.sites, viewer.scopes) == (anna, new.id, None, None)
    assert loads == 1
    assert await verifier.verify(new.token, "utrecht") is None
    now += 31
    assert await verifier.verify(new.token, SQUARE) is not None
    assert loads == 3
    for forget in (lambda: verifier.memory.forget(new.id), lambda: verifier.memory.forget_account(anna)):
        before = loads
        forget()
        await verifier.verify(new.token, SQUARE)
        assert loads == before + 1
    await close_session(tx, anna, new.id)
    assert await verifier.verify(new.token, SQUARE) is not None  # nobody told it yet, and half a minute is not over
    verifier.memory.forget(new.id)
    assert await verifier.verify(new.token, SQUARE) is None


async def test_what_ends_while_it_is_read_is_not_remembered(tx: Transaction, anna: UUID) -> None:
    new = await open_session(tx, anna, how("a"), DEVICE)

    async def load(token: str, host: str) -> Session | None:
        session = await load_session(tx, token, host, LIMITS)
        if session is not None:
            await close_session(tx, anna, new.id)
            verifier.memory.forget(new.id)
        return session

    verifier = SessionVerifier(load)
    assert await verifier.verify(new.token, SQUARE) is not None
    assert await verifier.verify(new.token, SQUARE) is None


async def test_a_session_bound_to_a_site_reaches_that_site_only(
    tx: Transaction, anna: UUID, provision_site: object, database: Database
) -> None:
    site = await provision_site()  # type: ignore[operator]
    new = await open_session(tx, anna, how("a"), Device("", "", "own.example", site.id))

    async def load(token: str, host: str) -> Session | None:
        return await load_session(tx, token, host, LIMITS)

    viewer = await SessionVerifier(load).verify(new.token, "own.example")
    assert viewer is not None
    assert viewer.sites == frozenset({site.id})
