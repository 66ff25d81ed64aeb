"""Signing in on sites' hosts by way of the platform's, and everything that somebody could try on the way."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, insert, select, update

from auth.passes import PASS
from auth.sessions import SESSION
from gateway.app import Gateway
from tenants.provisioning import NewTenant, provision
from tenants.registry import HOST, TenantRef
from tests.gateway.pages.people import Person, path_of, registered, signed_in
from tests.gateway.pages.post import Post
from tests.gateway.pages.signed_in import new_account
from tests.gateway.pages.visitor import Visitor

WHO = "{ viewer { account { name } } }"
BASE = "https://plein.example"


@dataclass
class Sites:
    """A site under the platform's host, and one with a name of its own."""

    under: TenantRef
    own: TenantRef
    own_host: str


@pytest_asyncio.fixture(scope="module")
async def sites(production: Gateway) -> Sites:
    square, found = production.square, []
    owner = await new_account(production)
    for _ in range(2):
        slug = f"site-{secrets.token_hex(4)}"
        found.append(await provision(square.database, NewTenant(slug, slug.title()), owner_account_id=owner))
    host = f"{secrets.token_hex(4)}.example"
    async with square.database.transaction(None) as tx:
        await tx.execute(insert(HOST).values(host=host, tenant_id=found[1].id))
    return Sites(found[0], found[1], host)


@pytest_asyncio.fixture
async def sanne(production: Gateway, post: Post) -> AsyncIterator[tuple[Person, Visitor]]:
    person = Person()
    yield person, await registered(production, post, person)


def at_site(production: Gateway, host: str) -> Visitor:
    return Visitor(production, at=f"https://{host}", accept_language="en")


async def cross(on_site: Visitor, on_square: Visitor, next_: str = "/hello?a=b") -> str:
    """From the site to the platform and as far as the way back, which is given."""
    begun = await on_site.open(f"/sign-in?{urlencode({'next': next_})}")
    assert begun.status_code == 303
    there = begun.headers["location"]
    assert there.startswith(f"{BASE}/sign-in/site?")
    assert "next" not in parse_qs(urlsplit(there).query)
    return await passed(on_square, await on_square.open(path_of(there)))


async def passed(on_square: Visitor, answer: httpx.Response) -> str:
    """The way back to the site; to a name of its own only once somebody said that they want to."""
    if answer.status_code == 200:
        assert "Whoever keeps" in on_square.read.text
        await on_square.send({})
        return str(on_square.stopped_at)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def who(visitor: Visitor) -> Any:
    return (await visitor.ask(WHO))["data"]["viewer"]["account"]


async def test_a_session_on_a_sites_host(production: Gateway, sites: Sites, sanne: tuple[Person, Visitor]) -> None:
    _, on_square = sanne
    for host in (f"{sites.under.slug}.plein.example", sites.own_host):
        on_site = at_site(production, host)
        back = await cross(on_site, on_square)
        assert back.startswith(f"https://{host}/sign-in/complete?code=")
        landed = await on_site.http.get(path_of(back))
        assert (landed.status_code, landed.headers["location"]) == (303, "/hello?a=b")
        assert await who(on_site) == {"name": "Sanne Bakker"}
        assert set(on_site.cookies) == {"__Host-plein"}
        for answer in (landed,):
            cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith("__Host-plein="))
            assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {each.strip() for each in cookie.split(";")}
        assert on_site.cookies["__Host-plein"] != on_square.cookies["__Host-plein"]
        await on_square.open("/account")
        assert on_square.read.text.count("last used") == 1


async def test_a_session_on_a_sites_own_name_is_good_for_that_site_only(
    production: Gateway, sites: Sites, sanne: tuple[Person, Visitor]
) -> None:
    _, on_square = sanne
    bound = []
    for host in (f"{sites.under.slug}.plein.example", sites.own_host):
        on_site = at_site(production, host)
        await on_site.http.get(path_of(await cross(on_site, on_square)))
        viewer = await production.square.authenticate(
            on_site.cookies["__Host-plein"], sites.own_host if host == sites.own_host else sites.under.slug
        )
        assert viewer.account_id is not None
        bound.append(viewer.sites)
    assert bound == [None, frozenset({sites.own.id})]


async def test_who_is_not_signed_in_signs_in_on_the_platforms_host_first(
    production: Gateway, sites: Sites, sanne: tuple[Person, Visitor]
) -> None:
    person, _ = sanne
    on_site, browser = at_site(production, sites.own_host), Visitor(production, at=BASE, accept_language="en")
    begun = await on_site.open("/sign-in?next=/hello")
    await browser.open(path_of(begun.headers["location"]))
    assert str(browser.page.url).startswith(f"{BASE}/sign-in?next=")
    back = await passed(browser, await browser.send({"email": person.email, "password": person.password}))
    await on_site.http.get(path_of(back))
    assert await who(on_site) == {"name": "Sanne Bakker"}


