"""Accounts that sign in here, from registering to changing everything, in development and in production."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from argon2 import PasswordHasher

from auth.local.local import load_local, set_password
from auth.local.totp import STEP_S, code_at, step_at
from gateway.app import Gateway
from tests.gateway.pages.people import Person, new_visitor, path_of, registered, signed_in
from tests.gateway.pages.post import Post, link_in, text_of
from tests.gateway.pages.visitor import Visitor

WHO = "{ viewer { account { name } } }"


def account_of(answer: dict[str, Any]) -> Any:
    return answer["data"]["viewer"]["account"]


@pytest.fixture(params=["door", "production"])
def gateway(request: pytest.FixtureRequest) -> Gateway:
    found: Gateway = request.getfixturevalue(request.param)
    return found


@pytest_asyncio.fixture
async def sanne(door: Gateway, post: Post) -> AsyncIterator[tuple[Person, Visitor]]:
    person = Person()
    yield person, await registered(door, post, person)


async def test_register_sign_out_sign_in_and_ask(gateway: Gateway, post: Post) -> None:
    person = Person()
    visitor = await registered(gateway, post, person)
    assert person.email in visitor.read.text
    assert account_of(await visitor.ask(WHO)) == {"name": "Sanne Bakker"}
    cookie = "__Host-plein" if gateway.square.settings.is_production else "plein"
    first = visitor.cookies[cookie]
    await visitor.open("/sign-out")
    await visitor.send({})
    assert account_of(await visitor.ask(WHO)) is None
    await signed_in(gateway, person, visitor)
    assert str(visitor.page.url).endswith("/account")
    assert visitor.cookies[cookie] != first
    assert account_of(await visitor.ask(WHO)) == {"name": "Sanne Bakker"}


async def test_the_cookie_is_as_safe_as_can_be(production: Gateway, post: Post) -> None:
    person = Person()
    await registered(production, post, person)
    visitor = new_visitor(production)
    await visitor.open("/sign-in")
    found = visitor.read.forms[0]
    answer = await visitor.http.post(
        "/sign-in",
        data=found.fields | {"email": person.email, "password": person.password},
        headers={"origin": "https://plein.example"},
    )
    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith("__Host-plein=")]
    parts = {each.strip().lower() for each in cookie.split(";")[1:]}
    assert parts == {"max-age=2592000", "path=/", "httponly", "samesite=lax", "secure"}


async def test_an_address_in_other_letters_is_the_same(door: Gateway, sanne: tuple[Person, Visitor]) -> None:
    person, _ = sanne
    visitor = await signed_in(door, Person(f"  {person.email.upper()} ", password=person.password))
    assert "Your account" in visitor.read.text


async def test_a_link_is_good_once_and_looking_at_it_uses_nothing_up(door: Gateway, post: Post) -> None:
    person, visitor = Person(), new_visitor(door)
    await visitor.open("/register")
    await visitor.send({"email": person.email})
    link = path_of(link_in(await post.letter(person.email)))
    for _ in range(3):
        assert (await visitor.open(link)).status_code == 200
        assert (await visitor.http.head(link)).status_code in {200, 405}
    await visitor.send({"name": "Sanne", "password": person.password})
    assert "Your account is made" in visitor.read.text
    replayed = new_visitor(door)
    assert (await replayed.open(link)).status_code == 400
    assert "does not work any more" in replayed.read.text


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"name": "", "password": "correct horse battery staple"}, "Enter your name"),
        ({"name": "x" * 201, "password": "correct horse battery staple"}, "at most 200 characters"),
        ({"name": "Sanne\u202e", "password": "correct horse battery staple"}, "at most 200 characters"),
        ({"name": "Sanne", "password": ""}, "Enter a password"),
        ({"name": "Sanne", "password": "kort"}, "at least 12 characters"),
        ({"name": "Sanne", "password": "x" * 257}, "at most 256 characters"),
        ({"name": "Sanne", "password": "Welkom2026!!"}, "guessed first"),
        ({"name": "Sanne Bakker", "password": "sannebakker1!"}, "made of your name"),
    ],
)
async def test_what_is_not_in_order_is_told_at_its_field(
    door: Gateway, post: Post, values: dict[str, str], told: str
) -> None:
    person, visitor = Person(), new_visitor(door)
    await visitor.open("/register")
    await visitor.send({"email": person.email})
    await visitor.open(path_of(link_in(await post.letter(person.email))))
    assert (await visitor.send(values)).status_code == 400
    assert told in visitor.read.text
    html = visitor.page.text
    assert "<title>Error: " in html
    (target,) = re.findall(r'class="summary".*?href="#(\w+)"', html, re.DOTALL)
    field = re.search(rf'<input id="{target}".*?>', html, re.DOTALL)
    assert field is not None
    assert 'aria-invalid="true"' in field[0]
    assert f"{target}-error" in field[0]
    await visitor.send({"name": "Sanne", "password": person.password})
    assert "Your account is made" in visitor.read.text


@pytest.mark.parametrize(
    "email", ["", "x", "x@", "@x", "a b@example.nl", "x@y@z", "x@y\r\nBcc: z@z", "<x@y>", "x" * 260]
)
async def test_what_is_no_address_is_refused(door: Gateway, email: str) -> None:
    for path in ("/register", "/forgot"):
        visitor = new_visitor(door)
        await visitor.open(path)
        assert (await visitor.send({"email": email})).status_code == 400
        assert "Enter an e-mail address" in visitor.read.text


async def test_a_forgotten_password_ends_every_session(
    door: Gateway, post: Post, sanne: tuple[Person, Visitor]
) -> None:
    person, signed = sanne
    other = await signed_in(door, person)
    visitor = new_visitor(door)
    await visitor.open("/forgot")
    await visitor.send({"email": person.email})
    link = path_of(link_in(await post.letter(person.email)))
    await visitor.open(link)
    await visitor.send({"password": "an entirely different thing"})
    assert "Your password is changed" in visitor.read.text
    assert "new password" in text_of(await post.letter(person.email))
    for each in (signed, other):
        assert account_of(await each.ask(WHO)) is None
        await each.open("/account")
        assert "Sign in" in each.read.text
    assert "do not belong together" in (await signed_in(door, person)).read.text
    person.password = "an entirely different thing"
    assert "Your account" in (await signed_in(door, person)).read.text
    again = new_visitor(door)
    assert (await again.open(link)).status_code == 400


async def test_a_new_password_makes_older_links_useless(
    door: Gateway, post: Post, sanne: tuple[Person, Visitor]
) -> None:
    person, _ = sanne
    links = []
    for _ in range(2):
        visitor = new_visitor(door)
        await visitor.open("/forgot")
        await visitor.send({"email": person.email})
        links.append(path_of(link_in(await post.letter(person.email))))
    await visitor.open(links[1])
    await visitor.send({"password": "an entirely different thing"})
    assert (await visitor.open(links[0])).status_code == 400


async def test_changing_the_password_keeps_this_session_and_no_other(
    door: Gateway, post: Post, sanne: tuple[Person, Visitor]
) -> None:
    person, visitor = sanne
    other = await signed_in(door, person)
    old = visitor.cookies["plein"]
    await visitor.open("/account/password")
    await visitor.send({"current": "not this one at all", "password": "an entirely different thing"})
    assert "This is not your password" in visitor.read.text
    await visitor.send({"current": person.password, "password": "an entirely different thing"})
    assert "Your password is changed" in visitor.read.text
    assert visitor.cookies["plein"] != old
    assert account_of(await visitor.ask(WHO)) == {"name": "Sanne Bakker"}
    assert account_of(await other.ask(WHO)) is None
    stale = new_visitor(door)
    stale.keep("plein", old)
    assert account_of(await stale.ask(WHO)) is None
    await post.letter(person.email)


async def test_an_address_changes_once_both_confirmed(door: Gateway, post: Post, sanne: tuple[Person, Visitor]) -> None:
    person, visitor = sanne
    new = Person()
    await visitor.open("/account/email")
    await visitor.send({"email": person.email})
    assert "your address already" in visitor.read.text
    await visitor.send({"email": new.email})
    assert "two mails" in visitor.read.text
    old_link, new_link = [path_of(link_in(await post.letter(each))) for each in (person.email, new.email)]
    stranger = new_visitor(door)
    for _ in range(2):  # the same address twice is not both
        await stranger.open(new_link)
        await stranger.send({})
        assert "Confirm in the other mail" in stranger.read.text
    assert "do not belong together" in (await signed_in(door, new)).read.text
    await visitor.open(old_link)
    await visitor.send({})
    assert f"Your address is {new.email} now" in visitor.read.text
    assert "has the address" in text_of(await post.letter(person.email))
    assert "Your account" in (await signed_in(door, new)).read.text
    assert "do not belong together" in (await signed_in(door, person)).read.text
    assert (await stranger.open(old_link)).status_code == 400


async def test_an_address_of_somebody_else_is_not_taken_and_not_told(
    door: Gateway, post: Post, sanne: tuple[Person, Visitor]
) -> None:
    person, visitor = sanne
    bram = Person(name="Bram")
    await registered(door, post, bram)
    await visitor.open("/account/email")
    await visitor.send({"email": bram.email})
    assert "two mails" in visitor.read.text
    letter = await post.letter(bram.email)
    assert "link=" not in text_of(letter)
    await visitor.open(path_of(link_in(await post.letter(person.email))))
    await visitor.send({})
    assert "Confirm in the other mail" in visitor.read.text


def code_now(html: str) -> tuple[bytes, str]:
    """The secret that a page shows as text, and its code now."""
    from base64 import b32decode  # noqa: PLC0415

    found = re.search(r"<code>([A-Z2-7 ]+)</code>", html)
    assert found is not None
    text = found[1].replace(" ", "")
    secret = b32decode(text + "=" * (-len(text) % 8))
    return secret, code_at(secret, step_at(time.time()))


async def within_a_step() -> None:
    """Return when there is time left before the next code."""
    left_s = STEP_S - time.time() % STEP_S
    if left_s < 8:
        await asyncio.sleep(left_s)


async def with_app(visitor: Visitor) -> tuple[bytes, list[str]]:
    """Add an app; its secret, and the recovery codes."""
    await visitor.open("/account/second-factor")
    secret, code = code_now(visitor.page.text)
    await visitor.send({"code": code})
    codes = re.findall(r"<li><code>([a-z0-9-]+)</code></li>", visitor.page.text)
    assert len(codes) == 10, visitor.read.text
    return secret, codes


async def test_with_an_app_a_code_is_asked_for_and_is_good_once(
    door: Gateway, post: Post, sanne: tuple[Person, Visitor]
) -> None:
    person, visitor = sanne
    before = visitor.cookies["plein"]
    await within_a_step()
    await visitor.open("/account/second-factor")
    assert visitor.page.text.count("<svg") == 1
    assert "style=" not in visitor.page.text
    secret, _ = code_now(visitor.page.text)
    await visitor.send({"code": "000000" if code_at(secret, step_at(time.time())) != "000000" else "111111"})
    assert "This code is wrong" in visitor.read.text
    assert code_now(visitor.page.text)[0] == secret
    await visitor.send({"code": code_at(secret, step_at(time.time()) - 1)})
    assert "From now on signing in takes a code" in visitor.read.text
    assert visitor.cookies["plein"] != before
    assert "app was added" in (await post.letter(person.email))["subject"]

    other = await signed_in(door, person)
    assert "Enter a code" in other.read.text
    assert "plein" not in other.cookies
    assert account_of(await other.ask(WHO)) is None
    await other.send({"code": code_at(secret, step_at(time.time()) - 1)})  # it was used for adding the app
    assert "was used before" in other.read.text
    code = code_at(secret, step_at(time.time()))
    await other.send({"code": f"{code[:3]} {code[3:]}"})
    assert "Your account" in other.read.text
    third = await signed_in(door, person)
    await third.send({"code": code})
    assert "was used before" in third.read.text


async def test_a_recovery_code_is_good_once(door: Gateway, sanne: tuple[Person, Visitor]) -> None:
    person, visitor = sanne
    _, codes = await with_app(visitor)
    other = await signed_in(door, person)
    await other.send({"code": codes[3].upper().replace("-", " ")})
    assert "9 recovery codes left" in other.read.text
    again = await signed_in(door, person)
    await again.send({"code": codes[3]})
    assert "This code is wrong" in again.read.text
    await visitor.open("/account/second-factor")
    await visitor.send({}, form=0)
    fresh = re.findall(r"<li><code>([a-z0-9-]+)</code></li>", visitor.page.text)
    assert not set(fresh) & set(codes)
    third = await signed_in(door, person)
    await third.send({"code": codes[4]})
    assert "This code is wrong" in third.read.text
    await third.send({"code": fresh[0]})
    assert "Your account" in third.read.text


async def test_without_the_password_a_code_is_of_no_use(door: Gateway, sanne: tuple[Person, Visitor]) -> None:
    person, visitor = sanne
    secret, _ = await with_app(visitor)
    mallory, victim = new_visitor(door), await signed_in(door, person)
    ticket = victim.read.forms[0].fields
    await mallory.open("/sign-in")
    own = mallory.read.forms[0].fields
    code = code_at(secret, step_at(time.time()) + 1)
    for fields in (
        {**ticket, "code": code},  # somebody else's ticket and form, in another browser
        {**own, "ticket": ticket["ticket"], "code": code},
        {**own, "ticket": "", "code": code},
    ):
        answer = await mallory.http.post("/sign-in/code", data=fields, headers={"origin": "http://localhost:8000"})
        assert answer.status_code == 403
        assert "plein" not in mallory.cookies


async def test_removing_the_app_needs_somebody_who_signed_in_a_moment_ago(
    door: Gateway, sanne: tuple[Person, Visitor]
) -> None:
    person, visitor = sanne
    secret, codes = await with_app(visitor)
    await make_older(door, visitor)
    for path in ("/account/second-factor", "/account/email"):
        await visitor.open(path)
        assert "Confirm that it is you" in visitor.read.text
        assert "plein" in visitor.cookies
    await visitor.send({"password": "not this one at all", "code": codes[0]})
    assert "not your password" in visitor.read.text
    await visitor.send({"password": person.password, "code": "123"})
    assert "This code is wrong" in visitor.read.text
    before = visitor.cookies["plein"]
    await visitor.send({"password": person.password, "code": codes[0]})
    assert "Change your e-mail address" in visitor.read.text
    assert visitor.cookies["plein"] != before
    await visitor.open("/account/second-factor")
    await visitor.send({}, form=1)
    assert "Your app is removed" in visitor.read.text
    assert "Your account" in (await signed_in(door, person)).read.text
    assert secret


async def make_older(door: Gateway, visitor: Visitor) -> None:
    """Let the visitor's sign-in be an hour ago."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415

    from sqlalchemy import update  # noqa: PLC0415

    from auth.sessions import SESSION, _hash  # noqa: PLC0415

    mine = SESSION.c.token_hash == _hash(visitor.cookies["plein"])
    async with door.square.database.transaction(None) as tx:
        await tx.execute(update(SESSION).where(mine).values(authenticated_at=datetime.now(UTC) - timedelta(hours=1)))


