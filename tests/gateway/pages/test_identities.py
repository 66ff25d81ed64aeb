"""The ways in which somebody signs in, on the page of their account; and signing in as a site demands."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import func, update

from auth.identities import list_identities
from auth.local.local import set_password
from auth.sessions import SESSION
from gateway.app import Gateway
from tenants.platform_tables import Tenant
from tenants.provisioning import NewTenant, provision
from tenants.registry import TenantRef
from tenants.tables import table_of
from tests.auth.relying.issuer import FalseIssuer, running_issuer
from tests.gateway.pages.at_issuer import (
    Person,
    account_named,
    account_with,
    acts,
    identities,
    path_of,
    person,
    sessions,
    somebody,
    trusting,
)
from tests.gateway.pages.signed_in import sign_in

PAGE = "/account/identities"


@pytest_asyncio.fixture(scope="module")
async def issuers() -> AsyncIterator[tuple[FalseIssuer, FalseIssuer]]:
    async with running_issuer() as first, running_issuer() as second:
        yield first, second


@pytest_asyncio.fixture(scope="module")
async def gateway(environ: dict[str, str], tmp_path_factory: Any, issuers: Any) -> AsyncIterator[Gateway]:
    def table(at: FalseIssuer, name: str) -> dict[str, Any]:
        acr = {"strong": ["mfa", "high"], "strong_acr": ["high"]}
        return {"issuer": at.url, "name": name, "client_id": "plein", "client_secret": "s3cret", **acr}

    tables = {"test": table(issuers[0], "Eerste"), "other": table(issuers[1], "Tweede")}
    async with trusting(environ, tmp_path_factory.mktemp("issuers"), tables) as gateway:
        yield gateway


@pytest.fixture
def at(issuers: tuple[FalseIssuer, FalseIssuer]) -> FalseIssuer:
    for each in issuers:
        each.reset()
    return issuers[0]


@pytest_asyncio.fixture
async def anna(gateway: Gateway, at: FalseIssuer) -> AsyncIterator[Person]:
    """Somebody who signed in at the first issuer, for the first time."""
    made = person(gateway, at)
    somebody(at)
    await made.sign_in()
    yield made
    await made.http.aclose()


async def link_another(gateway: Gateway, anna: Person, other: FalseIssuer) -> None:
    """Let her sign in at the second issuer too."""
    somebody(other)
    anna.at, anna.key = other, "other"
    await anna.come_back(await anna.leave_for_issuer(link="", next=PAGE))
    await anna.send({"answer": "yes"})
    assert path_of(anna.page) == PAGE


def ids(anna: Person) -> dict[str, str]:
    """The form on the page that takes a way in away, by the name of the issuer."""
    found = {}
    for form, name in zip(anna.read.forms, ("Eerste", "Tweede"), strict=False):
        found[name] = form.fields["identity"]
    return found


async def test_they_are_shown_to_their_own_only(gateway: Gateway, anna: Person, at: FalseIssuer):
    await anna.open("/account")
    assert (PAGE, "Manieren om in te loggen") in anna.read.links
    page = await anna.open(PAGE)
    assert at.claims["email"] in page.text
    assert "Eerste" in page.text
    assert ("/sign-in/at/other?link=&next=/account/identities", "Ook inloggen met Tweede") in anna.read.links
    stranger = person(gateway, at)
    await stranger.open(PAGE)
    assert path_of(stranger.page).startswith("/sign-in?")


async def test_the_last_way_in_stays(gateway: Gateway, anna: Person, at: FalseIssuer):
    await anna.open(PAGE)
    assert anna.read.forms == [], "there is nothing to take away"
    account = await account_named(gateway, at.claims["email"])
    (way,) = await identity_ids(gateway, account.id)
    answer = await post(anna, way)
    assert answer.status_code in {403, 409}
    assert len(await identities(gateway, account.id)) == 1


async def test_one_of_two_can_go(gateway: Gateway, anna: Person, at: FalseIssuer, issuers: Any):
    account = await account_named(gateway, at.claims["email"])
    elsewhere = person(gateway, at)
    await elsewhere.sign_in()
    await link_another(gateway, anna, issuers[1])
    assert len(await identities(gateway, account.id)) == 2
    await anna.send({"identity": ids(anna)["Eerste"]})
    assert path_of(anna.page) == PAGE
    assert await identities(gateway, account.id) == {(issuers[1].url, issuers[1].claims["sub"])}
    assert "identity.unlinked" in await acts(gateway, account.id)
    assert await anna.name() is not None, "her own session stays"
    assert await elsewhere.name() is None, "what that way in opened elsewhere is over"
    assert len(await sessions(gateway, account.id)) == 1
    answer = await anna.send({"identity": ids(anna).get("Eerste", str(UUID(int=0)))}) if anna.read.forms else None
    assert answer is None, "the one that is left is the last"


async def test_each_change_gives_the_session_a_new_token(gateway: Gateway, anna: Person, at: FalseIssuer, issuers: Any):
    account = await account_named(gateway, at.claims["email"])
    shown = [anna.cookies["plein"]]
    await link_another(gateway, anna, issuers[1])
    shown.append(anna.cookies["plein"])
    await anna.send({"identity": ids(anna)["Eerste"]})
    shown.append(anna.cookies["plein"])
    viewers = [await gateway.square.authenticate(each, "") for each in shown]
    assert [viewer.account_id for viewer in viewers] == [None, None, account.id]


async def test_a_password_is_a_way_in_too(gateway: Gateway, anna: Person, at: FalseIssuer):
    account = await account_named(gateway, at.claims["email"])
    async with gateway.square.database.transaction(None) as tx:
        await set_password(tx, account.id, "$argon2id$none")
    await anna.open(PAGE)
    await anna.send({"identity": ids(anna)["Eerste"]})
    assert await identities(gateway, account.id) == set()


async def test_two_at_once_leave_one(gateway: Gateway, anna: Person, at: FalseIssuer, issuers: Any):
    account = await account_named(gateway, at.claims["email"])
    await link_another(gateway, anna, issuers[1])
    await asyncio.gather(*(post(anna, each) for each in await identity_ids(gateway, account.id)))
    assert len(await identities(gateway, account.id)) == 1


async def test_nobody_takes_away_anothers(gateway: Gateway, anna: Person, at: FalseIssuer, issuers: Any):
    await link_another(gateway, anna, issuers[1])
    victim = person(gateway, at)
    email = somebody(at)
    await victim.sign_in()
    theirs = await account_named(gateway, email)
    (way,) = await identity_ids(gateway, theirs.id)
    await anna.open(PAGE)
    await post(anna, way)
    assert len(await identities(gateway, theirs.id)) == 1


async def test_it_asks_for_signing_in_a_moment_ago(gateway: Gateway, anna: Person, at: FalseIssuer, issuers: Any):
    account = await account_named(gateway, at.claims["email"])
    await link_another(gateway, anna, issuers[1])
    old = func.now() - func.make_interval(0, 0, 0, 0, 1)
    async with gateway.square.database.transaction(None) as tx:
        await tx.execute(update(SESSION).where(SESSION.c.account_id == account.id).values(authenticated_at=old))
    await anna.open(PAGE)
    await anna.send({"identity": ids(anna)["Eerste"]})
    assert path_of(anna.page).startswith("/sign-in/again?")
    assert len(await identities(gateway, account.id)) == 2


async def identity_ids(gateway: Gateway, account_id: UUID) -> list[str]:
    async with gateway.square.database.transaction(None) as tx:
        return [str(each.id) for each in await list_identities(tx, account_id)]


async def post(anna: Person, identity: str) -> Any:
    """Send the form with this identity, whatever the page shows."""
    tokens = gateway_tokens(anna)
    headers = {"origin": "http://localhost:8000", "sec-fetch-site": "same-origin"}
    return await anna.http.post(PAGE, data={"form": tokens, "identity": identity}, headers=headers)


def gateway_tokens(anna: Person) -> str:
    """A token of the form, as the page would have it."""
    app = anna.http._transport.app  # type: ignore[attr-defined]
    pages = app._pages
    nonce = anna.cookies.get("plein-form", "")
    if not nonce:
        nonce = "n" * 22
        anna.keep("plein-form", nonce)
    return str(pages.form_tokens.make("identities", nonce, anna.cookies["plein"]))


# --- as a site demands -----------------------------------------------------------------------------------------------


async def site_with(gateway: Gateway, **demand: Any) -> TenantRef:
    """A new site with this demand."""
    new = NewTenant(slug=f"site-{secrets.token_hex(6)}", name="Streng", access=4, visibility=4, joining="OPEN")
    site = await provision(gateway.square.database, new, owner_account_id=UUID(int=1))
    table = table_of(Tenant)
    async with gateway.square.database.transaction(None) as tx:
        await tx.execute(update(table).where(table.c.id == site.id).values({"name": "Streng", **demand}))
    return site


async def step_up(anna: Person, site: TenantRef) -> str:
    """Where the browser is led to."""
    answer = await anna.http.get("/sign-in/step-up", params={"site": site.slug, "next": "/there"})
    assert answer.status_code == 303
    return str(answer.headers["location"])


async def test_a_second_factor_is_asked_of_the_issuer_one_came_by(gateway: Gateway, anna: Person, at: FalseIssuer):
    site = await site_with(gateway, second_factor=True)
    there = await step_up(anna, site)
    assert there == "/sign-in/at/test?next=%2Fthere&strong=1&again=1"
    answer = await anna.open(there)
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (query["acr_values"], query["prompt"], query["max_age"]) == (["high"], ["login"], ["0"])
    await anna.come_back(answer.headers["location"])
    assert anna.code == "STEP_UP_FAILED", "the issuer did not use one"
    at.claims["acr"] = "high"
    await anna.come_back((await anna.open(there)).headers["location"])
    assert path_of(anna.page) == "/there"
    assert await step_up(anna, site) == "/there", "nothing more is needed"
    account = await account_named(gateway, at.claims["email"])
    (session,) = await sessions(gateway, account.id)
    assert session.amr == ["mfa"]


async def test_an_old_sign_in_does_not_count_as_a_new_one(gateway: Gateway, anna: Person, at: FalseIssuer):
    site = await site_with(gateway, second_factor=True)
    there = await step_up(anna, site)
    at.claims |= {"acr": "high", "auth_time": 1_700_000_000}
    await anna.come_back((await anna.open(there)).headers["location"])
    assert anna.code == "ID_TOKEN_INVALID"


async def test_who_signs_in_here_uses_their_app(gateway: Gateway, at: FalseIssuer):
    site = await site_with(gateway, second_factor=True)
    visitor = person(gateway, at)
    account_id = await account_with(gateway, f"{secrets.token_hex(6)}@example.nl")
    await sign_in(gateway, visitor, account_id)
    async with gateway.square.database.transaction(None) as tx:
        await tx.execute(update(SESSION).where(SESSION.c.account_id == account_id).values(issuer="urn:plein:local"))
    assert await step_up(visitor, site) == "/sign-in/again?next=%2Fthere&acr=urn%3Aplein%3Aacr%3A2"


async def test_a_site_for_people_of_one_issuer(gateway: Gateway, anna: Person, issuers: Any):
    site = await site_with(gateway, issuers=[issuers[1].url])
    there = await step_up(anna, site)
    assert there == f"/sign-in?next=%2Fthere&site={site.slug}"
    await anna.open(there)
    ways = [text for href, text in anna.read.links if href.startswith("/sign-in/at/")]
    assert ways == ["Inloggen met Tweede"]


async def test_a_site_without_demands_or_none_at_all(gateway: Gateway, anna: Person):
    site = await site_with(gateway)
    assert await step_up(anna, site) == "/sign-in?next=%2Fthere"
    answer = await anna.http.get("/sign-in/step-up?site=nowhere&next=https://evil.example/")
    assert answer.headers["location"] == "/sign-in?next=%2F"
