"""Bearer tokens: from the text after `Authorization: Bearer` to a viewer, or a refusal.

Promises: a token counts only with a signature, algorithm, issuer, audience and time that its issuer is trusted for.
What was verified is remembered for half a minute and never past its own end: a request costs a hash and a look-up.
Never remembers a refusal, never holds a token itself (only its hash), never trusts the algorithm a token names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from time import time
from typing import Protocol

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import Key

from auth.errors import TokenExpired, Unauthenticated
from auth.remembered import Remembered
from auth.viewer import Viewer

AUDIENCE = "plein"
MAX_TOKEN_BYTES = 4096  # a header line of 8 kB is what most proxies let through; a token is a part of it
CLOCK_SKEW_SECONDS = 10

LoadViewer = Callable[[str, str], Awaitable[Viewer | None]]
"""From issuer and subject to the viewer, or None where no account has that identity."""


class Verifier(Protocol):
    """Whatever tells who is asking from one kind of credential; the door knows no more of signing in than this."""

    memory: Remembered
    """Who was verified a moment ago."""

    async def verify(self, token: str) -> Viewer:
        """Return the viewer. Raises `Unauthenticated`, or `TokenExpired` where signing in again would help."""
        ...


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """Who may sign, with which one algorithm, and the key to check it with. `token_type` is the header `typ`."""

    name: str
    algorithm: str
    key: Key
    token_type: str = "at+jwt"  # noqa: S105 - the media type of RFC 9068, so that an ID token is never an access token


class TokenVerifier:
    """Verifies JWT access tokens of trusted issuers; a `Verifier`. One per process, on one event loop."""

    def __init__(
        self,
        issuers: Iterable[TrustedIssuer],
        load_viewer: LoadViewer,
        *,
        audience: str = AUDIENCE,
        clock: Callable[[], float] = time,
    ) -> None:
        """`clock` gives seconds since the epoch; tests move it."""
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._load_viewer = load_viewer
        self._audience = audience
        self._clock = clock
        self.memory = Remembered(clock)

    async def verify(self, token: str) -> Viewer:
        """Return the viewer of this token. Raises `TokenExpired` or `Unauthenticated`, and whatever reading raises."""
        viewer = self.memory.find(token)
        if viewer is not None:
            return viewer
        forgotten = self.memory.forgotten
        issuer, subject, expires_at = self._check(token)
        viewer = await self._load_viewer(issuer, subject)
        if viewer is None:
            raise Unauthenticated
        viewer = replace(viewer, expires_at=expires_at)
        self.memory.keep(token, viewer, expires_at, forgotten)
        return viewer

    def _check(self, token: str) -> tuple[str, str, float]:
        """Return issuer, subject and the end (seconds since the epoch) of a token that is right in every respect."""
        if len(token) > MAX_TOKEN_BYTES or not token.isascii() or token.count(".") != 2:
            raise Unauthenticated
        for issuer in self._issuers.values():
            try:
                decoded = jwt.decode(token, issuer.key, algorithms=[issuer.algorithm])
            except (
                JoseError,
                ValueError,
                RecursionError,
            ):  # another issuer's, or nonsense; both are worth one more try
                continue
            self._check_claims(issuer, decoded)
            return issuer.name, decoded.claims["sub"], float(decoded.claims["exp"])
        raise Unauthenticated

    def _check_claims(self, issuer: TrustedIssuer, decoded: jwt.Token) -> None:
        claims = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=CLOCK_SKEW_SECONDS,
            iss={"essential": True, "value": issuer.name},
            aud={"essential": True, "value": self._audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        if decoded.header.get("typ") != issuer.token_type:
            raise Unauthenticated
        try:
            claims.validate(decoded.claims)
        except ExpiredTokenError:
            raise TokenExpired from None
        except JoseError:
            raise Unauthenticated from None
