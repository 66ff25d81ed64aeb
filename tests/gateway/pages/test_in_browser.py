"""The pages in a real browser: every step by mouse and keyboard, each page judged by axe-core, wide, narrow and dark.

Set PLEIN_TEST_PICTURES to a directory to keep what is seen.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import ssl
import time
from base64 import b32decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from sqlalchemy import insert

from auth.accounts import create_account
from auth.local.totp import code_at, step_at
from gateway.app import Gateway, create_app
from gateway.settings import load_settings
from tenants.provisioning import NewTenant, provision
from tenants.registry import HOST
from tests.gateway.browser import Page, find_browser, opened_page
from tests.gateway.pages.people import PASSWORD
from tests.gateway.pages.post import Post, link_in, text_of
from tests.wire.node import require_packages

BROWSER = find_browser()
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome on this machine")

AXE = {"axe-core": "4.14.1"}
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
SMALLEST_TARGET = 24  # WCAG 2.2, success criterion 2.5.8


@asynccontextmanager
async def serving(environ: dict[str, str], port: int, **tls: Any) -> AsyncIterator[Gateway]:
    """A gateway that listens on a port."""
    gateway = create_app(load_settings(environ))
    config = uvicorn.Config(gateway, "127.0.0.1", port, log_config=None, lifespan="on", proxy_headers=False, **tls)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn tells it by an attribute only
        await asyncio.sleep(0.01)
    try:
        yield gateway
    finally:
        server.should_exit = True
        await task


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest_asyncio.fixture(scope="module")
async def address(
    create_database: Callable[..., str], empty_square: str, post: Post, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """Where a gateway in development answers, without a path."""
    port = free_port()
    environ = {
        "PLEIN_MODE": "development",
        "PLEIN_DATABASE_URL": create_database(empty_square),
        "PLEIN_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "PLEIN_MAIL_SERVER": f"smtp+plain://127.0.0.1:{post.port}",
        "PLEIN_BASE_HOST": f"localhost:{port}",
    }
    async with serving(environ, port):
        yield f"http://localhost:{port}"


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core, as a script."""
    return (require_packages("axe", AXE) / "node_modules" / "axe-core" / "axe.min.js").read_text()


class Judge:
    """Looks at a page in every size, and keeps pictures where they are asked for."""

    def __init__(self, page: Page, axe: str) -> None:
        self._page = page
        self._axe = axe
        self.seen: list[str] = []

    async def look(self, name: str) -> None:
        """Assert that anybody can use this page."""
        page = self._page
        for look, width, scheme in (("wide", 1280, "light"), ("narrow", 320, "light"), ("dark", 1280, "dark")):
            await page.size(width, 800)
            scheme_is = [{"name": "prefers-color-scheme", "value": scheme}]
            await page.send("Emulation.setEmulatedMedia", features=scheme_is)
            await page.run(self._axe)
            run = f"axe.run(document, {{runOnly: {list(RULES)}}}).then((found) => found.violations.map((each) => "
            run += "[each.id, each.nodes.map((node) => node.html + node.failureSummary)]))"
            assert await page.run(run) == [], (name, look)
            assert await page.run("document.documentElement.scrollWidth") <= width, (name, look)
            assert await page.run(SMALL_TARGETS) == [], (name, look)
            await self._picture(name, look)
        await page.size(1280, 800)
        self.seen.append(name)

    async def _picture(self, name: str, look: str) -> None:
        folder = os.environ.get("PLEIN_TEST_PICTURES")
        if folder:
            height = await self._page.run("document.documentElement.scrollHeight")
            width = await self._page.run("innerWidth")
            await self._page.size(width, min(height, 3000))
            await self._page.picture(Path(folder) / f"{name}-{look}.png")


SMALL_TARGETS = f"""
[...document.querySelectorAll('a, button, input:not([type=hidden], [hidden])')]
  .filter((each) => each.checkVisibility() && !each.closest('.skip') && getComputedStyle(each).display != 'inline')
  .map((each) => [each.outerHTML, each.getBoundingClientRect()])
  .filter(([html, box]) => box.width < {SMALLEST_TARGET} || box.height < {SMALLEST_TARGET})
  .map(([html]) => html)
"""


async def heading(page: Page) -> str:
    found: str = await page.run("document.querySelector('h1').textContent")
    return found


