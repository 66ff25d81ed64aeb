"""Signing in at an issuer, seen from a browser: who gets in, who does not, and where one ends up."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from sqlalchemy import func, select, update
from starlette.responses import Response

from auth.accounts import ACCOUNT
from auth.local.links import LINK, Link, Purpose, create_link
from auth.relying.faults import SignInFault
from auth.relying.once import SPENT
from auth.sessions import SESSION
from auth.viewer import PlatformRole
from gateway.app import Gateway
from gateway.pages.at_issuers import LINK_PATH
from tests.auth.relying.issuer import FalseIssuer, running_issuer
from tests.gateway.pages.at_issuer import (
    Person,
    account_named,
    account_with,
    acts,
    identities,
    path_of,
    person,
    rows,
    sessions,
    somebody,
    trusting,
)
from tests.gateway.pages.signed_in import sign_in


@pytest_asyncio.fixture(scope="module")
async def issuer() -> AsyncIterator[FalseIssuer]:
    async with running_issuer() as issuer:
        yield issuer


@pytest_asyncio.fixture(scope="module")
async def other_issuer() -> AsyncIterator[FalseIssuer]:
    async with running_issuer() as issuer:
        yield issuer


def table(at: FalseIssuer, **more: Any) -> dict[str, Any]:
    return {"issuer": at.url, "name": "Gemeente Test", "client_id": "plein", "client_secret": "s3cret", **more}


@pytest_asyncio.fixture(scope="module")
async def gateway(
    environ: dict[str, str], tmp_path_factory: Any, issuer: FalseIssuer, other_issuer: FalseIssuer
) -> AsyncIterator[Gateway]:
    tables = {"test": table(issuer), "other": table(other_issuer, name="Andere dienst")}
    async with trusting(environ, tmp_path_factory.mktemp("issuers"), tables) as gateway:
        yield gateway


@pytest_asyncio.fixture
async def at(issuer: FalseIssuer, other_issuer: FalseIssuer) -> FalseIssuer:
    issuer.reset()
    other_issuer.reset()
    return issuer


@pytest_asyncio.fixture
async def anna(gateway: Gateway, at: FalseIssuer) -> AsyncIterator[Person]:
    """Somebody at a browser."""
    made = person(gateway, at)
    yield made
    await made.http.aclose()


async def test_the_first_sign_in_makes_an_account(gateway: Gateway, anna: Person, at: FalseIssuer):
    email = somebody(at, name="Anna de Wit", locale="nl-NL", amr=["pwd", "mfa"], sid="their-session")
    await anna.sign_in(next="/account?x=1")
    assert path_of(anna.page) == "/account?x=1"
    assert await anna.name() == "Anna de Wit"
    account = await account_named(gateway, email)
    assert account.email_verified_at is not None
    assert account.language == "nl-NL"
    assert await identities(gateway, account.id) == {(at.url, at.claims["sub"])}
    assert await acts(gateway, account.id) == ["account.created", "sign_in.done"]
    (session,) = await sessions(gateway, account.id)
    assert (session.issuer, session.subject, session.sid) == (at.url, at.claims["sub"], "their-session")
    assert session.amr == ["pwd", "mfa"]
    assert not [name for name in anna.cookies if name.startswith("plein-at")], "what was kept for the way is gone"


async def test_the_next_sign_in_is_the_same_account_whatever_they_say_now(
    gateway: Gateway, anna: Person, at: FalseIssuer
):
    email = somebody(at, name="Anna")
    await anna.sign_in()
    account = await account_named(gateway, email)
    at.claims |= {"email": "another@example.nl", "email_verified": False, "name": "Annie"}
    again = person(gateway, at)
    await again.sign_in()
    assert await again.name() == "Anna"
    assert len(await sessions(gateway, account.id)) == 2
    assert (await account_named(gateway, email)).name == "Anna"


async def test_signing_in_anew_ends_the_session_that_was(gateway: Gateway, anna: Person, at: FalseIssuer):
    email = somebody(at)
    await anna.sign_in()
    first = anna.cookies["plein"]
    await anna.sign_in()
    assert anna.cookies["plein"] != first
    assert len(await sessions(gateway, (await account_named(gateway, email)).id)) == 1


async def test_the_buttons_are_on_the_page(anna: Person):
    await anna.open("/sign-in?next=/x")
    assert ("/sign-in/at/test?next=%2Fx", "Inloggen met Gemeente Test") in anna.read.links
    assert ("/sign-in/at/other?next=%2Fx", "Inloggen met Andere dienst") in anna.read.links


async def test_a_visitor_who_only_looks_writes_nothing(gateway: Gateway, anna: Person):
    async def written() -> list[int]:
        async with gateway.square.database.transaction(None) as tx:
            return [await tx.scalar(select(func.count()).select_from(each)) for each in (SPENT, ACCOUNT)]

    before = await written()
    await anna.leave_for_issuer()
    await anna.answer({"state": "made up", "code": "x"})
    await anna.open("/sign-in/link")
    assert await written() == before


async def test_several_tabs_work(gateway: Gateway, anna: Person, at: FalseIssuer):
    somebody(at)
    ways = [await anna.leave_for_issuer(next=f"/tab-{number}") for number in range(4)]
    for number in (2, 0, 3, 1):
        await anna.come_back(ways[number])
        assert path_of(anna.page) == f"/tab-{number}"


async def test_too_many_tabs_leave_the_latest(anna: Person, at: FalseIssuer):
    somebody(at)
    ways = []
    for _ in range(7):
        ways.append(await anna.leave_for_issuer())
        await asyncio.sleep(0)
    assert len([name for name in anna.cookies if name.startswith("plein-at")]) == 4
    await anna.come_back(ways[-1])
    assert await anna.name() is not None


@pytest.mark.parametrize(
    "there",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "https://localhost:8000@evil.example/",
        "javascript:alert(1)",
        "http://localhost:8000.evil.example/",
    ],
)
async def test_no_way_leads_elsewhere(anna: Person, at: FalseIssuer, there: str):
    somebody(at)
    answer = await anna.http.get(
        "/sign-in/at/test/callback", params=at.approve(await anna.leave_for_issuer(next=there))
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost:8000.evil.example", "127.0.0.1:8000"])
async def test_the_host_that_a_request_names_goes_nowhere(gateway: Gateway, at: FalseIssuer, host: str):
    visitor = person(gateway, at)
    answer = await visitor.http.get("/sign-in/at/test?next=/x&strong=1", headers={"host": host})
    there = urlsplit(answer.headers["location"])
    assert (there.scheme, there.netloc, there.path) == ("http", "localhost:8000", "/sign-in/at/test")
    assert "set-cookie" not in answer.headers
    assert parse_qs(there.query)["strong"] == ["1"]
    address = await visitor.leave_for_issuer()
    assert parse_qs(urlsplit(address).query)["redirect_uri"] == ["http://localhost:8000/sign-in/at/test/callback"]


# --- whose sign-in it is ---------------------------------------------------------------------------------------------


async def test_an_answer_in_another_browser(gateway: Gateway, anna: Person, at: FalseIssuer):
    """Login CSRF: the attacker's answer, brought to somebody else's browser, signs nobody in."""
    somebody(at)
    mallory = person(gateway, at)
    answer = at.approve(await mallory.leave_for_issuer())
    page = await anna.answer(answer)
    assert (page.status_code, anna.code) == (400, "SIGN_IN_EXPIRED")
    assert await anna.name() is None
    await anna.leave_for_issuer()  # a sign-in of her own is of no use for it
    page = await anna.answer(answer)
    assert (page.status_code, anna.code) == (400, "SIGN_IN_EXPIRED")


async def test_an_answer_that_comes_again(gateway: Gateway, anna: Person, at: FalseIssuer):
    email = somebody(at)
    at.replays = True  # an issuer that takes a code twice
    address = await anna.leave_for_issuer()
    cookies = dict(anna.http.cookies)
    answer = at.approve(address)
    await anna.answer(answer)
    assert await anna.name() is not None
    page = await anna.answer(answer)
    assert (page.status_code, anna.code) == (400, "SIGN_IN_EXPIRED")
    thief = person(gateway, at)
    for name, value in cookies.items():
        thief.keep(name, value)
    page = await thief.answer(answer)
    assert (page.status_code, thief.code) == (400, "SIGN_IN_EXPIRED")
    assert await thief.name() is None
    assert len(await sessions(gateway, (await account_named(gateway, email)).id)) == 1


async def test_the_same_answer_twice_at_once(gateway: Gateway, anna: Person, at: FalseIssuer):
    email = somebody(at)
    await anna.sign_in()
    at.replays = True
    address = await anna.leave_for_issuer()
    answer = at.approve(address)
    twin = person(gateway, at)
    for name, value in dict(anna.http.cookies).items():
        twin.keep(name, value)
    pages = await asyncio.gather(anna.answer(answer), twin.answer(answer))
    assert sorted(page.status_code for page in pages if page.status_code == 400) == [400]
    assert len(await sessions(gateway, (await account_named(gateway, email)).id)) == 1


async def test_a_mix_up(gateway: Gateway, anna: Person, at: FalseIssuer, other_issuer: FalseIssuer):
    """A hostile issuer sends its answer where the honest one's belongs, and the other way round."""
    somebody(at)
    address = await anna.leave_for_issuer()
    answer = at.approve(address)
    page = await anna.answer(answer | {"iss": other_issuer.url})
    assert (page.status_code, anna.code) == (400, "ISSUER_MISMATCH")
    anna.key = "other"
    anna.at = other_issuer
    there = await anna.leave_for_issuer()
    state = parse_qs(urlsplit(there).query)["state"][0]
    anna.at, anna.key = at, "test"
    answer = at.approve(await anna.leave_for_issuer())
    page = await anna.answer({**answer, "state": state}, key="other")
    assert (page.status_code, anna.code) == (400, "ISSUER_MISMATCH")
    anna.at, anna.key = other_issuer, "other"
    state = parse_qs(urlsplit(await anna.leave_for_issuer()).query)["state"][0]
    page = await anna.answer({**answer, "state": state, "iss": other_issuer.url}, key="test")
    assert (page.status_code, anna.code) == (400, "ISSUER_MISMATCH")
    assert other_issuer.count("/token") == 0
    assert await anna.name() is None


