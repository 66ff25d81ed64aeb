"""What an issuer signed: ID tokens and logout tokens, judged claim by claim.

Promises: a token counts with a signature by a key that the issuer publishes, made with an algorithm that this issuer
is allowed; for us and for nobody else; now; for this sign-in (nonce, access token, time of signing in). Every claim
that is used has the type it must have. Never reads a claim before the signature is known to be good.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core.util import create_half_hash
from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError

from auth.relying.faults import SignInFault, SignInRefused
from auth.relying.issuers import Issuer
from auth.relying.keys import KeysOfIssuer

CLOCK_SKEW_SECONDS = 60
OLDEST_LOGOUT_SECONDS = 600  # how old a logout token without `exp` may be
LONGEST_TOKEN = 64 * 1024
LONGEST_SUBJECT = 255
LONGEST_WORD = 500
MOST_METHODS = 30
BACKCHANNEL_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a good ID token says: of whom, in which session at the issuer, and how and when they signed in there."""

    subject: str
    sid: str | None
    acr: str | None
    amr: tuple[str, ...]
    authenticated_at: float
    claims: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must be for: this sign-in, this access token, and a sign-in at the issuer not longer ago."""

    nonce: str
    access_token: str | None
    max_age_seconds: int | None


@dataclass(frozen=True, slots=True)
class LogoutNotice:
    """What a good logout token says: whose session, or which, is over. `id` is told once, until `expires_at`."""

    id: str
    subject: str | None
    sid: str | None
    expires_at: float


async def check_id_token(
    issuer: Issuer, keys: KeysOfIssuer, token: object, expected: Expected, now: float
) -> Statement:
    """What the token says. Raises ID_TOKEN_INVALID with the claim that is wrong, and what fetching keys raises."""
    decoded = await _decode(issuer, keys, token, now)
    claims = decoded.claims
    if decoded.header.get("typ", "JWT") not in {"JWT", "jwt"}:
        raise _invalid("typ")
    _check_audience(issuer, claims)
    if not _same(claims.get("nonce"), expected.nonce):
        raise _invalid("nonce")
    _check_access_token(claims, decoded.header["alg"], expected.access_token)
    authenticated_at = _authenticated_at(claims, expected.max_age_seconds, now)
    return Statement(
        subject=_text(claims, "sub", LONGEST_SUBJECT) or "",
        sid=_text(claims, "sid", LONGEST_WORD),
        acr=_text(claims, "acr", LONGEST_WORD),
        amr=_methods(claims),
        authenticated_at=authenticated_at,
        claims=dict(claims),
    )


async def check_logout_token(issuer: Issuer, keys: KeysOfIssuer, token: object, now: float) -> LogoutNotice:
    """What the logout token says. Raises LOGOUT_TOKEN_INVALID, and what fetching keys raises."""
    try:
        decoded = await _decode(issuer, keys, token, now, is_logout=True)
        claims = decoded.claims
        if decoded.header.get("typ", "JWT") not in {"JWT", "jwt", "logout+jwt"}:
            raise _invalid("typ")
        _check_audience(issuer, claims)
        if "nonce" in claims:  # it is an ID token then, whatever else it says
            raise _invalid("nonce")
        events = claims.get("events")
        if not isinstance(events, dict) or not isinstance(events.get(BACKCHANNEL_LOGOUT), dict):
            raise _invalid("events")
        notice_id = _text(claims, "jti", LONGEST_WORD)
        subject, sid = _text(claims, "sub", LONGEST_SUBJECT), _text(claims, "sid", LONGEST_WORD)
        if notice_id is None:
            raise _invalid("jti")
        if subject is None and sid is None:
            raise _invalid("sub")
        issued_at = float(claims["iat"])
        if issued_at < now - OLDEST_LOGOUT_SECONDS - CLOCK_SKEW_SECONDS:
            raise _invalid("iat")
    except SignInRefused as error:
        if error.fault is not SignInFault.ID_TOKEN_INVALID:
            raise
        raise SignInRefused(SignInFault.LOGOUT_TOKEN_INVALID, error.reason) from error
    return LogoutNotice(notice_id, subject, sid, issued_at + OLDEST_LOGOUT_SECONDS + 2 * CLOCK_SKEW_SECONDS)


async def _decode(
    issuer: Issuer, keys: KeysOfIssuer, token: object, now: float, *, is_logout: bool = False
) -> jwt.Token:
    """The token with its signature and its registered claims checked."""
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN or not token.isascii() or token.count(".") != 2:
        raise _invalid("form")
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError, RecursionError):
        raise _invalid("header") from None
    algorithm = header.get("alg")
    if algorithm not in issuer.algorithms:  # `none`, and every algorithm whose key is not the issuer's alone
        raise _invalid("alg")
    key = await keys.find(header.get("kid"), algorithm)
    times = {} if is_logout else {"sub": {"essential": True}, "exp": {"essential": True}}
    required = {"iss": {"essential": True, "value": issuer.url}, "iat": {"essential": True}, **times}
    registry = jwt.JWTClaimsRegistry(now=int(now), leeway=CLOCK_SKEW_SECONDS, **required)  # type: ignore[arg-type]
    try:
        decoded = jwt.decode(token, key, algorithms=[algorithm])
        registry.validate(decoded.claims)
    except ExpiredTokenError:
        raise _invalid("exp") from None
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise _invalid(getattr(error, "claim", None) or "signature") from None
    return decoded


def _check_audience(issuer: Issuer, claims: dict[str, Any]) -> None:
    """For us; and where it is for others too, made for us."""
    audience = claims.get("aud")
    several = [audience] if isinstance(audience, str) else audience
    if not isinstance(several, list) or issuer.client_id not in several:
        raise _invalid("aud")
    party = claims.get("azp")
    if party != issuer.client_id and (party is not None or len(several) > 1):
        raise _invalid("azp")


def _check_access_token(claims: dict[str, Any], algorithm: str, access_token: str | None) -> None:
    """`at_hash`, where it is told, is the access token's that came along."""
    told = claims.get("at_hash")
    if told is None:
        return
    if access_token is None or not access_token.isascii():
        raise _invalid("at_hash")
    made = create_half_hash(access_token, algorithm)
    if made is None or not _same(told, made.decode()):
        raise _invalid("at_hash")


def _authenticated_at(claims: dict[str, Any], max_age_seconds: int | None, now: float) -> float:
    told = claims.get("auth_time")
    if told is None:
        if max_age_seconds is not None:
            raise _invalid("auth_time")
        return min(float(claims["iat"]), now)
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 <= told <= now + CLOCK_SKEW_SECONDS:
        raise _invalid("auth_time")
    if max_age_seconds is not None and told < now - max_age_seconds - CLOCK_SKEW_SECONDS:
        raise _invalid("auth_time")
    return min(float(told), now)


def _methods(claims: dict[str, Any]) -> tuple[str, ...]:
    methods = claims.get("amr", [])
    if not isinstance(methods, list) or len(methods) > MOST_METHODS:
        raise _invalid("amr")
    if not all(isinstance(each, str) and len(each) <= LONGEST_WORD and "\0" not in each for each in methods):
        raise _invalid("amr")
    return tuple(methods)


def _text(claims: dict[str, Any], name: str, most: int) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= most or not value.isprintable():
        raise _invalid(name)
    return value


def _same(told: object, made: str) -> bool:
    return isinstance(told, str) and hmac.compare_digest(told.encode("utf-8", "surrogatepass"), made.encode())


def _invalid(reason: str) -> SignInRefused:
    return SignInRefused(SignInFault.ID_TOKEN_INVALID, reason)
