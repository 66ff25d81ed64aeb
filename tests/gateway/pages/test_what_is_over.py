"""What ended by time is removed, and nothing that is still good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update

from auth.local.attempts import ATTEMPT
from auth.local.links import LINK
from auth.local.registration import EMAIL_CHANGE
from auth.passes import PASS, challenge_of, create_pass, new_verifier
from auth.sessions import SESSION, SQUARE, SessionLimits, load_session
from gateway.app import Gateway
from gateway.housekeeping import remove_what_is_over
from tests.gateway.pages.people import Person, new_visitor, registered
from tests.gateway.pages.post import Post

LIMITS = SessionLimits()


async def counts(door: Gateway) -> dict[str, int]:
    """How many rows there are of each."""
    async with door.square.database.transaction(None) as tx:
        tables = (SESSION, PASS, LINK, EMAIL_CHANGE, ATTEMPT)
        return {each.name: int(await tx.scalar(select(func.count()).select_from(each)) or 0) for each in tables}


async def test_what_ended_by_time_goes_and_the_rest_stays(door: Gateway, post: Post) -> None:
    person = Person()
    visitor = await registered(door, post, person)
    await visitor.open("/account/email")
    await visitor.send({"email": Person().email})
    other = new_visitor(door)
    await other.open("/forgot")
    await other.send({"email": person.email})
    database = door.square.database
    async with database.transaction(None) as tx:
        session = await load_session(tx, visitor.cookies["plein"], SQUARE, LIMITS)
        assert session is not None
        await create_pass(tx, session, "utrecht", None, challenge_of(new_verifier()))
    await remove_what_is_over(database, LIMITS)
    before = await counts(door)
    assert min(before.values()) >= 1

    past = datetime.now(UTC) - timedelta(days=40)
    async with database.transaction(None) as tx:
        for table in (PASS, LINK, EMAIL_CHANGE):
            await tx.execute(update(table).values(expires_at=past))
        await tx.execute(update(ATTEMPT).values(until=past))
    assert await remove_what_is_over(database, LIMITS) == sum(before.values()) - before["session"]
    after = await counts(door)
    assert after == {name: (before[name] if name == "session" else 0) for name in before}
    async with database.transaction(None) as tx:
        await tx.execute(update(SESSION).where(SESSION.c.id == session.id).values(last_seen_at=past))
    assert await remove_what_is_over(database, LIMITS) == 1
    assert (await counts(door))["session"] == before["session"] - 1