async def test_a_parameter_twice(anna: Person, at: FalseIssuer):
    somebody(at)
    answer = at.approve(await anna.leave_for_issuer())
    query = "&".join(f"{name}={value}" for name, value in answer.items())
    await anna.open(f"/sign-in/at/test/callback?{query}&code=another")
    assert (anna.page.status_code, anna.code) == (424, "ISSUER_FAULTY")
    await anna.open(f"/sign-in/at/test/callback?{query}&x={'y' * 20_000}")
    assert (anna.page.status_code, anna.code) == (424, "ISSUER_FAULTY")


@pytest.mark.parametrize("key", ["nobody", "Test", "../test", "%00", "a" * 300, "té"])
async def test_an_issuer_that_nobody_configured(anna: Person, key: str):
    page = await anna.open(f"/sign-in/at/{key}")
    assert page.status_code == 404


async def test_a_fault_is_a_page_in_the_language_of_the_reader(gateway: Gateway, at: FalseIssuer):
    visitor = person(gateway, at, accept_language="en")
    somebody(at)
    address = await visitor.leave_for_issuer()
    at.answers["/token"] = lambda _: Response(b"<html>down</html>", 500)
    page = await visitor.come_back(address)
    assert (page.status_code, visitor.code) == (424, "ISSUER_UNREACHABLE")
    assert "does not answer just now" in page.text
    page = await visitor.answer({"state": "x", "error": "<script>alert(1)</script>"})
    assert page.status_code == 400
    assert "<script>" not in page.text


