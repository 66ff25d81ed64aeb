"""What somebody tries who has no business here: each way in, and that it is shut."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event

from auth.local.local import BY_ACCOUNT_AND_NETWORK, CODES, LETTERS_TO
from auth.sessions import SESSION, _hash
from gateway.app import Gateway
from tests.gateway.pages.people import PASSWORD, Person, new_visitor, registered, signed_in
from tests.gateway.pages.post import Post, link_in, text_of
from tests.gateway.pages.visitor import Visitor

WHO = "{ viewer { account { name } } }"
HERE = "http://localhost:8000"


@pytest_asyncio.fixture
async def sanne(door: Gateway, post: Post) -> AsyncIterator[Person]:
    person = Person()
    await registered(door, post, person)
    yield person


async def who(visitor: Visitor) -> Any:
    return (await visitor.ask(WHO))["data"]["viewer"]["account"]


class Statements:
    """The statements that a gateway sends while the block lasts, without their values."""

    def __init__(self, door: Gateway) -> None:
        self._engine = door.square.database._engine.sync_engine  # type: ignore[union-attr]
        self.texts: list[str] = []

    def __enter__(self) -> Statements:
        event.listen(self._engine, "before_cursor_execute", self._take)
        return self

    def __exit__(self, *_error: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._take)

    def _take(self, _connection: object, _cursor: object, text: str, *_others: object) -> None:
        if "platform.mail" not in text or text.startswith("INSERT"):  # the postman comes when he comes
            self.texts.append(re.sub(r"\s+", " ", text))


# --- signing somebody in as somebody else ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
        {"origin": "null"},
        {"origin": "http://localhost:9000", "sec_fetch_site": "same-site"},
        {"origin": "", "sec_fetch_site": "cross-site"},
    ],
    ids=str,
)
async def test_another_page_signs_nobody_in(door: Gateway, sanne: Person, headers: dict[str, str]) -> None:
    """CSRF on login: the victim would work on in the attacker's account."""
    victim = new_visitor(door)
    await victim.open("/sign-in")
    answer = await victim.send({"email": sanne.email, "password": sanne.password}, **headers)
    assert answer.status_code == 403
    assert "plein" not in victim.cookies


async def test_a_form_that_the_attacker_fetched_signs_nobody_in(door: Gateway, sanne: Person) -> None:
    attacker, victim = new_visitor(door), new_visitor(door)
    await attacker.open("/sign-in")
    theirs = attacker.read.forms[0].fields | {"email": sanne.email, "password": sanne.password}
    for prepared in (False, True):
        if prepared:
            await victim.open("/sign-in")
        answer = await victim.http.post("/sign-in", data=theirs, headers={"origin": HERE})
        assert answer.status_code == 403
        assert "plein" not in victim.cookies


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("text/plain", b"email=a&password=b"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("application/x-www-form-urlencoded", b"\xff\xfe"),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 20_000),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % at for at in range(100))),
        ("application/x-www-form-urlencoded", b"email=%00&form=1"),
        ("application/x-www-form-urlencoded", b""),
    ],
)
async def test_what_is_no_form_is_a_page_and_no_fault_of_ours(door: Gateway, content_type: str, body: bytes) -> None:
    for path in ("/sign-in", "/sign-in/code", "/register", "/register/finish", "/forgot", "/reset"):
        answer = await new_visitor(door).http.post(
            path, content=body, headers={"origin": HERE, "content-type": content_type}
        )
        assert 400 <= answer.status_code < 500
        assert "<h1>Something went wrong</h1>" in answer.text


async def test_a_session_from_before_signing_in_is_none_after_it(door: Gateway, post: Post, sanne: Person) -> None:
    """Fixation: a cookie that the attacker knows, their own session included, is never the victim's."""
    mallory = await registered(door, post, Person(name="Mallory"))
    planted = [mallory.cookies["plein"], "A" * 43, secrets.token_urlsafe(32)]
    for token in planted:
        victim = new_visitor(door)
        victim.keep("plein", token)
        await signed_in(door, sanne, victim)
        assert await who(victim) == {"name": "Sanne Bakker"}
        assert victim.cookies["plein"] != token
        thief = new_visitor(door)
        thief.keep("plein", token)
        assert await who(thief) is None
    async with door.square.database.transaction(None) as tx:
        left = (
            await tx.execute(SESSION.select().where(SESSION.c.token_hash.in_([_hash(each) for each in planted])))
        ).all()
    assert left == []


async def test_a_form_from_before_signing_in_is_of_no_use_after_it(door: Gateway, sanne: Person) -> None:
    visitor = await signed_in(door, sanne)
    await visitor.open("/sign-out")
    before = visitor.read.forms[0].fields
    await visitor.open("/sign-in")
    await visitor.send({"email": sanne.email, "password": sanne.password})
    answer = await visitor.http.post("/sign-out", data=before, headers={"origin": HERE})
    assert answer.status_code == 403
    assert await who(visitor) == {"name": "Sanne Bakker"}


