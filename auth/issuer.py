"""The development issuer: signs short-lived access tokens, so that one can sign in without an identity provider.

Promises: its key comes from the platform's secret and is good for this purpose only; a token lasts an hour at most.
Never used in production: there the gateway neither makes one of these nor trusts one.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from time import time
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import OctKey

from auth.tokens import AUDIENCE, TrustedIssuer

DEVELOPMENT_ISSUER = "urn:plein:development"
LIFETIME_SECONDS = 3600
MIN_SECRET_BYTES = 16


@dataclass(frozen=True, slots=True)
class MintedToken:
    """An access token and its end, in seconds since the epoch."""

    text: str
    expires_at: int


class DevelopmentIssuer:
    """Mints tokens for any subject it is asked for: whoever can reach it can be anybody."""

    def __init__(self, secret: str, *, clock: Callable[[], float] = time) -> None:
        """`secret` is the platform's own secret. Raises `ValueError` where it is too short to hold anything secret."""
        if len(secret.encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"a secret has at least {MIN_SECRET_BYTES} bytes")
        self._key = OctKey.import_key(derive_key(secret, "development-issuer"))
        self._clock = clock

    @property
    def trusted(self) -> TrustedIssuer:
        """What a `TokenVerifier` needs to accept this issuer's tokens."""
        return TrustedIssuer(DEVELOPMENT_ISSUER, "HS256", self._key)

    def mint(self, subject: str, *, lifetime_seconds: int = LIFETIME_SECONDS) -> MintedToken:
        """Sign a token for this subject; a lifetime longer than an hour becomes an hour."""
        now = int(self._clock())
        expires_at = now + min(lifetime_seconds, LIFETIME_SECONDS)
        claims = {
            "iss": DEVELOPMENT_ISSUER,
            "sub": subject,
            "aud": AUDIENCE,
            "iat": now,
            "exp": expires_at,
            "jti": uuid4().hex,
        }
        text = jwt.encode({"alg": "HS256", "typ": self.trusted.token_type}, claims, self._key, algorithms=["HS256"])
        return MintedToken(text, expires_at)


def derive_key(secret: str, purpose: str) -> bytes:
    """Derive 32 bytes for one purpose: knowing them tells nothing of the secret or of another purpose's key."""
    return hmac.digest(secret.encode(), b"plein/v1/" + purpose.encode(), sha256)
