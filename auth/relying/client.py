"""How Plein shows an issuer's token endpoint that it is the client it says it is.

Promises: one of the four ways, as configured; a signed assertion is for that endpoint's issuer only, good for a minute,
and used once. Never sends a secret to another address than the token endpoint.
"""

from __future__ import annotations

from base64 import b64encode
from time import time
from typing import Any
from urllib.parse import quote_plus

from authlib.common.urls import add_params_to_qs
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc7523.assertion import private_key_jwt_sign
from authlib.oauth2.rfc7523.auth import ASSERTION_TYPE
from joserfc.jwk import ECKey, Key, RSAKey

from auth.relying.issuers import ClientAuthentication, Issuer

ASSERTION_SECONDS = 60
ALGORITHM_OF_CURVE = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}

Prepared = tuple[str, dict[str, str], str]


def authenticated(issuer: Issuer, url: str, headers: dict[str, str], body: str) -> Prepared:
    """Address, headers and body of a request to the token endpoint, with what shows who asks."""
    auth = ClientAuth(issuer.client_id, issuer.secret, METHODS[issuer.authentication](issuer))
    made: Prepared = auth.prepare("POST", url, headers, body)
    return made


def _basic(issuer: Issuer) -> Any:
    """HTTP Basic, both parts form-encoded first (RFC 6749, 2.3.1), so that a colon in them is no end of the name."""
    pair = f"{quote_plus(issuer.client_id)}:{quote_plus(issuer.secret or '')}"
    shown = b64encode(pair.encode("ascii")).decode("ascii")
    return lambda _client, _method, url, headers, body: (url, {**headers, "authorization": f"Basic {shown}"}, body)


def _private_key(issuer: Issuer) -> Any:
    """An assertion signed for the issuer (RFC 7523)."""
    key = issuer.signing_key()
    header = {"kid": key.kid} if key.kid else {}

    def sign(client: ClientAuth, _method: str, url: str, headers: dict[str, str], body: str) -> Prepared:
        now = int(time())
        assertion = private_key_jwt_sign(
            key,
            client_id=client.client_id,
            token_endpoint=issuer.url,
            alg=_algorithm(key),
            header=header,
            issued_at=now,
            expires_at=now + ASSERTION_SECONDS,
        )
        shown = [
            ("client_id", client.client_id),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ]
        return url, headers, add_params_to_qs(body, shown)

    return sign


def _algorithm(key: Key) -> str:
    declared = key.get("alg")
    if declared is not None:
        return str(declared)
    if isinstance(key, RSAKey):
        return "PS256"
    return ALGORITHM_OF_CURVE[str(key.get("crv"))] if isinstance(key, ECKey) else "EdDSA"


METHODS: dict[ClientAuthentication, Any] = {
    ClientAuthentication.NONE: lambda _issuer: "none",
    ClientAuthentication.POST: lambda _issuer: "client_secret_post",
    ClientAuthentication.BASIC: _basic,
    ClientAuthentication.PRIVATE_KEY: _private_key,
}
