"""The app in docs/provider.md, copied and run."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path

from auth.provider.clients import Authentication, GrantType
from tests.gateway.provider.plein import Plein
from tests.gateway.provider.test_openid_client import PACKAGES
from tests.wire.node import require_packages, run_script

DOCS = Path(__file__).resolve().parents[3] / "docs" / "provider.md"
HERE = "https://app.example/"


async def test_the_single_page_app_works_as_it_stands(plein: Plein) -> None:
    home = require_packages("oidc", PACKAGES)
    app = await plein.register(
        Authentication.NONE,
        redirect_uris=(HERE,),
        origins=("https://app.example",),
        grant_types=frozenset({GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN}),
    )
    (text,) = re.findall(r"^```js\n(.*?)^```$", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    text = text.replace("https://plein.example", plein.url).replace("the clientId of registerClient", app.id)
    text = text.replace("oidc.None())", "oidc.None(), { execute: [oidc.allowInsecureRequests] })")  # no TLS here
    copied = home / f"app-{secrets.token_hex(4)}.mjs"
    copied.write_text(text)
    try:
        visitor = await plein.signed_in(plein.anna)
        cookie = f"plein={visitor.cookies['plein']}"
        given = {"app": str(copied), "issuer": plein.url, "cookie": cookie, "here": HERE}
        out = await run_script(home, Path(__file__).with_name("page.mjs"), json.dumps(given))
    finally:
        copied.unlink()
    seen = {"data": {"viewer": {"account": {"name": "Anna de Boer"}}}}
    assert out["before"] is None
    assert out["sentTo"] == f"{plein.url}/oauth/authorize"
    assert out["address"] == HERE
    assert out["claims"]["aud"] == app.id
    assert out["viewer"] == seen
    assert out["again"] == [seen, seen]
