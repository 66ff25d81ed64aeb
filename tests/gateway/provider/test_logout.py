"""The end of a session, wherever it comes from: clients are told, tokens are dead, and nobody else makes it happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import select, update

from auth.provider.logouts import EVENT, GIVEN_UP, NOTICE, claim_notices
from auth.relying.outside import Outside
from auth.sessions import close_session
from gateway.provider.telling import tell_now
from tests.gateway.pages.visitor import Visitor
from tests.gateway.provider.listener import Service, running_service
from tests.gateway.provider.plein import Plein, Registered, claims_in, refresh, tokens_for

AFTER = "https://app.example/goodbye"


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    async with running_service() as running:
        yield running


async def notices(plein: Plein, app: Registered) -> list[object]:
    async with plein.gateway.square.database.transaction(None) as tx:
        return list(await tx.scalars(select(NOTICE.c.attempts).where(NOTICE.c.client_id == app.client.id)))


async def test_clients_are_told_when_a_session_ends(plein: Plein, service: Service) -> None:
    app, other = await plein.register(logout_uri=service.url), await plein.register()
    visitor = await plein.signed_in(plein.anna)
    tokens = await tokens_for(plein, visitor, app, scope="openid read")
    await tokens_for(plein, visitor, app, scope="openid")
    kept = await tokens_for(plein, visitor, other, scope="openid offline_access read")
    claims = claims_in(tokens["id_token"])
    await visitor.open("/sign-out")
    await visitor.send({})
    await service.wait_for(1)
    keys = KeySet.import_key_set((await plein.get("/oauth/jwks")).json())
    told = jwt.decode(service.tokens[0], keys, algorithms=["RS256"])
    assert told.header["typ"] == "logout+jwt"
    assert (told.claims["sub"], told.claims["sid"]) == (claims["sub"], claims["sid"])
    assert (told.claims["aud"], told.claims["iss"], told.claims["events"]) == (app.id, plein.url, {EVENT: {}})
    assert "nonce" not in told.claims
    assert (await refresh(plein, app, tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await refresh(plein, other, kept["refresh_token"])).status_code == 200, "it was to outlive the session"
    await tell_now(plein.gateway.square.provider, Outside())
    assert len(service.tokens) == 1, "one session, told once"
    assert await notices(plein, app) == []


async def test_a_client_that_cannot_be_reached_is_told_later_by_whoever_is_there(
    plein: Plein, service: Service
) -> None:
    """What is to be told stands in the database; another process, started later, goes on with it."""
    app = await plein.register(logout_uri=service.url)
    visitor = plein.browser()
    session = await plein.sign_in(visitor, plein.anna)
    await tokens_for(plein, visitor, app)
    service.status = 503
    database, provider = plein.gateway.square.database, plein.gateway.square.provider
    async with database.transaction(None) as tx:
        await close_session(tx, plein.anna.id, session)
    await service.wait_for(1)
    await tell_now(provider, Outside())
    assert await notices(plein, app) == [1]
    assert len(service.tokens) == 1, "not again so soon"
    service.status = 200
    async with database.transaction(None) as tx:
        await tx.execute(update(NOTICE).values(due_at=datetime.now(UTC)))
    await tell_now(provider, Outside())
    await service.wait_for(2)
    assert await notices(plein, app) == []


async def test_after_two_days_it_is_given_up(plein: Plein, service: Service) -> None:
    app = await plein.register(logout_uri=service.url)
    visitor = plein.browser()
    session = await plein.sign_in(visitor, plein.anna)
    await tokens_for(plein, visitor, app)
    service.status = 500
    async with plein.gateway.square.database.transaction(None) as tx:
        await close_session(tx, plein.anna.id, session)
    await service.wait_for(1)
    async with plein.gateway.square.database.transaction(None) as tx:
        old = {"due_at": datetime.now(UTC), "created_at": datetime.now(UTC) - GIVEN_UP - timedelta(minutes=1)}
        await tx.execute(update(NOTICE).where(NOTICE.c.client_id == app.client.id).values(old))
    async with asyncio.timeout(20):  # this process looks by itself, too
        while await notices(plein, app):
            await tell_now(plein.gateway.square.provider, Outside())
            await asyncio.sleep(0.05)


async def test_two_processes_do_not_tell_the_same(plein: Plein) -> None:
    app = await plein.register()
    database, later = plein.gateway.square.database, datetime.now(UTC) + timedelta(hours=1)
    async with database.transaction(None) as tx:
        row = {"id": app.client.id, "client_id": app.client.id, "subject": "s", "sid": "s", "attempts": 0}
        await tx.execute(NOTICE.insert().values(row | {"due_at": later, "created_at": later}))
    async with database.transaction(None) as one, database.transaction(None) as other:
        claims = [await claim_notices(each, later) for each in (one, other)]
    assert [[each.client.id for each in found] for found in claims] == [[app.client.id], []]
    async with database.transaction(None) as tx:
        assert await claim_notices(tx, later) == []
        assert [each.sid for each in await claim_notices(tx, later + timedelta(minutes=1))] == ["s"]


async def end(visitor: Visitor, **values: str) -> str:
    """What the visitor sees in the end: where they are sent, or the page's path."""
    answer = await visitor.open(f"/oauth/end-session?{urlencode(values)}")
    return answer.headers.get("location", answer.text)