@pytest.mark.parametrize("code", [each.value for each in SignInFault])
async def test_every_fault_has_a_page_that_explains_it(gateway: Gateway, at: FalseIssuer, code: str):
    texts = []
    for language in ("en", "nl"):
        visitor = person(gateway, at, accept_language=language)
        page = await visitor.open(f"/sign-in/problem?code={code}")
        assert 400 <= page.status_code < 500
        assert visitor.code == code
        texts.append(visitor.read.text)
    assert texts[0] != texts[1]
    assert "That did not work" not in texts[0]


async def test_a_fault_that_is_none(anna: Person):
    page = await anna.open("/sign-in/problem?code=<script>")
    assert (page.status_code, anna.code) == (400, "SIGN_IN_EXPIRED")


async def test_the_answer_does_not_stay_in_the_address(anna: Person, at: FalseIssuer):
    somebody(at, nonce="another")
    await anna.sign_in()
    assert path_of(anna.page) == "/sign-in/problem?code=ID_TOKEN_INVALID"


async def test_the_person_says_no(anna: Person, at: FalseIssuer):
    state = parse_qs(urlsplit(await anna.leave_for_issuer()).query)["state"][0]
    page = await anna.answer({"error": "access_denied", "state": state, "iss": at.url})
    assert (page.status_code, anna.code) == (403, "SIGN_IN_CANCELLED")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"nonce": "another"}, "ID_TOKEN_INVALID"),
    ({"aud": "somebody-else"}, "ID_TOKEN_INVALID"),
    ({"exp": 1}, "ID_TOKEN_INVALID"),
    ({"email": None}, "EMAIL_MISSING"),
    ({"email_verified": False}, "EMAIL_UNVERIFIED"),
    ({"email_verified": None}, "EMAIL_UNVERIFIED"),
    ({"email_verified": "true"}, "EMAIL_UNVERIFIED"),
]


