"""What ends an access token, ends it everywhere at once: suspending, signing out, removing the client, open streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest_asyncio
from asgi_lifespan import LifespanManager
from sqlalchemy import update

from auth.accounts import ACCOUNT
from auth.provider.clients import Authentication
from auth.provider.consents import delete_consent
from auth.provider.registration import delete_client
from auth.revocations import revoke_account
from auth.session_limits import SessionLimits
from auth.sessions import SESSION, close_session
from gateway.app import Gateway, create_app
from gateway.settings import load_settings
from schema.relay import PLATFORM_ID, NodeId, encode_id
from tests.gateway.provider.plein import Person, Plein, refresh, tokens_for
from tests.gateway.provider.test_attacks import is_good


async def test_suspending_the_account(plein: Plein) -> None:
    app = await plein.register()
    tokens = await tokens_for(plein, await plein.signed_in(plein.bram), app, scope="openid offline_access read")
    assert await is_good(plein, tokens["access_token"])
    database = plein.gateway.square.database
    for moment, error in ((datetime.now(UTC), "invalid_grant"), (None, None)):
        async with database.transaction(None) as tx:
            await tx.execute(update(ACCOUNT).where(ACCOUNT.c.id == plein.bram.id).values(suspended_at=moment))
            await revoke_account(tx, plein.bram.id)
        await plein.gateway.square.catch_up()
        assert await is_good(plein, tokens["access_token"]) is (error is None)
        assert (await refresh(plein, app, tokens["refresh_token"])).json().get("error") == error


async def ended_by_session(plein: Plein, person: Person, scope: str) -> bool:
    app = await plein.register()
    visitor = plein.browser()
    session = await plein.sign_in(visitor, person)
    tokens = await tokens_for(plein, visitor, app, scope=scope)
    assert await is_good(plein, tokens["access_token"])
    async with plein.gateway.square.database.transaction(None) as tx:
        await close_session(tx, person.id, session)
    await plein.gateway.square.catch_up()
    return not await is_good(plein, tokens["access_token"])


async def test_the_session(plein: Plein) -> None:
    assert await ended_by_session(plein, plein.anna, "openid read")
    assert not await ended_by_session(plein, plein.anna, "openid read offline_access")


async def test_the_time_of_the_session(plein: Plein) -> None:
    """A session that is not used ends by its time, and what hangs on it with it; not only once its row is removed."""
    app = await plein.register()
    visitor = plein.browser()
    session = await plein.sign_in(visitor, plein.anna)
    tokens = await tokens_for(plein, visitor, app, scope="openid read")
    kept = await tokens_for(plein, visitor, app, scope="openid read offline_access")
    long_ago = datetime.now(UTC) - SessionLimits().idle - timedelta(minutes=1)
    async with plein.gateway.square.database.transaction(None) as tx:
        await tx.execute(update(SESSION).where(SESSION.c.id == session).values(last_seen_at=long_ago))
    assert (await refresh(plein, app, tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert not await is_good(plein, tokens["access_token"])
    assert (await refresh(plein, app, kept["refresh_token"])).status_code == 200


async def test_taking_back_what_was_agreed_to_and_removing_the_client(plein: Plein) -> None:
    app, visitor = await plein.register(), await plein.signed_in(plein.anna)
    database = plein.gateway.square.database
    tokens = await tokens_for(plein, visitor, app, scope="openid read")
    assert await is_good(plein, tokens["access_token"])
    async with database.transaction(None) as tx:
        assert await delete_consent(tx, plein.anna.id, app.client.id, datetime.now(UTC))
    await plein.gateway.square.catch_up()
    assert not await is_good(plein, tokens["access_token"])
    assert (await refresh(plein, app, tokens["refresh_token"])).json()["error"] == "invalid_grant"
    tokens = await tokens_for(plein, visitor, app, scope="openid read")
    async with database.transaction(None) as tx:
        await delete_client(tx, app.client.id)
    await plein.gateway.square.catch_up()
    assert not await is_good(plein, tokens["access_token"])
    assert (await refresh(plein, app, tokens["refresh_token"])).json()["error"] == "invalid_client"


async def test_taking_it_back_on_the_page(plein: Plein) -> None:
    app, kept = await plein.register(home_uri="https://app.example/"), await plein.register()
    visitor = await plein.signed_in(plein.anna)
    tokens = await tokens_for(plein, visitor, app, scope="openid read")
    await tokens_for(plein, visitor, kept, scope="openid")
    await visitor.open("/account")
    assert ("/account/services", "Apps en diensten") in visitor.read.links
    await visitor.open("/account/services")
    assert {app.client.name, kept.client.name} <= {each.strip() for each in visitor.read.text.split("\n")}
    assert "zien wat u kunt zien op alle sites" in visitor.read.text
    forged = await visitor.send({"client": app.id}, origin="https://evil.example", sec_fetch_site="cross-site")
    assert forged.status_code == 403
    assert await is_good(plein, tokens["access_token"])
    await visitor.open("/account/services")
    await visitor.send({"client": app.id})
    assert "Dat is ingetrokken." in visitor.read.text
    assert app.client.name not in visitor.read.text
    assert kept.client.name in visitor.read.text
    assert not await is_good(plein, tokens["access_token"])
    other = await plein.signed_in(plein.bram)
    await other.open("/account/services")
    assert kept.client.name not in other.read.text
    assert (await plein.browser().open("/account/services")).url.path == "/sign-in"


async def test_an_open_stream_ends_with_the_token(plein: Plein) -> None:
    app = await plein.register()
    tokens = await tokens_for(plein, await plein.signed_in(plein.anna), app, scope="openid read")
    headers = {"authorization": f"Bearer {tokens['access_token']}", "accept": "text/event-stream"}
    site = encode_id(NodeId("S", PLATFORM_ID, plein.sites["a"].id))
    asked = {"query": f'subscription {{ siteChanged(site: "{site}") {{ action }} }}'}
    async with (
        httpx.AsyncClient(base_url=plein.url, timeout=20) as http,
        http.stream("POST", "/graphql", json=asked, headers=headers) as stream,
    ):
        assert stream.status_code == 200
        reading = asyncio.create_task(stream.aread())
        await asyncio.sleep(0.2)
        assert not reading.done()
        await plein.post("/oauth/revoke", {"token": tokens["refresh_token"]}, auth=app.basic)
        text = (await asyncio.wait_for(reading, 15)).decode()
    assert "UNAUTHENTICATED" in text


@pytest_asyncio.fixture
async def strict(provider_database: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway that lets one address ask 60 times a minute."""
    environ = {"PLEIN_MODE": "development", "PLEIN_DATABASE_URL": provider_database, "PLEIN_DATA_DIR": str(tmp_path)}
    gateway = create_app(load_settings(environ | {"PLEIN_RATE_TOKENS": "60", "PLEIN_READER_CONNECTIONS": "1"}))
    async with LifespanManager(gateway, startup_timeout=30, shutdown_timeout=30):
        yield gateway


async def test_guessing_is_slow(plein: Plein, strict: Gateway) -> None:
    app = await plein.register(Authentication.SECRET)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(strict), base_url="http://localhost:8000") as http:
        guesses = [
            await http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(app.id, f"guess-{each}"))
            for each in range(5)
        ]
        assert [each.status_code for each in guesses] == [401, 401, 401, 429, 429]
        assert int(guesses[-1].headers["retry-after"]) >= 1
        assert guesses[-1].json()["error"] == "temporarily_unavailable"
        good = await http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=app.basic)
        assert good.status_code == 429, "whoever guesses right too late learns nothing"
        assert (await http.get("/oauth/jwks")).status_code == 200