async def test_sessions_are_listed_and_ended(door: Gateway, sanne: tuple[Person, Visitor]) -> None:
    person, visitor = sanne
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    others = [await signed_in(door, person, new_visitor(door, user_agent=agent)) for _ in range(3)]
    await visitor.open("/account")
    assert visitor.read.text.count("Firefox, Windows") == 3
    assert visitor.read.text.count("(this browser)") == 1
    listed = re.findall(r'name="session" value="([0-9a-f-]{36})"', visitor.page.text)
    assert len(listed) == 3
    await visitor.send({"session": listed[0]})
    assert "That browser is signed out" in visitor.read.text
    assert [account_of(await each.ask(WHO)) for each in others].count(None) == 1
    await visitor.send({"session": "others"})
    assert "signed out everywhere else" in visitor.read.text
    assert [account_of(await each.ask(WHO)) for each in others] == [None] * 3
    assert account_of(await visitor.ask(WHO)) == {"name": "Sanne Bakker"}


async def test_nobody_ends_the_session_of_another(door: Gateway, post: Post, sanne: tuple[Person, Visitor]) -> None:
    person, visitor = sanne
    await signed_in(door, person)
    await visitor.open("/account")
    (theirs,) = re.findall(r'name="session" value="([0-9a-f-]{36})"', visitor.page.text)
    mallory = await registered(door, post, Person(name="Mallory"))
    await signed_in(door, Person(), mallory)
    mallory = await registered(door, post, Person(name="Mallory"))
    await mallory.open("/sign-out")
    token = mallory.read.forms[0].fields["form"]
    for session in (theirs, "x", ""):
        fields = {"form": token, "session": session}
        answer = await mallory.http.post("/account/sessions", data=fields, headers={"origin": "http://localhost:8000"})
        assert answer.status_code == 403  # a token for another form
    await visitor.open("/account")
    assert theirs in visitor.page.text


async def test_a_hash_with_other_parameters_is_made_anew_at_the_next_sign_in(
    door: Gateway, sanne: tuple[Person, Visitor]
) -> None:
    person, _ = sanne
    local = door._pages.local
    assert local is not None
    old = PasswordHasher(1, 1024, 1).hash(person.password)
    async with local.transaction() as tx:
        account = await load_local(tx, person.email)
        assert account is not None
        await set_password(tx, account.id, old)
    await signed_in(door, Person(person.email, password="not the password at all"))
    async with local.transaction() as tx:
        account = await load_local(tx, person.email)
    assert account is not None
    assert account.password_hash == old
    assert "Your account" in (await signed_in(door, person)).read.text
    async with local.transaction() as tx:
        account = await load_local(tx, person.email)
    assert account is not None
    assert account.password_hash is not None
    assert "m=19456,t=2,p=1" in account.password_hash
    assert "Your account" in (await signed_in(door, person)).read.text