@pytest.mark.parametrize(("claims", "code"), WRONG, ids=str)
async def test_who_is_not_let_in_is_told_why(anna: Person, at: FalseIssuer, claims: dict[str, Any], code: str):
    somebody(at, **claims)
    page = await anna.sign_in()
    assert 400 <= page.status_code < 500
    assert anna.code == code
    assert await anna.name() is None


# --- addresses, and linking ------------------------------------------------------------------------------------------


async def test_an_unverified_address_says_nothing_of_whose_it_is(gateway: Gateway, anna: Person, at: FalseIssuer):
    """Takeover by an address that was never checked: refused, and in the same words as one that nobody has."""
    email = somebody(at, email_verified=False)
    first = await anna.sign_in()
    account_id = await account_with(gateway, email)
    second = await anna.sign_in()
    assert (first.status_code, anna.code) == (second.status_code, "EMAIL_UNVERIFIED")
    assert first.text == second.text
    assert await identities(gateway, account_id) == set()


async def test_an_address_that_was_never_verified_here_links_nothing(gateway: Gateway, anna: Person, at: FalseIssuer):
    """Somebody made an account with another's address before they came: it is not theirs, and they cannot have it."""
    email = somebody(at)
    account_id = await account_with(gateway, email, is_verified=False)
    await anna.sign_in()
    assert anna.code == "EMAIL_TAKEN"
    assert await identities(gateway, account_id) == set()


async def test_the_same_address_is_asked_about_and_links_after_both_proofs(
    gateway: Gateway, anna: Person, at: FalseIssuer
):
    email = somebody(at, name="Willem Jansen")
    account_id = await account_with(gateway, email.upper())
    await anna.sign_in(next="/there")
    assert path_of(anna.page) == LINK_PATH
    assert email in anna.page.text
    assert anna.read.forms == [], "there is nothing to agree to yet"
    assert await anna.name() is None, "nobody is signed in"
    await sign_in(gateway, anna, account_id)
    await anna.open(LINK_PATH)
    assert "Gemeente Test" in anna.page.text
    await anna.send({"answer": "yes"})
    assert path_of(anna.page) == "/there"
    assert await identities(gateway, account_id) == {(at.url, at.claims["sub"])}
    assert "identity.linked" in await acts(gateway, account_id)
    later = person(gateway, at)
    await later.sign_in()
    assert await later.name() == "Willem"