async def test_a_client_that_knows_the_session_signs_out(plein: Plein) -> None:
    app = await plein.register(logout_redirect_uris=(AFTER,))
    visitor = await plein.signed_in(plein.anna)
    hint = (await tokens_for(plein, visitor, app))["id_token"]
    there = await end(visitor, id_token_hint=hint, post_logout_redirect_uri=AFTER, state="s 1")
    assert there == f"{AFTER}?state=s+1"
    assert "plein" not in visitor.cookies
    assert (await visitor.open("/sign-out")).text.count("<form") == 0
    assert await end(visitor, id_token_hint=hint, post_logout_redirect_uri=AFTER) == AFTER, "again is no fault"


async def test_nobody_is_signed_out_by_a_link(plein: Plein) -> None:
    app = await plein.register(logout_redirect_uris=(AFTER,))
    other = await plein.signed_in(plein.anna)
    hint = (await tokens_for(plein, other, app))["id_token"]  # of another session of the same person
    visitor = await plein.signed_in(plein.anna)
    for values in ({}, {"client_id": app.id, "post_logout_redirect_uri": AFTER}, {"id_token_hint": hint}):
        text = await end(visitor, **values)
        assert "/oauth/sign-out" in text, values
        assert "form" in (await visitor.open("/sign-out")).text, "still signed in"
    await end(visitor, client_id=app.id, post_logout_redirect_uri=AFTER)
    forged = await visitor.send({}, origin="https://evil.example", sec_fetch_site="cross-site")
    assert forged.status_code == 403
    await end(visitor, client_id=app.id, post_logout_redirect_uri=AFTER)
    assert (await visitor.send({})).headers["location"] == AFTER
    assert "plein" not in visitor.cookies


@pytest.mark.parametrize(
    "uri", ["https://evil.example/", AFTER + "/", AFTER + "?x=1", "https://app.example.evil.example/goodbye"]
)
async def test_nobody_is_sent_elsewhere_after_signing_out(plein: Plein, uri: str) -> None:
    app = await plein.register(logout_redirect_uris=(AFTER,))
    answer = await plein.browser().open(
        f"/oauth/end-session?{urlencode({'client_id': app.id, 'post_logout_redirect_uri': uri})}"
    )
    assert answer.status_code == 400
    assert (
        await plein.browser().open(f"/oauth/end-session?{urlencode({'post_logout_redirect_uri': AFTER})}")
    ).status_code == 400