# --- leading somebody elsewhere --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/%0d%0aset-cookie:x=1\r\n", "javascript:alert(1)"],
)
async def test_signing_in_leads_nowhere_else(door: Gateway, sanne: Person, address: str) -> None:
    visitor = new_visitor(door)
    await visitor.open("/sign-in")
    form = visitor.read.forms[0].fields | {"email": sanne.email, "password": sanne.password, "next": address}
    answer = await visitor.http.post("/sign-in", data=form, headers={"origin": HERE})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "evil" not in answer.text


async def test_a_link_in_a_mail_is_never_to_a_host_that_a_request_named(production: Gateway, post: Post) -> None:
    """Host header: the victim's mail would hold a link to the attacker's machine."""
    email = Person().email
    for host in ("evil.example", "plein.example.evil.example", "plein.example:8443", "plein.example@evil.example"):
        visitor = Visitor(production, at="https://plein.example", accept_language="en")
        await visitor.open("/register")
        fields = visitor.read.forms[0].fields | {"email": email}
        headers = {"host": host, "x-forwarded-host": host, "forwarded": f"host={host}", "origin": f"https://{host}"}
        answer = await visitor.http.post("/register", data=fields, headers=headers)
        assert answer.status_code in {200, 303, 403}
    visitor = Visitor(production, at="https://plein.example", accept_language="en")
    await visitor.open("/register")
    fields = visitor.read.forms[0].fields | {"email": email}
    forged = {"x-forwarded-host": "evil.example", "forwarded": "host=evil.example", "origin": "https://plein.example"}
    await visitor.http.post("/register", data=fields, headers=forged)
    await asyncio.sleep(0.2)
    while not post.is_empty_for(email):
        told = text_of(await post.letter(email))
        assert "evil" not in told
        assert set(re.findall(r"https?://[^/\s]+", told)) == {"https://plein.example"}


# --- finding out who has an account ----------------------------------------------------------------------------------


async def test_no_answer_tells_whether_there_is_an_account(door: Gateway, post: Post, sanne: Person) -> None:
    nobody = Person()
    pages: dict[str, list[str]] = {}
    for email in (sanne.email, nobody.email):
        for path, values in (
            ("/sign-in", {"password": "not the password at all"}),
            ("/register", {}),
            ("/forgot", {}),
        ):
            visitor = new_visitor(door)
            await visitor.open(path)
            answer = await visitor.send({"email": email, **values})
            shown = re.sub(r'name="form" value="[^"]*"', "", answer.text.replace(email, "EMAIL"))
            kept = {name for name in answer.headers if name not in {"date", "x-request-id", "content-length"}}
            pages.setdefault(path, []).append(f"{answer.status_code} {sorted(kept)} {shown}")
    for path, (known, unknown) in pages.items():
        assert known == unknown, path
    told = {each: {(await post.letter(each))["subject"] for _ in range(2)} for each in (sanne.email, nobody.email)}
    assert told[sanne.email] == {"You already have an account", "Choose a new password"}
    assert told[nobody.email] == {"Finish making your account", "There is no account with this address"}


async def test_as_much_is_done_for_an_address_without_an_account(door: Gateway, sanne: Person) -> None:
    """Timing: the same statements in the same order, and as many hashes."""
    local = door._pages.local
    assert local is not None
    for path, values in (("/sign-in", {"password": "not the password at all"}), ("/register", {}), ("/forgot", {})):
        work = []
        for email in (sanne.email, Person().email):
            visitor = new_visitor(door)
            await visitor.open(path)
            hashes = local.passwords.computed
            with Statements(door) as statements:
                await visitor.send({"email": email, **values})
            work.append((statements.texts, local.passwords.computed - hashes))
        assert work[0] == work[1], path
        assert len(work[0][0]) >= 3


async def test_a_suspended_account_is_like_none(door: Gateway, sanne: Person) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415

    from auth.accounts import ACCOUNT  # noqa: PLC0415

    visitor = await signed_in(door, sanne)
    async with door.square.database.transaction(None) as tx:
        mine = ACCOUNT.c.email == sanne.email
        await tx.execute(ACCOUNT.update().where(mine).values(suspended_at=datetime.now(UTC)))
    assert "do not belong together" in (await signed_in(door, sanne)).read.text
    await visitor.open("/account")
    assert str(visitor.page.url.path) == "/sign-in"


# --- trying often ----------------------------------------------------------------------------------------------------


