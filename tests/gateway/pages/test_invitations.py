"""Who may make an account at all, and what whoever runs the machine can do for people on the command line."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from asgi_lifespan import LifespanManager

from auth.viewer import PlatformRole
from gateway.app import Gateway, create_app
from gateway.settings import load_settings
from tests.gateway.pages.people import PASSWORD, Person, new_visitor, path_of, registered, signed_in
from tests.gateway.pages.post import Post, link_in
from tests.gateway.pages.test_accounts import with_app

ROOT = Path(__file__).resolve().parents[3]
S3 = {"PLEIN_S3_ENDPOINT": "http://127.0.0.1:9", "PLEIN_S3_ACCESS_KEY": "key", "PLEIN_S3_SECRET_KEY": "x" * 20}


async def plein(environ: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    """Run a command in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLEIN_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *arguments),
        cwd=ROOT,
        env=kept | environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@asynccontextmanager
async def gateway_with(environ: dict[str, str], **more: str) -> AsyncIterator[Gateway]:
    gateway = create_app(load_settings(environ | more))
    async with LifespanManager(gateway, startup_timeout=30, shutdown_timeout=30):
        yield gateway


async def test_whoever_runs_it_invites_its_first_operator(environ: dict[str, str], post: Post) -> None:
    person = Person(name="Wil")
    async with gateway_with(environ, PLEIN_REGISTRATION="invitation") as gateway:
        visitor = new_visitor(gateway)
        await visitor.open("/sign-in")
        assert "No account yet?" not in visitor.read.text
        assert (await visitor.open("/register")).status_code == 403
        code, out, err = await plein(environ, "account", "invite", person.email, "--role", "OPERATOR", "--name", "Wil")
        assert (code, "sent by mail as well" in err) == (0, True), err
        link = path_of(out.strip())
        pages = gateway._pages
        assert pages.postman is not None
        pages.postman.wake()
        assert path_of(link_in(await post.letter(person.email))) == link
        await visitor.open(link)
        assert visitor.read.forms[0].fields["name"] == "Wil"
        await visitor.send({"password": PASSWORD})
        assert "Your account is made" in visitor.read.text
        viewer = await gateway.square.authenticate(visitor.cookies["plein"], "")
        assert viewer.platform_role is PlatformRole.OPERATOR
        assert (await visitor.open(link)).status_code == 400
        code, _, err = await plein(environ, "account", "invite", person.email)
        assert (code, "already" in err) == (1, True)


async def test_who_has_an_account_without_a_password_can_be_given_one(environ: dict[str, str], door: Gateway) -> None:
    from auth.accounts import create_account  # noqa: PLC0415

    person = Person(name="Joost")
    async with door.square.database.transaction(None) as tx:
        account = await create_account(tx, person.name, person.email)
    words = ("account", "invite", person.email, "--json", "--language", "en", "--role", "ANALYST")
    code, out, _ = await plein(environ, *words)
    assert code == 0
    visitor = new_visitor(door)
    await visitor.open(path_of(json.loads(out)["link"]))
    await visitor.send({"password": PASSWORD})
    viewer = await door.square.authenticate(visitor.cookies["plein"], "")
    assert viewer.account_id == account.id
    assert viewer.platform_role is PlatformRole.ANALYST


async def test_closed_is_closed(environ: dict[str, str]) -> None:
    async with gateway_with(environ, PLEIN_REGISTRATION="closed") as gateway:
        visitor = new_visitor(gateway)
        assert (await visitor.open("/register")).status_code == 403
        await visitor.open("/forgot")
        assert "new password" in visitor.read.text


async def test_without_passwords_there_are_none_of_their_pages(environ: dict[str, str]) -> None:
    async with gateway_with(environ, PLEIN_PASSWORDS="off") as gateway:
        visitor = new_visitor(gateway)
        for path in ("/register", "/forgot", "/reset", "/account/password", "/account/second-factor"):
            assert (await visitor.open(path)).status_code == 404
        await visitor.open("/sign-in")
        assert "no way to sign in" in visitor.read.text
        answer = await visitor.http.post("/sign-in", data={"email": "a@b.nl", "password": "x"})
        assert answer.status_code in {403, 404, 405}
    code, _, err = await plein(environ | {"PLEIN_PASSWORDS": "off"}, "account", "invite", "a@example.nl")
    assert (code, "PLEIN_PASSWORDS" in err) == (1, True)


async def test_production_without_a_mail_server_asks_for_no_address(environ: dict[str, str]) -> None:
    more = S3 | {"PLEIN_MODE": "production", "PLEIN_BASE_HOST": "plein.example", "PLEIN_MAIL_SERVER": ""}
    async with gateway_with(environ, **more) as gateway:
        visitor = new_visitor(gateway)
        await visitor.open("/sign-in")
        assert "Forgotten" not in visitor.read.text
        for path in ("/register", "/forgot"):
            assert (await visitor.open(path)).status_code == 404
            assert "sends no mail" in visitor.read.text


async def test_who_lost_their_app_is_helped(environ: dict[str, str], door: Gateway, post: Post) -> None:
    person = Person()
    visitor = await registered(door, post, person)
    await with_app(visitor)
    assert "Enter a code" in (await signed_in(door, person)).read.text
    code, _, err = await plein(environ, "account", "remove-app", person.email)
    assert (code, "without an app" in err) == (0, True)
    assert "Your account" in (await signed_in(door, person)).read.text
    await visitor.open("/account")
    assert visitor.page.url.path == "/sign-in"
    code, _, err = await plein(environ, "account", "remove-app", person.email)
    assert (code, "no account" in err) == (1, True)


@pytest.mark.parametrize("email", ["", "x", "a b@c.nl"])
async def test_what_is_no_address_is_told_in_one_line(environ: dict[str, str], email: str) -> None:
    code, _, err = await plein(environ, "account", "invite", email)
    assert code == 1
    assert len(err.strip().splitlines()) == 1
