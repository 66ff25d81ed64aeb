"""Signing in to another service: from its request to tokens, and what they are good for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import select

from auth.audit import AUDIT
from auth.provider.clients import Authentication, SubjectType
from tests.gateway.provider.plein import (
    CALLBACK,
    Plein,
    agree,
    attempt,
    claims_in,
    code_for,
    redeem,
    refresh,
    returned,
    tokens_for,
)


async def test_a_person_signs_in_and_the_client_knows_who(plein: Plein) -> None:
    app = await plein.register()
    visitor = await plein.signed_in(plein.anna)
    asked = attempt(app, scope="openid profile email")
    page = await visitor.open(asked.path)
    assert page.status_code == 200
    assert "app.example" in visitor.read.text
    told = returned(await agree(visitor, page))
    assert told.keys() == {"code", "state", "iss"}
    assert (told["state"], told["iss"]) == ("state-1", plein.url)
    answer = (await redeem(plein, app, asked, told["code"])).json()
    assert answer["token_type"] == "Bearer"
    assert answer["scope"] == "openid profile email"

    keys = KeySet.import_key_set((await plein.get("/oauth/jwks")).json())
    id_token = jwt.decode(answer["id_token"], keys, algorithms=["RS256"])
    claims = id_token.claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (plein.url, app.id, "nonce-1")
    assert claims["amr"] == ["pwd", "otp"]
    assert abs(claims["auth_time"] - datetime.now(UTC).timestamp()) < 30
    who = (await plein.get("/oauth/userinfo", headers={"authorization": f"Bearer {answer['access_token']}"})).json()
    assert who == {"sub": claims["sub"], "name": "Anna de Boer", "email": plein.anna.email, "email_verified": False}
    assert str(plein.anna.id) not in str(claims) + str(claims_in(answer["access_token"]))


async def test_what_a_person_agreed_to_is_remembered_and_more_is_asked(plein: Plein) -> None:
    app = await plein.register()
    visitor = await plein.signed_in(plein.anna)
    await code_for(visitor, attempt(app, scope="openid profile"))
    returned(await visitor.open(attempt(app, scope="openid").path))
    page = await visitor.open(attempt(app, scope="openid email").path)
    assert page.status_code == 200
    assert returned(await agree(visitor, page, "no"))["error"] == "access_denied"
    assert (await visitor.open(attempt(app, scope="openid email").path)).status_code == 200
    assert (await visitor.open(attempt(app, prompt="consent").path)).status_code == 200
    returned(await visitor.open(attempt(app, scope="openid profile").path))


async def test_what_a_person_agreed_to_is_in_the_audit(plein: Plein) -> None:
    app = await plein.register()
    await code_for(await plein.signed_in(plein.anna), attempt(app, scope="openid read"))
    async with plein.gateway.square.database.transaction(None) as tx:
        (act,) = await tx.execute(select(AUDIT).where(AUDIT.c.subject == f"client:{app.id}"))
    assert (act.action, act.account_id) == ("consent.given", plein.anna.id)
    assert act.details["agreed"] == ["openid", "read@*"]


async def test_nobody_is_asked_where_the_platform_trusts_the_client(plein: Plein) -> None:
    app = await plein.register(is_trusted=True)
    visitor = await plein.signed_in(plein.anna)
    assert "code" in returned(await visitor.open(attempt(app).path))


async def test_who_is_not_signed_in_signs_in_first_and_comes_back(plein: Plein) -> None:
    app = await plein.register()
    visitor = plein.browser()
    asked = attempt(app)
    page = await visitor.open(asked.path)
    assert page.url.path == "/sign-in"
    assert page.url.params["next"] == asked.path
    await plein.sign_in(visitor, plein.anna)
    back = await agree(visitor, await visitor.open(page.url.params["next"]))
    assert "code" in returned(back)


@pytest.mark.parametrize("values", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "60"}])
async def test_somebody_signs_in_again_once_where_the_client_demands_it(plein: Plein, values: dict[str, str]) -> None:
    app = await plein.register(is_trusted=True)
    visitor = await plein.signed_in(plein.anna, at=datetime.now(UTC) - timedelta(minutes=5))
    page = await visitor.open(attempt(app, **values).path)
    where = "/sign-in" if values == {"prompt": "select_account"} else "/sign-in/again"
    assert page.url.path == where
    there = page.url.params["next"]
    assert (await visitor.open(there)).url.path == where, "going on without signing in must not do"
    visitor.http.cookies.clear()
    await plein.sign_in(visitor, plein.anna, at=datetime.now(UTC) + timedelta(seconds=1))
    assert "code" in returned(await visitor.open(there))
    forged = there.replace("again=", "again=1")
    assert (await visitor.open(forged)).url.path == where or values.keys() == {"max_age"}


async def test_without_asking_anybody(plein: Plein) -> None:
    app = await plein.register()
    assert returned(await plein.browser().open(attempt(app, prompt="none").path))["error"] == "login_required"
    visitor = await plein.signed_in(plein.anna, at=datetime.now(UTC) - timedelta(minutes=5))
    assert returned(await visitor.open(attempt(app, prompt="none").path))["error"] == "consent_required"
    await code_for(visitor, attempt(app))
    assert "code" in returned(await visitor.open(attempt(app, prompt="none").path))
    late = attempt(app, prompt="none", max_age="60")
    assert returned(await visitor.open(late.path))["error"] == "login_required"


async def test_a_hint_says_who_is_meant(plein: Plein) -> None:
    app = await plein.register(is_trusted=True)
    anna = await plein.signed_in(plein.anna)
    hint = (await tokens_for(plein, anna, app))["id_token"]
    assert "code" in returned(await anna.open(attempt(app, prompt="none", id_token_hint=hint).path))
    bram = await plein.signed_in(plein.bram)
    told = returned(await bram.open(attempt(app, prompt="none", id_token_hint=hint).path))
    assert told["error"] == "login_required"
    assert (await bram.open(attempt(app, id_token_hint=hint).path)).url.path == "/sign-in"
    other = await plein.register(is_trusted=True)
    for wrong in (hint, "nonsense", hint[:-4] + "AAAA"):
        asked = attempt(other, prompt="none", id_token_hint=wrong)
        assert returned(await anna.open(asked.path))["error"] == "invalid_request"


async def test_claims_by_name_and_an_acr_that_must_be_reached(plein: Plein) -> None:
    app = await plein.register()
    visitor = await plein.signed_in(plein.anna, acr="urn:example:high")
    asked = (
        '{"id_token":{"email":null,"acr":{"essential":true,"values":["urn:example:high"]}},"userinfo":{"name":null}}'
    )
    tokens = await tokens_for(plein, visitor, app, claims=asked)
    claims = claims_in(tokens["id_token"])
    assert (claims["email"], claims["acr"]) == (plein.anna.email, "urn:example:high")
    higher = asked.replace("high", "higher")
    page = await visitor.open(attempt(app, claims=higher).path)
    assert page.url.path == "/sign-in/again"
    assert page.url.params["acr"] == "urn:example:higher"
    await plein.sign_in(visitor, plein.anna, at=datetime.now(UTC) + timedelta(seconds=1))
    told = returned(await visitor.open(page.url.params["next"]))
    assert told["error"] == "unmet_authentication_requirements"


async def test_each_client_calls_a_person_otherwise_unless_it_is_public(plein: Plein) -> None:
    visitor = await plein.signed_in(plein.anna)
    subjects = set()
    for _ in range(2):
        app = await plein.register()
        mine = {claims_in((await tokens_for(plein, visitor, app))["id_token"])["sub"] for _ in range(2)}
        assert len(mine) == 1
        subjects |= mine
    assert len(subjects) == 2
    public = await plein.register(subject_type=SubjectType.PUBLIC)
    assert claims_in((await tokens_for(plein, visitor, public))["id_token"])["sub"] == str(plein.anna.id)


async def test_refresh_tokens_change_every_time(plein: Plein) -> None:
    app = await plein.register(Authentication.NONE)
    tokens = await tokens_for(plein, await plein.signed_in(plein.anna), app, scope="openid profile read")
    first = tokens["refresh_token"]
    answer = (await refresh(plein, app, first, scope="openid read")).json()
    assert answer["scope"] == "openid read"
    assert answer["refresh_token"] != first
    assert claims_in(answer["id_token"])["auth_time"] == claims_in(tokens["id_token"])["auth_time"]
    again = (await refresh(plein, app, answer["refresh_token"])).json()
    assert again["scope"] == "openid profile read", "a narrower token does not narrow what was granted"
    more = await refresh(plein, app, again["refresh_token"], scope="openid email")
    assert more.json()["error"] == "invalid_scope"
    assert (await refresh(plein, app, again["refresh_token"])).status_code == 200, "what is refused uses up nothing"


async def test_a_client_signs_in_as_itself(plein: Plein) -> None:
    app = await plein.register()
    answer = await plein.post("/oauth/token", {"grant_type": "client_credentials", "scope": "read"}, auth=app.basic)
    tokens = answer.json()
    assert tokens["scope"] == "read"
    assert "refresh_token" not in tokens
    claims = claims_in(tokens["access_token"])
    assert claims["sub"] == claims["client_id"] == app.id
    told = await plein.ask(tokens["access_token"], "{ viewer { account { name } } }")
    assert told["data"]["viewer"]["account"]["name"] == "Anna de Boer"
    who = await plein.get("/oauth/userinfo", headers={"authorization": f"Bearer {tokens['access_token']}"})
    assert who.json()["error"] == "insufficient_scope"


async def test_post_leads_to_the_same_as_get(plein: Plein) -> None:
    app = await plein.register(is_trusted=True)
    visitor = await plein.signed_in(plein.anna)
    answer = await visitor.http.post(
        "/oauth/authorize", data=attempt(app).values, headers={"origin": "https://app.example"}
    )
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/oauth/authorize?")
    assert "code" in returned(await visitor.open(answer.headers["location"]))


async def test_an_app_on_somebodys_own_machine_is_confirmed_every_time(plein: Plein) -> None:
    app = await plein.register(
        Authentication.NONE, redirect_uris=("http://127.0.0.1/back", "nl.example.app:/back", CALLBACK), is_trusted=True
    )
    visitor = await plein.signed_in(plein.anna)
    for uri in ("http://127.0.0.1:49152/back", "nl.example.app:/back"):
        for _ in range(2):
            page = await visitor.open(attempt(app, redirect_uri=uri).path)
            assert page.status_code == 200, page.headers
            assert "code" in returned(await agree(visitor, page), uri)
    assert "code" in returned(await visitor.open(attempt(app).path))
