"""What the provider says of itself, judged by authlib's rules for such documents and by what is really there."""

from __future__ import annotations

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata

from auth.provider.metadata import metadata
from auth.provider.settings import ProviderSettings
from tests.gateway.provider.plein import Plein

PRODUCTION = ProviderSettings("https://plein.example", "plein.example", "s" * 40)


@pytest.mark.parametrize("kind", [OpenIDProviderMetadata, AuthorizationServerMetadata])
def test_the_document_is_in_order(kind: type[AuthorizationServerMetadata]) -> None:
    document = kind(metadata(PRODUCTION))
    document.validate()
    addresses = [value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(addresses) == 7
    assert all(each.startswith("https://plein.example/oauth/") for each in addresses)


async def test_every_address_in_it_answers(plein: Plein) -> None:
    for path in ("openid-configuration", "oauth-authorization-server"):
        answer = await plein.get(f"/.well-known/{path}")
        assert answer.json() == metadata(plein.gateway.square.provider.settings)
        assert answer.headers["cache-control"] == "public, max-age=900"
    for name, value in answer.json().items():
        if name.endswith(("_endpoint", "_uri")):
            there = value.removeprefix(plein.url)
            found = [await plein.get(there), await plein.post(there, {})]
            assert {each.status_code for each in found} & {200, 303, 400, 401}, name
            assert all(each.status_code in {200, 303, 400, 401, 405} for each in found), name
    keys = (await plein.get("/oauth/jwks")).json()["keys"]
    assert all(not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(each) for each in keys)
    assert {each["alg"] for each in keys} == {"RS256", "ES256"}
    assert len({each["kid"] for each in keys}) == len(keys)
