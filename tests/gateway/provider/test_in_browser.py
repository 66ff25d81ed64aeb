"""Agreeing and signing out in a real browser: by mouse, judged by axe-core, wide, narrow and dark.

Set PLEIN_TEST_PICTURES to a directory to keep what is seen.
"""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from auth.provider.clients import Authentication
from tests.gateway.browser import find_browser, opened_page
from tests.gateway.pages.test_in_browser import Judge, axe  # noqa: F401 - a fixture
from tests.gateway.provider.listener import running_service
from tests.gateway.provider.plein import EVERY_SCOPE, Plein, attempt

BROWSER = find_browser()
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome on this machine")


async def test_agreeing_and_signing_out(plein: Plein, axe: str) -> None:  # noqa: F811 - the fixture
    assert BROWSER is not None
    visitor = await plein.signed_in(plein.anna)
    async with running_service() as service, opened_page(BROWSER, f"{plein.url}/sign-in") as page:
        back = service.url.replace("/logout", "/back")
        app = await plein.register(
            Authentication.NONE,
            name="Wijkapp",
            redirect_uris=(back, "https://app.example/cb"),
            logout_redirect_uris=(back,),
            policy_uri="https://app.example/privacy",
        )
        await page.send("Network.setCookie", name="plein", value=visitor.cookies["plein"], url=plein.url)
        judge = Judge(page, axe)

        asked = attempt(app, redirect_uri="https://app.example/cb", scope=" ".join(sorted(EVERY_SCOPE)))
        await page.go(plein.url + asked.path)
        assert "app.example" in await page.run("document.body.innerText")
        await judge.look("consent")

        site = plein.url.replace("://", f"://{plein.sites['a'].slug}.")
        asked = attempt(app, redirect_uri=back, scope="openid read", resource=site)
        await page.go(plein.url + asked.path)
        assert "Site A" in await page.run("document.body.innerText")
        await judge.look("consent-for-an-app")
        await page.press('button[value="yes"]')
        address = await page.run("location.href")
        assert address.startswith(f"{back}?code="), (address, page.complaints)

        await page.go(
            f"{plein.url}/oauth/authorize?{urlencode({'client_id': app.id, 'redirect_uri': 'https://evil.example'})}"
        )
        await judge.look("refused")

        await page.go(f"{plein.url}/account/services")
        assert "Wijkapp" in await page.run("document.body.innerText")
        await judge.look("services")

        query = urlencode({"client_id": app.id, "post_logout_redirect_uri": back, "state": "s"})
        await page.go(f"{plein.url}/oauth/end-session?{query}")
        await judge.look("end-session")
        await page.press("form button")
        assert await page.run("location.href") == f"{back}?state=s", page.complaints
        expected = ("favicon", "status of 400")
        assert [each for each in page.complaints if not any(word in each for word in expected)] == []
