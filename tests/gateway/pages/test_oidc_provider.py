"""Signing in, out and on with npm's oidc-provider: an issuer that other people wrote, over HTTP, both ways."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
import pytest_asyncio
from joserfc.jwk import ECKey

from gateway.server import make_server
from gateway.settings import load_settings
from tests.gateway.pages.visitor import Read
from tests.wire.node import require_packages

PACKAGES = {"oidc-provider": "9.13.3"}
KEY = ECKey.generate_key("P-256", {"kid": "mine"})
WAYS = {
    "basic": "client_secret = 's3:cret/+with odd'",
    "post": "client_secret = 'another-secret'\nauthentication = 'client_secret_post'",
    "public": "",
    "signed": f"private_key = '{json.dumps(KEY.as_dict(private=True))}'",
}
"""How to show who asks, as the file of issuers has it; oidc-provider knows a client for each."""


@dataclass
class Peers:
    """A gateway and an issuer that know each other, and the way they were made to."""

    gateway: str
    issuer: str
    way: str

    async def rotate(self) -> None:
        """The issuer signs with a new key from now on."""
        await self._control("rotate")

    async def drop(self) -> None:
        """The issuer publishes its newest key only."""
        await self._control("drop")

    async def _control(self, what: str) -> None:
        async with httpx.AsyncClient() as client:
            assert (await client.post(f"{self.issuer}/control/{what}")).status_code == 200


@dataclass
class Browser:
    """Follows redirects wherever they lead, keeps cookies, and fills in forms; of each address it remembers that."""

    peers: Peers
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=20))
    page: httpx.Response = field(default_factory=lambda: httpx.Response(0))
    seen: list[str] = field(default_factory=list)

    async def open(self, address: str) -> httpx.Response:
        """Go to an address."""
        return await self._follow(await self.http.get(address, headers={"accept": "text/html"}))

    async def send(self, **values: str) -> httpx.Response:
        """Fill in the page's first form and send it."""
        form = Read(self.page.text).forms[0]
        address = urljoin(str(self.page.url), form.action)
        parts = urlsplit(str(self.page.url))
        headers = {"origin": f"{parts.scheme}://{parts.netloc}", "accept": "text/html"}
        return await self._follow(await self.http.post(address, data=form.fields | values, headers=headers))

    async def sign_in(self, login: str, there: str = "/readyz") -> httpx.Response:
        """From the page for signing in at the gateway to the issuer, and back."""
        await self.open(f"{self.peers.gateway}/sign-in?next={there}")
        button = next(href for href, _ in Read(self.page.text).links if href.startswith("/sign-in/at/"))
        await self.open(self.peers.gateway + button)
        while self.page.url.path.startswith("/interaction/"):
            asks = 'name="login"' in self.page.text
            await self.send(**({"login": login, "password": "any"} if asks else {}))
        return self.page

    async def account(self) -> Any:
        """Who is signed in at the gateway, by its API."""
        document = "{ viewer { account { name } } }"
        headers = {"origin": self.peers.gateway}
        answer = await self.http.post(f"{self.peers.gateway}/graphql", json={"query": document}, headers=headers)
        return answer.json()["data"]["viewer"]["account"]

    async def _follow(self, answer: httpx.Response) -> httpx.Response:
        while answer.is_redirect:
            there = urljoin(str(answer.url), answer.headers["location"])
            self.seen.append(there)
            answer = await self.http.get(there, headers={"accept": "text/html"})
        self.page = answer
        return answer


@asynccontextmanager
async def provider(home: Path, gateway: str) -> AsyncIterator[str]:
    """The issuer, until the block ends; gives its address."""
    script = Path(__file__).with_name("provider.mjs")
    public = {**KEY.as_dict(private=False), "use": "sig", "alg": "ES256"}
    process = await asyncio.create_subprocess_exec(
        *("node", str(script), str(home), gateway),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "ASSERTION_KEY": json.dumps(public)},
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        yield json.loads(line)["url"]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def serving(environ: dict[str, str], listener: socket.socket) -> AsyncIterator[None]:
    """A gateway on this socket, until the block ends."""
    server = make_server(load_settings(environ))
    running = asyncio.create_task(server._serve(sockets=[listener]))
    while not server.started and not running.done():  # noqa: ASYNC110 - uvicorn tells it by an attribute only
        await asyncio.sleep(0.01)
    assert server.started
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.wait_for(running, 30)