async def test_a_password_is_not_guessed_by_trying(door: Gateway, sanne: Person) -> None:
    visitor = new_visitor(door)
    for _ in range(BY_ACCOUNT_AND_NETWORK.most):
        await signed_in(door, Person(sanne.email, password=secrets.token_hex(8)), visitor)
        assert "do not belong together" in visitor.read.text
    await signed_in(door, sanne, visitor)  # the right one, too late
    assert visitor.page.status_code == 429
    assert 0 < int(visitor.page.headers["retry-after"]) <= 900
    assert "too many attempts" in visitor.read.text
    assert "plein" not in visitor.cookies
    assert "Your account" in (await signed_in(door, sanne)).read.text  # its owner, from elsewhere


async def test_an_address_without_an_account_is_limited_alike(door: Gateway) -> None:
    visitor, nobody = new_visitor(door), Person()
    for _ in range(BY_ACCOUNT_AND_NETWORK.most):
        await signed_in(door, nobody, visitor)
    await signed_in(door, nobody, visitor)
    assert visitor.page.status_code == 429


async def test_a_code_is_not_guessed_by_trying(door: Gateway, post: Post, sanne: Person) -> None:
    from tests.gateway.pages.test_accounts import with_app  # noqa: PLC0415

    owner = await signed_in(door, sanne)
    _, codes = await with_app(owner)
    for at in range(CODES.most):
        visitor = await signed_in(door, sanne)  # each time from another network
        await visitor.send({"code": f"{at:06d}"})
        assert visitor.page.status_code == 400
    await visitor.send({"code": codes[0]})
    assert visitor.page.status_code == 429
    assert await post.letter(sanne.email)


async def test_nobody_is_flooded_with_mail(door: Gateway, post: Post) -> None:
    email = Person().email
    for at in range(LETTERS_TO.most + 2):
        visitor = new_visitor(door)
        await visitor.open("/register")
        await visitor.send({"email": email})
        assert visitor.page.status_code == (200 if at < LETTERS_TO.most else 429)
    for _ in range(LETTERS_TO.most):
        await post.letter(email)
    await asyncio.sleep(0.3)
    assert post.is_empty_for(email)


async def test_links_are_not_guessed(door: Gateway) -> None:
    visitor = new_visitor(door)
    answers = [(await visitor.open(f"/reset?link={secrets.token_urlsafe(32)}")).status_code for _ in range(62)]
    assert answers[:60] == [400] * 60
    assert answers[-1] == 429


# --- what is left behind ---------------------------------------------------------------------------------------------


async def test_a_visitor_writes_nothing_and_gets_no_cookie_without_a_form(door: Gateway) -> None:
    with Statements(door) as statements:
        for path in ("/", "/nowhere", "/sign-out", "/account", "/graphql?query={viewer{account{id}}}"):
            visitor = new_visitor(door)
            answer = await visitor.http.get(path, headers={"accept": "text/html, application/json;q=0.5"})
            assert "set-cookie" not in answer.headers, path
        stranger = new_visitor(door)
        stranger.keep("plein", secrets.token_urlsafe(32))
        await stranger.ask(WHO)
        visitor = new_visitor(door)
        for path in ("/sign-in", "/register", "/forgot"):
            await visitor.open(path)
        assert set(visitor.cookies) == {"plein-form"}
    writes = [text for text in statements.texts if not text.startswith(("SELECT", "SET", "SHOW"))]
    assert writes == []


async def test_nothing_that_lets_somebody_in_is_in_the_database(door: Gateway, post: Post, pages_database: str) -> None:
    """Whoever reads all of it can sign in as nobody."""
    import psycopg  # noqa: PLC0415

    person, visitor = Person(), new_visitor(door)
    await visitor.open("/register")
    await visitor.send({"email": person.email})
    link = link_in(await post.letter(person.email))
    other = await registered(door, post, Person(password="a password of its own kind"))
    from tests.gateway.pages.test_accounts import with_app  # noqa: PLC0415

    secret, codes = await with_app(other)
    known = [link.rpartition("=")[2], other.cookies["plein"], "a password of its own kind", secret.hex(), *codes]
    known += [each.replace("-", "") for each in codes]
    with psycopg.connect(pages_database) as connection:
        names = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'platform'::regnamespace AND relkind = 'r'"
        )
        for (name,) in names.fetchall():
            text = str(connection.execute(f'SELECT t::text FROM platform."{name}" t').fetchall())  # type: ignore[arg-type]
            for each in known:
                assert each not in text, name
                assert each.encode().hex() not in text, name


async def test_a_secret_is_in_no_log(door: Gateway, post: Post, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    person = Person()
    visitor = await registered(door, post, person)
    assert PASSWORD not in caplog.text
    assert visitor.cookies["plein"] not in caplog.text