async def test_a_password_is_never_asked_for_on_a_sites_host(production: Gateway, sites: Sites) -> None:
    for path in ("/register", "/forgot", "/account", "/sign-in/again", "/reset?link=x", "/account/password"):
        answer = await at_site(production, sites.own_host).open(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(f"{BASE}{path.partition('?')[0]}")


async def test_a_stolen_pass_is_of_no_use_elsewhere(
    production: Gateway, sites: Sites, sanne: tuple[Person, Visitor]
) -> None:
    _, on_square = sanne
    own, under = sites.own_host, f"{sites.under.slug}.plein.example"
    # In another browser, with a state of its own; without one; on another site; on the platform itself.
    thieves = [at_site(production, own), at_site(production, under), Visitor(production, at=BASE)]
    for thief in (*thieves, at_site(production, own)):
        on_site = at_site(production, own)
        back = await cross(on_site, on_square)
        if thief in thieves:
            await thief.open("/sign-in")
        answer = await thief.http.get(path_of(back))
        assert answer.status_code in {400, 404}
        assert "__Host-plein" not in thief.cookies


async def test_a_pass_is_good_once_and_for_a_minute(
    production: Gateway, sites: Sites, sanne: tuple[Person, Visitor]
) -> None:
    _, on_square = sanne
    on_site = at_site(production, sites.own_host)
    back = await cross(on_site, on_square)
    state = on_site.cookies["__Host-plein-state"]
    assert (await on_site.http.get(path_of(back))).status_code == 303
    session = on_site.cookies["__Host-plein"]
    replaying = at_site(production, sites.own_host)
    replaying.keep("__Host-plein-state", state)
    assert (await replaying.http.get(path_of(back))).status_code == 400
    assert set(replaying.cookies) == set()

    late = await cross(on_site, on_square)
    async with production.square.database.transaction(None) as tx:
        await tx.execute(update(PASS).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    answer = await on_site.http.get(path_of(late))
    assert answer.status_code == 400
    assert "took too long" in answer.text
    assert on_site.cookies["__Host-plein"] == session


async def test_nobody_can_sign_somebody_else_in_as_themselves(
    production: Gateway, sites: Sites, post: Post, sanne: tuple[Person, Visitor]
) -> None:
    """The attacker makes a pass of their own account and has the victim follow the way back."""
    _, attackers = sanne
    theirs, victim = at_site(production, sites.own_host), at_site(production, sites.own_host)
    back = await cross(theirs, attackers)
    await victim.open("/sign-in")  # the victim has a state of their own
    assert (await victim.http.get(path_of(back))).status_code == 400
    assert "__Host-plein" not in victim.cookies


@pytest.mark.parametrize(
    "query",
    [
        {"host": "evil.example"},
        {"host": "plein.example"},
        {"host": "localhost"},
        {"host": "{own}.evil.example"},
        {"host": "{own}:8443"},
        {"host": "{own}/x"},
        {"host": "evil.example@{own}"},
        {"host": "{own}\n"},
        {"host": ""},
        {"host": "{own}", "challenge": ""},
        {"host": "{own}", "challenge": "x"},
        {"host": "{own}", "challenge": "x" * 44},
    ],
    ids=str,
)
async def test_a_pass_leads_to_hosts_of_sites_only(
    production: Gateway, sites: Sites, sanne: tuple[Person, Visitor], query: dict[str, str]
) -> None:
    _, on_square = sanne
    asked = {"challenge": "x" * 43} | {name: each.replace("{own}", sites.own_host) for name, each in query.items()}
    assert (await on_square.open(f"/sign-in/site?{urlencode(asked)}")).status_code == 404


async def test_nobody_goes_on_to_a_sites_own_name_without_wanting_to(
    production: Gateway, sites: Sites, sanne: tuple[Person, Visitor]
) -> None:
    """Whoever keeps the name could make a challenge of their own, and send people here by a link or a form."""
    _, on_square = sanne
    asked = {"host": sites.own_host, "challenge": "x" * 43}
    answer = await on_square.http.get("/sign-in/site", params=asked)
    assert (answer.status_code, "location" in answer.headers) == (200, False)
    assert "Sanne Bakker" in answer.text
    assert sites.own_host in answer.text
    for headers in ({"origin": f"https://{sites.own_host}"}, {"origin": BASE}):
        forged = await on_square.http.post("/sign-in/site", data=asked, headers=headers)
        assert forged.status_code == 403
        assert "code=" not in forged.text


async def test_a_host_that_is_no_site_begins_nothing(production: Gateway) -> None:
    answer = await at_site(production, "evil.example").open("/sign-in?next=/")
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


async def test_signing_out_on_either_host_ends_both(
    production: Gateway, sites: Sites, sanne: tuple[Person, Visitor]
) -> None:
    person, on_square = sanne
    for where in ("site", "square"):
        on_site = at_site(production, sites.own_host)
        await on_site.http.get(path_of(await cross(on_site, on_square)))
        assert await who(on_site) == await who(on_square) == {"name": "Sanne Bakker"}
        leaving = on_site if where == "site" else on_square
        await leaving.open("/sign-out")
        await leaving.send({})
        await production.square.catch_up()
        assert [await who(on_site), await who(on_square)] == [None, None]
        await signed_in(production, person, on_square)


async def test_leaving_for_the_platform_writes_nothing(production: Gateway, sites: Sites) -> None:
    async def rows() -> tuple[int, int]:
        async with production.square.database.transaction(None) as tx:
            counts = [await tx.scalar(select(func.count()).select_from(each)) for each in (PASS, SESSION)]
        return int(counts[0] or 0), int(counts[1] or 0)

    before = await rows()
    on_site, browser = at_site(production, sites.own_host), Visitor(production, at=BASE)
    begun = await on_site.open("/sign-in")
    await browser.open(path_of(begun.headers["location"]))
    assert await rows() == before