@pytest.mark.parametrize("language", ["en", "nl"])
async def test_everything_one_does_with_an_account(  # noqa: PLR0915 - one person's way, from page to page
    address: str, axe: str, post: Post, language: str
) -> None:
    assert BROWSER is not None
    email, english = f"sanne-{language}@example.nl", language == "en"
    async with opened_page(BROWSER, f"{address}/language?to={language}&next=/sign-in") as page:
        judge = Judge(page, axe)
        await page.until("!!document.querySelector('h1')")
        assert await page.run("document.documentElement.lang") == language
        assert await heading(page) == ("Sign in" if english else "Inloggen")
        await judge.look(f"{language}-sign-in")
        await page.press()
        assert await page.run("document.activeElement.className") == "summary"  # read out first, without a script
        await judge.look(f"{language}-sign-in-wrong")

        await page.go(f"{address}/register")
        await judge.look(f"{language}-register")
        await page.fill({"email": email})
        await page.press()
        await judge.look(f"{language}-mail-sent")
        await page.go(link_in(await post.letter(email)))
        await page.fill({"name": "Sanne Bakker", "password": "Welkom2026!!"})
        await page.press()
        assert await page.run("document.getElementById('password').value") == ""
        await judge.look(f"{language}-finish-wrong")
        await page.fill({"password": PASSWORD})
        await page.press()
        assert await heading(page) == ("Your account" if english else "Uw account")
        await judge.look(f"{language}-account")

        await page.go(f"{address}/account/second-factor")
        await judge.look(f"{language}-second-factor")
        text = (await page.run("document.querySelector('main code').textContent")).replace(" ", "")
        secret = b32decode(text + "=" * (-len(text) % 8))
        await page.fill({"code": code_at(secret, step_at(time.time()))})
        await page.press()
        await judge.look(f"{language}-recovery-codes")
        codes = await page.run("[...document.querySelectorAll('.codes code')].map((each) => each.textContent)")

        await page.go(f"{address}/sign-out")
        await judge.look(f"{language}-sign-out")
        await page.press()
        await judge.look(f"{language}-signed-out")
        await page.go(f"{address}/sign-in?next=/account/password")
        await page.fill({"email": email, "password": PASSWORD})
        await page.press()
        await judge.look(f"{language}-code")
        await page.fill({"code": codes[0]})
        await page.press()
        assert await page.run("location.pathname") == "/account/password"
        await judge.look(f"{language}-password")
        await page.fill({"current": PASSWORD, "password": "an entirely different thing"})
        await page.press()
        await judge.look(f"{language}-account-with-app")
        for path in ("account/email", "account/second-factor", "sign-in/again", "forgot", "nowhere", "reset?link=x"):
            await page.go(f"{address}/{path}")
            await judge.look(f"{language}-{re.sub(r'[^a-z]+', '-', path)}")

        await page.go(f"{address}/account/email")
        await page.fill({"email": f"anders-{language}@example.nl"})
        await page.press()
        await page.go(link_in(await post.letter(f"anders-{language}@example.nl")))
        await judge.look(f"{language}-email-confirm")
        await page.press()
        await judge.look(f"{language}-email-confirmed")
        await page.go(f"{address}/forgot")
        await page.fill({"email": email})
        await page.press()
        while "/reset?" not in text_of(letter := await post.letter(email)):
            pass  # notices of what was done before
        await page.go(link_in(letter))
        await judge.look(f"{language}-reset")
        assert len(set(judge.seen)) == 22
        # The only complaints are about pages that answered with a fault on purpose.
        assert [each for each in page.complaints if "Failed to load resource" not in each] == []