async def test_whoever_says_no_is_not_linked(gateway: Gateway, anna: Person, at: FalseIssuer):
    account_id = await account_with(gateway, somebody(at))
    await anna.sign_in()
    await sign_in(gateway, anna, account_id)
    await anna.open(LINK_PATH)
    await anna.send({"answer": "no"})
    assert await identities(gateway, account_id) == set()
    page = await anna.open(LINK_PATH)
    assert (page.status_code, anna.code) == (400, "SIGN_IN_EXPIRED")


async def test_another_account_cannot_take_the_identity(gateway: Gateway, anna: Person, at: FalseIssuer):
    await account_with(gateway, somebody(at))
    await anna.sign_in()
    other = await account_with(gateway, f"{secrets.token_hex(6)}@example.nl")
    await sign_in(gateway, anna, other)
    await anna.open(LINK_PATH)
    assert anna.read.forms == []
    assert await identities(gateway, other) == set()


async def test_a_form_that_another_page_sends_links_nothing(gateway: Gateway, anna: Person, at: FalseIssuer):
    account_id = await account_with(gateway, somebody(at))
    await anna.sign_in()
    await sign_in(gateway, anna, account_id)
    await anna.open(LINK_PATH)
    for headers in ({"origin": "https://evil.example", "sec_fetch_site": "cross-site"}, {"origin": "null"}):
        page = await anna.send({"answer": "yes"}, **headers)
        assert page.status_code == 403
        await anna.open(LINK_PATH)
    page = await anna.send({"answer": "yes", "form": "made up"})
    assert page.status_code == 403
    assert await identities(gateway, account_id) == set()


async def test_an_old_session_is_no_proof(gateway: Gateway, anna: Person, at: FalseIssuer):
    account_id = await account_with(gateway, somebody(at))
    await anna.sign_in()
    session_id = await sign_in(gateway, anna, account_id)
    async with gateway.square.database.transaction(None) as tx:
        old = func.now() - func.make_interval(0, 0, 0, 0, 1)
        await tx.execute(update(SESSION).where(SESSION.c.id == session_id).values(created_at=old, authenticated_at=old))
    await anna.open(LINK_PATH)
    assert anna.read.forms == []


async def test_one_more_way_for_whoever_is_signed_in(gateway: Gateway, anna: Person, at: FalseIssuer):
    """Begun from the account: the address may be another, and need not be verified."""
    account_id = await account_with(gateway, f"{secrets.token_hex(6)}@example.nl")
    somebody(at, email_verified=False)
    answer = await anna.open("/sign-in/at/test?link&next=/there")
    assert path_of(answer).startswith("/sign-in?"), "nobody is signed in yet"
    await sign_in(gateway, anna, account_id)
    address = await anna.leave_for_issuer(link="", next="/there")
    assert parse_qs(urlsplit(address).query)["prompt"] == ["login"], "who they are there is asked for once more"
    await anna.come_back(address)
    assert path_of(anna.page) == LINK_PATH
    assert await identities(gateway, account_id) == set(), "coming back is not yet saying yes"
    await anna.send({"answer": "yes"})
    assert path_of(anna.page) == "/there"
    assert await identities(gateway, account_id) == {(at.url, at.claims["sub"])}


async def test_an_identity_of_somebody_else_is_not_linked(gateway: Gateway, anna: Person, at: FalseIssuer):
    somebody(at)
    await anna.sign_in()
    other = person(gateway, at)
    account_id = await account_with(gateway, f"{secrets.token_hex(6)}@example.nl")
    await sign_in(gateway, other, account_id)
    await other.come_back(await other.leave_for_issuer(link=""))
    await other.send({"answer": "yes"})
    assert (other.page.status_code, other.code) == (409, "IDENTITY_TAKEN")
    assert await identities(gateway, account_id) == set()


