"""Tokens as they are written and read: access tokens (RFC 9068), ID tokens, codes and refresh tokens.

Promises: an access token says for which sites and with which scopes it is good, and on which grant it hangs; it is read
with the one algorithm of its key, and only as what it is: its `typ` tells it from an ID token. Codes and refresh
tokens are 256 random bits and known here by their hash.
Never puts an account's id or address into an access token.
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError

from auth.errors import TokenExpired, Unauthenticated
from auth.provider.clients import Client
from auth.provider.grants import Grant
from auth.provider.scopes import in_order
from auth.provider.settings import CLOCK_SKEW_SECONDS, ProviderSettings
from auth.provider.signing_keys import KeyRing, Signer

ACCESS_TYPE = "at+jwt"
ID_TYPE = "JWT"
LOGOUT_TYPE = "logout+jwt"
LONGEST_TOKEN = 8_192
ACCESS_ALGORITHM = "RS256"  # the one that RFC 9068 wants every service to understand


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token says, after it was checked. `tenant_ids` is None for all sites."""

    grant_id: UUID
    client_id: UUID
    scopes: frozenset[str]
    tenant_ids: frozenset[UUID] | None
    issued_at: int
    expires_at: int
    claims: dict[str, Any]


def new_secret() -> str:
    """A code or refresh token."""
    return secrets.token_urlsafe(32)


def hash_of(text: str) -> bytes:
    """What is kept of a code or refresh token."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def write_access_token(
    signer: Signer,
    settings: ProviderSettings,
    client: Client,
    grant: Grant,
    audience: tuple[str, ...],
    now: datetime,
) -> str:
    """An access token with the scopes and sites of this grant."""
    seconds = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": settings.issuer,
        "sub": str(client.id) if grant.is_own else client.subject_of(grant.account_id),
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "client_id": str(client.id),
        "scope": in_order(grant.scopes),
        "grant": str(grant.id),
        "jti": uuid4().hex,
        "iat": seconds,
        "exp": min(seconds + settings.access_token_seconds, int(grant.expires_at.timestamp())),
    }
    if grant.tenant_ids is not None:
        claims["sites"] = [str(each) for each in grant.tenant_ids]
    return _signed(signer, claims | _sign_in(grant), ACCESS_TYPE)


def write_id_token(
    signer: Signer,
    settings: ProviderSettings,
    client: Client,
    grant: Grant,
    *,
    access_token: str,
    extra: dict[str, Any],
    now: datetime,
) -> str:
    """An ID token for this client; `extra` are claims that it asked for by name."""
    seconds = int(now.timestamp())
    claims = {
        **extra,
        "iss": settings.issuer,
        "sub": client.subject_of(grant.account_id),
        "aud": str(client.id),
        "azp": str(client.id),
        "iat": seconds,
        "exp": seconds + settings.access_token_seconds,
        "at_hash": create_half_hash(access_token, signer.algorithm).decode(),
        **_sign_in(grant),
    }
    if grant.nonce is not None:
        claims["nonce"] = grant.nonce
    if grant.sid is not None:
        claims["sid"] = grant.sid
    return _signed(signer, claims, ID_TYPE)


async def read_access_token(keys: KeyRing, settings: ProviderSettings, token: str, now: datetime) -> Access:
    """What this access token of ours says. Raises `Unauthenticated`, or `TokenExpired`.

    Whether its grant is still good is not looked at.
    """
    claims = await read_token(keys, settings, token, ACCESS_TYPE, now)
    audience, sites = claims["aud"], claims.get("sites")
    # For the whole square or for sites of it, and its audience must say the same.
    if not audience or (settings.issuer in ([audience] if isinstance(audience, str) else audience)) != (sites is None):
        raise Unauthenticated
    try:
        return Access(
            grant_id=UUID(claims["grant"]),
            client_id=UUID(claims["client_id"]),
            scopes=frozenset(str(claims["scope"]).split()),
            tenant_ids=None if sites is None else frozenset(UUID(each) for each in sites),
            issued_at=int(claims["iat"]),
            expires_at=int(claims["exp"]),
            claims=claims,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Unauthenticated from None


async def read_token(
    keys: KeyRing, settings: ProviderSettings, token: str, kind: str, now: datetime, *, in_time: bool = True
) -> dict[str, Any]:
    """The claims of a token of ours of this `typ`. Raises `Unauthenticated`, or `TokenExpired` if `in_time` matters."""
    signer = await keys.by_id(key_id_of(token))
    if signer is None:
        raise Unauthenticated
    try:
        decoded = jwt.decode(token, signer.key, algorithms=[signer.algorithm])
        if decoded.header.get("typ") != kind:
            raise Unauthenticated
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()) if in_time else int(decoded.claims.get("iat", 0)),
            leeway=CLOCK_SKEW_SECONDS,
            iss={"essential": True, "value": settings.issuer},
            sub={"essential": True},
            aud={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
        )
        registry.validate(decoded.claims)
    except ExpiredTokenError:
        raise TokenExpired from None
    except (JoseError, ValueError, TypeError, RecursionError):
        raise Unauthenticated from None
    return decoded.claims


def key_id_of(token: str) -> str:
    """The key that a token says it was signed with; nothing else in its header counts. Raises `Unauthenticated`."""
    if len(token) > LONGEST_TOKEN or not token.isascii() or token.count(".") != 2:
        raise Unauthenticated
    head = token.partition(".")[0]
    try:
        header = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        key_id = header["kid"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Unauthenticated from None
    if not isinstance(key_id, str):
        raise Unauthenticated
    return key_id


def _signed(signer: Signer, claims: dict[str, Any], kind: str) -> str:
    header = {"alg": signer.algorithm, "kid": signer.id, "typ": kind}
    return jwt.encode(header, claims, signer.key, algorithms=[signer.algorithm])


def _sign_in(grant: Grant) -> dict[str, Any]:
    """When and how the person signed in, as far as it is known."""
    found: dict[str, Any] = {}
    if grant.signed_in_at is not None:
        found["auth_time"] = int(grant.signed_in_at.timestamp())
    if grant.acr is not None:
        found["acr"] = grant.acr
    if grant.amr:
        found["amr"] = list(grant.amr)
    return found
