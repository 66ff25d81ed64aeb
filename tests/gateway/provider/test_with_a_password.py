"""The whole way of a person: from an app to the page for signing in, with a password, to agreeing, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from sqlalchemy import update

from auth.accounts import create_account
from auth.local.local import ACR_ONE, set_password
from auth.sessions import SESSION
from tests.gateway.pages.people import PASSWORD
from tests.gateway.provider.plein import Plein, agree, attempt, claims_in, redeem, returned


async def account(plein: Plein, email: str) -> None:
    """An account that signs in with `PASSWORD`."""
    async with plein.gateway.square.database.transaction(None) as tx:
        made = await create_account(tx, "Wil Visser", email)
        await set_password(tx, made.id, PasswordHasher().hash(PASSWORD))


async def test_from_the_app_and_back(plein: Plein) -> None:
    email = f"wil-{datetime.now(UTC).timestamp()}@example.nl"
    await account(plein, email)
    app = await plein.register(logout_redirect_uris=("https://app.example/",))
    visitor = plein.browser()
    asked = attempt(app, scope="openid profile email read", state="a b&c=d/ü?" + "x" * 900)
    await visitor.open(asked.path)
    page = await visitor.send({"email": email, "password": PASSWORD})
    assert "Wil Visser" in visitor.read.text
    told = returned(await agree(visitor, page))
    assert told["state"] == asked.values["state"], "whatever it is, it comes back as it was"
    tokens = (await redeem(plein, app, asked, told["code"])).json()
    claims = claims_in(tokens["id_token"])
    assert (claims["acr"], claims["amr"]) == (ACR_ONE, ["pwd"])

    # The app demands a sign-in of now; the session goes on, and so does what hangs on it.
    async with plein.gateway.square.database.transaction(None) as tx:
        old = datetime.now(UTC) - timedelta(hours=2)
        await tx.execute(update(SESSION).where(SESSION.c.authenticated_at > old).values(authenticated_at=old))
    again = attempt(app, scope="openid", max_age="600")
    await visitor.open(again.path)
    assert visitor.page.url.path == "/sign-in/again"
    told = returned(await visitor.send({"password": PASSWORD}))
    newer = claims_in((await redeem(plein, app, again, told["code"])).json()["id_token"])
    assert newer["auth_time"] > claims["auth_time"] - 5
    assert newer["sid"] == claims["sid"]
    data = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await plein.post("/oauth/token", data, auth=app.basic)).status_code == 200