@asynccontextmanager
async def knowing_each_other(environ: dict[str, str], directory: Path, way: str) -> AsyncIterator[Peers]:
    """A gateway and an issuer."""
    home = require_packages("oidc-provider", PACKAGES)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        async with provider(home, f"http://{host}") as url:
            path = directory / "issuers.toml"
            table = f"[issuers.{way}]\nissuer = '{url}'\nname = 'Andermans'\nclient_id = 'plein-{way}'\n{WAYS[way]}\n"
            path.write_text(table)
            async with serving({**environ, "PLEIN_ISSUERS": str(path), "PLEIN_BASE_HOST": host}, listener):
                yield Peers(f"http://{host}", url, way)


@pytest_asyncio.fixture(scope="module")
async def peers(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Peers]:
    async with knowing_each_other(environ, tmp_path_factory.mktemp("issuers"), "basic") as peers:
        yield peers


@pytest_asyncio.fixture
async def anna(peers: Peers) -> AsyncIterator[Browser]:
    browser = Browser(peers)
    yield browser
    await browser.http.aclose()


@pytest.mark.parametrize("way", [each for each in WAYS if each != "basic"])
async def test_every_way_to_show_who_asks(environ: dict[str, str], tmp_path: Path, way: str):
    async with knowing_each_other(environ, tmp_path, way) as peers:
        browser = Browser(peers)
        await browser.sign_in(f"{way}-person")
        assert browser.page.url.path == "/readyz", browser.page.text
        assert await browser.account() == {"name": f"Person {way}-person"}
        await browser.http.aclose()


async def test_in_with_code_and_pkce(peers: Peers, anna: Browser):
    await anna.sign_in("anna", "/readyz?there=1")
    assert str(anna.page.url) == f"{peers.gateway}/readyz?there=1"
    assert await anna.account() == {"name": "Person anna"}
    callback = next(each for each in anna.seen if "/sign-in/at/basic/callback" in each)
    assert "code=" in callback
    assert "iss=" in callback, "it names itself, and we looked"
    assert any("code_challenge_method=S256" in each for each in anna.seen)


async def test_an_answer_is_good_once(anna: Browser):
    await anna.sign_in("bob")
    callback = next(each for each in anna.seen if "/callback" in each)
    await anna.open(callback)
    assert anna.page.status_code == 400
    assert "SIGN_IN_EXPIRED" in anna.page.text


async def test_the_person_turns_back(peers: Peers, anna: Browser):
    await anna.open(f"{peers.gateway}/sign-in/at/basic")
    await anna.open(urljoin(str(anna.page.url), str(anna.page.url.path) + "/abort"))
    assert anna.page.status_code == 403
    assert "SIGN_IN_CANCELLED" in anna.page.text
    assert await anna.account() is None


async def test_out_here_is_out_there_and_everywhere_else(peers: Peers, anna: Browser):
    """RP-initiated logout at the issuer, which then tells us about the other session by back-channel logout."""
    await anna.sign_in("carla")
    # The same person in the same browser at the issuer, with a second session here.
    first = {cookie.name: cookie.value for cookie in anna.http.cookies.jar}
    await anna.open(f"{peers.gateway}/sign-out")
    await anna.send()
    assert anna.page.url.path == "/session/end", "the issuer asks"
    assert await anna.account() is None
    await anna.send(logout="yes")
    assert str(anna.page.url).startswith(f"{peers.gateway}/sign-out?state=")
    assert "U bent uitgelogd" in anna.page.text
    assert "plein" in first
    await anna.open(f"{peers.gateway}/sign-in/at/basic")
    assert 'name="login"' in anna.page.text, "the issuer knows nobody any more"


async def test_out_there_is_out_here(peers: Peers, anna: Browser):
    """Somebody signs out at the issuer itself: its back-channel logout ends the session here, at once."""
    await anna.sign_in("dirk")
    assert await anna.account() == {"name": "Person dirk"}
    await anna.open(f"{peers.issuer}/session/end")
    await anna.send(logout="yes")
    assert await anna.account() is None


async def test_keys_are_rotated(peers: Peers, anna: Browser):
    await anna.sign_in("eva")
    await peers.rotate()
    again = Browser(peers)
    await again.sign_in("fons")
    assert await again.account() == {"name": "Person fons"}
    await peers.drop()
    third = Browser(peers)
    await third.sign_in("greet")
    assert await third.account() == {"name": "Person greet"}
    for each in (again, third):
        await each.http.aclose()