async def test_an_address_that_was_given_to_somebody_else(gateway: Gateway, anna: Person, at: FalseIssuer):
    """The subject is who somebody is: an address that the issuer gave to another person leads to no account."""
    email = somebody(at, name="Anna")
    await anna.sign_in()
    account = await account_named(gateway, email)
    at.claims["sub"] = at.userinfo["sub"] = "somebody-else"
    heir = person(gateway, at)
    await heir.sign_in()
    assert path_of(heir.page) == LINK_PATH
    assert await heir.name() is None
    assert len(await identities(gateway, account.id)) == 1


async def test_a_suspended_account(gateway: Gateway, anna: Person, at: FalseIssuer):
    email = somebody(at)
    await anna.sign_in()
    account = await account_named(gateway, email)
    async with gateway.square.database.transaction(None) as tx:
        await tx.execute(update(ACCOUNT).where(ACCOUNT.c.id == account.id).values(suspended_at=func.now()))
    again = person(gateway, at)
    page = await again.sign_in()
    assert (page.status_code, again.code) == (403, "ACCOUNT_CLOSED")


# --- who may have an account -----------------------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module")
async def strict(
    environ: dict[str, str], tmp_path_factory: Any, issuer: FalseIssuer, other_issuer: FalseIssuer
) -> AsyncIterator[Gateway]:
    tables = {
        "test": table(issuer, accounts="domains", domains=["utrecht.nl"], email_is_verified=True),
        "other": table(other_issuer, accounts="invited"),
    }
    async with trusting(environ, tmp_path_factory.mktemp("issuers"), tables) as gateway:
        yield gateway


@pytest.mark.parametrize(
    ("domain", "is_welcome"),
    [
        ("utrecht.nl", True),
        ("UTRECHT.nl", True),
        ("evil-utrecht.nl", False),
        ("utrecht.nl.evil.example", False),
        ("sub.utrecht.nl", False),
    ],
)
async def test_accounts_for_some_domains(strict: Gateway, at: FalseIssuer, domain: str, is_welcome: bool):
    visitor = person(strict, at)
    email = somebody(at, email=f"{secrets.token_hex(4)}@{domain}", email_verified=None)
    page = await visitor.sign_in(next="/account")
    assert (await account_named(strict, email) is not None) is is_welcome
    if not is_welcome:
        assert (page.status_code, visitor.code) == (403, "EMAIL_DOMAIN")


async def test_accounts_for_the_invited(strict: Gateway, at: FalseIssuer, other_issuer: FalseIssuer):
    async def invite(email: str, role: PlatformRole = PlatformRole.NONE, days: int = 1) -> None:
        async with strict.square.database.transaction(None) as tx:
            await create_link(tx, Link(Purpose.INVITE, email, role=role))
            ends = func.now() + func.make_interval(0, 0, 0, days)
            await tx.execute(update(LINK).where(LINK.c.email == email).values(expires_at=ends))

    visitor = person(strict, other_issuer, key="other")
    email = somebody(other_issuer)
    page = await visitor.sign_in()
    assert (page.status_code, visitor.code) == (403, "INVITATION_NEEDED")
    await invite(email, days=-1)
    await visitor.sign_in()
    assert visitor.code == "INVITATION_NEEDED", "an invitation has an end"
    email = somebody(other_issuer)
    await invite(email, PlatformRole.OPERATOR)
    await visitor.sign_in()
    assert visitor.code == "INVITATION_NEEDED", "an issuer's word makes nobody an operator"
    email = somebody(other_issuer, email=f"{secrets.token_hex(4)}@Example.NL")
    await invite(email.lower())
    await visitor.sign_in()
    assert await account_named(strict, email) is not None
    assert await rows(strict, LINK, LINK.c.email == email.lower()) == [], "it is used up"


# --- signing out -----------------------------------------------------------------------------------------------------


async def notify(person: Person, token: str, **headers: str) -> Any:
    sent = {"content-type": "application/x-www-form-urlencoded", **headers}
    return await person.http.post("/sign-in/at/test/logout", data={"logout_token": token}, headers=sent)


