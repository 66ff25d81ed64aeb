"""The pages of signing in at issuers in a real browser, judged as all pages are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse

from tests.auth.relying.issuer import FalseIssuer, running_issuer
from tests.gateway.browser import find_browser, opened_page
from tests.gateway.pages.test_in_browser import AXE, Judge, free_port, heading, serving
from tests.wire.node import require_packages

BROWSER = find_browser()
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome on this machine")


def approving(at: FalseIssuer) -> Callable[[Request], RedirectResponse]:
    """An issuer that knows whoever comes, and sends them back at once."""

    def approve(request: Request) -> RedirectResponse:
        answer = at.approve(f"{at.url}/authorize?{request.url.query}")
        return RedirectResponse(f"{request.query_params['redirect_uri']}?{urlencode(answer)}", 303)

    return approve


@pytest.mark.parametrize("language", ["en", "nl"])
async def test_signing_in_at_an_issuer(
    create_database: Callable[..., str], empty_square: str, tmp_path: Path, language: str
) -> None:
    assert BROWSER is not None
    axe = (require_packages("axe", AXE) / "node_modules" / "axe-core" / "axe.min.js").read_text()
    async with running_issuer() as at:
        at.answers["/authorize"] = approving(at)
        port = free_port()
        table = {"issuer": at.url, "name": "Gemeente", "client_id": "plein", "client_secret": "s3cret"}
        issuers = tmp_path / "issuers.json"
        issuers.write_text(json.dumps({"issuers": {"test": table}}))
        environ = {
            "PLEIN_MODE": "development",
            "PLEIN_DATABASE_URL": create_database(empty_square),
            "PLEIN_DATA_DIR": str(tmp_path),
            "PLEIN_BASE_HOST": f"localhost:{port}",
            "PLEIN_ISSUERS": str(issuers),
        }
        address = f"http://localhost:{port}"
        async with (
            serving(environ, port),
            opened_page(
                BROWSER, f"{address}/language?to={language}&next=/sign-in%3Fnext%3D/account/identities"
            ) as page,
        ):
            judge = Judge(page, axe)
            await page.until("!!document.querySelector('.providers a')")
            await judge.look(f"{language}-issuers-sign-in")
            await page.press(".providers a")
            await page.until("location.pathname == '/account/identities'")
            await judge.look(f"{language}-issuers-identities")
            await page.press(".providers a")
            await page.until("location.pathname == '/sign-in/link'")
            assert await heading(page) == (
                "One more way to sign in" if language == "en" else "Nog een manier om in te loggen"
            )
            await judge.look(f"{language}-issuers-link")
            await page.press("button[value=no]")
            await page.until("location.pathname == '/account/identities'")
            await page.go(f"{address}/sign-in/problem?code=EMAIL_UNVERIFIED")
            await judge.look(f"{language}-issuers-problem")
            assert len(judge.seen) == 4
            assert [each for each in page.complaints if "403" not in each] == []
