"""An OpenID Connect issuer on a port of this machine that does whatever a test wants of it, right or wrong.

It is a server of its own, reached over HTTP as any issuer is. By itself it does everything right; each knob makes it do
one thing wrong.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.wire.conftest import listening

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
OTHER_RSA = RSAKey.generate_key(2048, {"kid": "rsa-2", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"})

Answer = Callable[[Request], Any]


def half_hash(text: str) -> str:
    return urlsafe_b64encode(sha256(text.encode()).digest()[:16]).decode().rstrip("=")


@dataclass
class FalseIssuer:
    """What it signs with and publishes, what it says of whoever signs in, and what it has been asked."""

    url: str = ""
    key: Key = field(default_factory=lambda: RSA)
    published: list[Key] = field(default_factory=lambda: [RSA, EC])
    algorithm: str = "RS256"
    header: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    """Of every ID token; None takes a claim away."""
    userinfo: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    """Other answers than its own, by path."""
    replays: bool = False
    """It takes a code again."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def reset(self) -> None:
        """Do everything right again."""
        url = self.url
        self.__init__()  # type: ignore[misc]
        self.url = url

    def count(self, path: str) -> int:
        """How often an address was asked."""
        return [each for each, _ in self.asked].count(path)

    def approve(self, address: str, **more: str) -> dict[str, str]:
        """Sign somebody in who came to this address: the parameters that their browser takes back."""
        parts = urlsplit(address)
        asked = dict(parse_qsl(parts.query))
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.url}/authorize"
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.url, **more}

    def id_token(self, asked: dict[str, str], access_token: str | None) -> str:
        """An ID token for the sign-in that was asked for."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": "subject-1",
            "aud": asked["client_id"],
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "nonce": asked.get("nonce"),
            "at_hash": half_hash(access_token) if access_token else None,
            "email": "anna@example.nl",
            "email_verified": True,
            "name": "Anna de Wit",
        }
        return self.sign({**claims, **self.claims})

    def logout_token(self, **claims: Any) -> str:
        """A logout token."""
        now = int(time.time())
        usual = {
            "iss": self.url,
            "aud": "plein",
            "iat": now,
            "jti": secrets.token_hex(8),
            "sub": "subject-1",
            "events": {LOGOUT_EVENT: {}},
        }
        return self.sign({**usual, **claims}, typ="logout+jwt")

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """A token with these claims."""
        kept = {name: value for name, value in claims.items() if value is not None}
        headers = {"alg": self.algorithm, "kid": self.key.kid, "typ": "JWT", **header, **self.header}
        headers = {name: value for name, value in headers.items() if value is not None}
        return jwt.encode(headers, kept, self.key, algorithms=[headers["alg"]])

    async def serve(self, request: Request) -> Response:
        """Answer a request."""
        path = request.url.path
        form = dict(parse_qsl((await request.body()).decode())) if request.method == "POST" else {}
        self.asked.append((path, form or dict(request.query_params)))
        self.headers.append(dict(request.headers))
        if path in self.answers:
            answer = self.answers[path](request)
            return await answer if asyncio.iscoroutine(answer) else answer
        if path == "/.well-known/openid-configuration":
            return JSONResponse({**self.document(), **self.metadata})
        if path == "/keys":
            return JSONResponse({"keys": [each.as_dict(private=False) for each in self.published]})
        if path == "/token":
            return self._token(form)
        if path == "/userinfo":
            return JSONResponse({"sub": "subject-1", **self.userinfo})
        return Response(status_code=404)

    def document(self) -> dict[str, Any]:
        """Its metadata."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "end_session_endpoint": f"{self.url}/end",
            "authorization_response_iss_parameter_supported": True,
        }

    def _token(self, form: dict[str, str]) -> Response:
        asked = self.codes.get(form.get("code", "")) if self.replays else self.codes.pop(form.get("code", ""), None)
        made = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if asked is None or made != asked["code_challenge"] or form.get("redirect_uri") != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        access_token = secrets.token_urlsafe(16)
        given = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 60,
            "id_token": self.id_token(asked, access_token),
        }
        return JSONResponse({**given, **self.tokens})


@asynccontextmanager
async def running_issuer() -> AsyncIterator[FalseIssuer]:
    """An issuer that answers until the block ends."""
    issuer = FalseIssuer()

    async def serve(request: Request) -> Response:
        return await issuer.serve(request)

    methods = ["GET", "POST"]
    async with listening(Starlette(routes=[Route("/{path:path}", serve, methods=methods)]), lifespan="off") as url:
        issuer.url = url
        yield issuer


def parameters(address: str) -> dict[str, str]:
    """The query of an address; a parameter that stands there twice is a fault."""
    found = parse_qs(urlsplit(address).query, keep_blank_values=True)
    assert [name for name, values in found.items() if len(values) > 1] == []
    return {name: values[0] for name, values in found.items()}


def unsigned(claims: dict[str, Any]) -> str:
    """A token with `alg: none`."""
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts) + "."