async def test_the_issuer_says_that_a_session_is_over(gateway: Gateway, anna: Person, at: FalseIssuer):
    somebody(at, sid="s-1")
    await anna.sign_in()
    elsewhere = person(gateway, at)
    at.claims["sid"] = "s-2"
    await elsewhere.sign_in()
    token = at.logout_token(sub=at.claims["sub"], sid="s-1")
    assert (await notify(anna, token)).status_code == 200
    assert await anna.name() is None, "at once, though it was remembered"
    assert await elsewhere.name() is not None
    answer = await notify(anna, token)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer.headers["cache-control"] == "no-store"
    assert (await notify(anna, at.logout_token(sub=at.claims["sub"]))).status_code == 200
    assert await elsewhere.name() is None, "without a session: all of the person's"


async def test_a_notice_of_nothing_is_the_same_as_any_other(anna: Person, at: FalseIssuer):
    assert (await notify(anna, at.logout_token(sub="nobody"))).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [{"aud": "other"}, {"iss": "https://evil.example"}, {"nonce": "n"}, {"events": {}}, {"jti": None}, {"iat": 1}],
)
async def test_a_notice_that_is_wrong_ends_nothing(anna: Person, at: FalseIssuer, claims: dict[str, Any]):
    somebody(at)
    await anna.sign_in()
    answer = await notify(anna, at.logout_token(**{"sub": at.claims["sub"], **claims}))
    assert answer.status_code == 400
    assert await anna.name() is not None


async def test_a_notice_of_another_issuer_ends_nothing(
    gateway: Gateway, anna: Person, at: FalseIssuer, other_issuer: FalseIssuer
):
    somebody(at)
    await anna.sign_in()
    answer = await anna.http.post(
        "/sign-in/at/other/logout", data={"logout_token": other_issuer.logout_token(sub=at.claims["sub"])}
    )
    assert answer.status_code == 200
    assert await anna.name() is not None


async def test_what_is_no_notice(anna: Person, at: FalseIssuer):
    path = "/sign-in/at/test/logout"
    assert (await anna.http.post(path, json={"logout_token": at.logout_token()})).status_code == 400
    assert (await anna.http.post(path, data={"logout_token": "x" * 200_000})).status_code == 400
    assert (await anna.http.post(path, data={"other": "x"})).status_code == 400
    assert (await anna.http.post(path, data={"logout_token": ["a", "b"]})).status_code == 400
    assert (await anna.http.get(path)).status_code == 405
    at.answers["/keys"] = lambda _: Response(status_code=500)
    assert (await anna.http.post("/sign-in/at/none/logout", data={"logout_token": "a.b.c"})).status_code == 404


async def test_signing_out_goes_on_to_the_issuer(gateway: Gateway, anna: Person, at: FalseIssuer):
    somebody(at)
    await anna.sign_in()
    page = await anna.open("/sign-out")
    assert at.url in page.headers["content-security-policy"].partition("form-action")[2]
    answer = await anna.send({})
    there = urlsplit(answer.headers["location"])
    assert f"{there.scheme}://{there.netloc}{there.path}" == f"{at.url}/end"
    query = parse_qs(there.query)
    assert query["post_logout_redirect_uri"] == ["http://localhost:8000/sign-out"]
    assert query["client_id"] == ["plein"]
    assert len(query["state"][0]) > 16
    assert query["id_token_hint"][0].count(".") == 2
    assert await anna.name() is None
    await anna.open(f"/sign-out?state={query['state'][0]}")
    assert anna.page.status_code == 200


async def test_signing_out_where_the_issuer_has_no_place_for_it(
    environ: dict[str, str], tmp_path_factory: Any, at: FalseIssuer
):
    somebody(at)
    at.metadata = {"end_session_endpoint": None}
    async with trusting(environ, tmp_path_factory.mktemp("issuers"), {"test": table(at)}) as gateway:
        await sign_out_alone(person(gateway, at))


async def sign_out_alone(anna: Person) -> None:
    await anna.sign_in()
    await anna.open("/sign-out")
    await anna.send({})
    assert path_of(anna.page) == "/sign-out"
    assert await anna.name() is None