async def test_fields_can_be_filled_by_programs_and_pasted_into(address: str) -> None:
    assert BROWSER is not None
    async with opened_page(BROWSER, f"{address}/sign-in") as page:
        await page.until("!!document.getElementById('password')")
        completes = "[...document.querySelectorAll('.field input')].map((each) => each.autocomplete).join()"
        assert await page.run(completes) == "username,current-password"
        assert await page.run("document.querySelectorAll('[onpaste], [maxlength=\"12\"], script').length") == 0
        order = []
        for _ in range(6):
            await page.send("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
            order.append(await page.run("document.activeElement.id || document.activeElement.textContent.trim()"))
        assert order == ["Skip to the content", "Plein", "email", "password", "Sign in", "Forgotten your password?"]


def make_certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """A certificate for these names that nobody vouches for, and its key."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return cert_file, key_file


async def test_over_tls_on_a_sites_own_host_as_in_production(
    create_database: Callable[..., str], empty_square: str, post: Post, axe: str, tmp_path: Path
) -> None:
    """`__Host-` cookies, the policy on forms, and the way over three redirects to a site: only a browser can tell."""
    assert BROWSER is not None
    port = free_port()
    cert, key = make_certificate(tmp_path, "plein.example", "own.example")
    environ = {
        "PLEIN_MODE": "production",
        "PLEIN_DATABASE_URL": create_database(empty_square),
        "PLEIN_DATA_DIR": str(tmp_path),
        "PLEIN_SECRET": "s" * 40,
        "PLEIN_S3_ENDPOINT": "http://127.0.0.1:9",
        "PLEIN_S3_ACCESS_KEY": "key",
        "PLEIN_S3_SECRET_KEY": "x" * 20,
        "PLEIN_MAIL_SERVER": f"smtp+plain://127.0.0.1:{post.port}",
        "PLEIN_BASE_HOST": f"plein.example:{port}",
    }
    options = ("--host-resolver-rules=MAP * 127.0.0.1", "--ignore-certificate-errors")
    base, own = f"https://plein.example:{port}", f"https://own.example:{port}"
    tls = {"ssl_certfile": str(cert), "ssl_keyfile": str(key), "ssl_version": ssl.PROTOCOL_TLS_SERVER}
    async with serving(environ, port, **tls) as gateway:
        database = gateway.square.database
        async with database.transaction(None) as tx:
            owner = await create_account(tx, "Owner", "owner@example.nl")
        site = await provision(database, NewTenant("own", "Own"), owner_account_id=owner.id)
        async with database.transaction(None) as tx:
            await tx.execute(insert(HOST).values(host="own.example", tenant_id=site.id))
        async with opened_page(BROWSER, f"{base}/register", *options) as page:
            await page.until("!!document.getElementById('email')")
            await page.fill({"email": "sanne@example.nl"})
            await page.press()
            await page.go(link_in(await post.letter("sanne@example.nl")))
            await page.fill({"name": "Sanne", "password": PASSWORD})
            await page.press()
            await page.go(f"{base}/sign-out")
            await page.press()

            await page.go(f"{own}/sign-in?next=%2Flivez%3Fa")
            assert await page.run("location.host") == f"plein.example:{port}"
            await page.fill({"email": "sanne@example.nl", "password": PASSWORD})
            await page.press()
            await page.until("document.querySelector('h1').textContent == 'Go on to own.example'")
            await Judge(page, axe).look("en-site-confirm")
            await page.press()
            await page.until(f"location.href == '{own}/livez?a'")
            cookies = (await page.send("Network.getAllCookies"))["cookies"]
            found = {(each["domain"], each["name"]): each for each in cookies}
            for host in ("plein.example", "own.example"):
                each = found[(host, "__Host-plein")]
                assert (each["secure"], each["httpOnly"], each["sameSite"], each["path"]) == (True, True, "Lax", "/")
            assert found[("plein.example", "__Host-plein")]["value"] != found[("own.example", "__Host-plein")]["value"]
            ask = """fetch("/graphql", {method: "POST", headers: {"content-type": "application/json"},
                body: JSON.stringify({query: "{ viewer { account { name } } }"})}).then((answer) => answer.text())"""
            assert '"Sanne"' in await page.run(ask)
            assert await page.run("document.cookie") == ""
            # Another page of the same site cannot use the session, whatever it sends along.
            stolen = ask.replace('"/graphql"', f'"{base}/graphql"').replace(
                "method:", 'credentials: "include", method:'
            )
            assert await page.run(f"{stolen}.catch((error) => 'refused')") == "refused"
            socket_ = f"""new Promise((tell) => {{
                const socket = new WebSocket("wss://plein.example:{port}/graphql", "graphql-transport-ws");
                socket.onopen = () => socket.send(JSON.stringify({{type: "connection_init"}}));
                socket.onmessage = (event) => tell(event.data);
                socket.onclose = (event) => tell(event.code + " " + event.reason);
            }})"""
            assert "connection_ack" in await page.run(socket_)  # a cross-site socket gets no Lax cookie: a visitor
            await page.go(f"{base}/livez")
            assert "connection_ack" in await page.run(socket_)
            await page.go(f"{own}/sign-out")
            await page.press()
            await page.go(f"{base}/account")
            assert await page.run("location.pathname") == "/sign-in"
