"""The whole way with an independent client: npm's openid-client, over HTTP, once for each way to prove who it is."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc.jwk import ECKey

from auth.provider.clients import Authentication
from tests.gateway.provider.plein import CALLBACK, Plein
from tests.wire.node import require_packages, run_script

PACKAGES = {"openid-client": "6.9.0", "jose": "6.2.18"}
SCRIPT = Path(__file__).with_name("client.mjs")
GOODBYE = "https://app.example/goodbye"


@pytest.mark.parametrize("how", ["secret", "post", "key", "none"])
async def test_openid_client_goes_the_whole_way(plein: Plein, how: str) -> None:
    home = require_packages("oidc", PACKAGES)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kinds = {"key": Authentication.PRIVATE_KEY, "none": Authentication.NONE}
    fields: dict[str, Any] = {
        "logout_uri": f"http://127.0.0.1:{port}/",
        "logout_redirect_uris": (GOODBYE,),
        "id_token_algorithm": "ES256" if how == "key" else "RS256",
    }
    key = ECKey.generate_key("P-256", {"kid": "mine"})
    if how == "key":
        fields["jwks"] = orjson.dumps({"keys": [key.as_dict(private=False)]}).decode()
    app = await plein.register(kinds.get(how, Authentication.SECRET), **fields)
    client: dict[str, Any] = {"id": app.id, "secret": app.secret, "how": how, "algorithm": fields["id_token_algorithm"]}
    if how == "key":
        client["jwk"] = key.as_dict(private=True)
    visitor = await plein.signed_in(plein.anna)
    site = f"http://{plein.sites['a'].slug}.{plein.url.removeprefix('http://')}"
    given = {
        "issuer": plein.url,
        "cookie": f"plein={visitor.cookies['plein']}",
        "client": client,
        "site": site,
        "callback": CALLBACK,
        "goodbye": GOODBYE,
        "port": port,
    }
    out = await run_script(home, SCRIPT, json.dumps(given))

    assert out["metadata"]["issuer"] == plein.url
    assert out["scope"] == "openid profile email read"
    assert out["userinfo"]["email"] == plein.anna.email
    assert out["userinfo"]["sub"] == out["claims"]["sub"]
    assert out["accessAlgorithm"] == "RS256"
    assert out["refreshed"] is True
    assert out["viewer"] == {"data": {"viewer": {"account": {"name": "Anna de Boer"}}}}
    assert (out["reuse"], out["family"], out["revoked"]) == ("invalid_grant",) * 3
    if how != "none":
        assert out["active"] is True
        assert out["own"]["sub"] == app.id
        assert out["own"]["aud"] == site
        assert out["own"]["sites"] == [str(plein.sites["a"].id)]
    assert out["goodbye"] == f"{GOODBYE}?state=s"
    assert out["logout"] == {"sid": True, "sub": True, "count": 1}
    assert out["after"] == "invalid_grant"
