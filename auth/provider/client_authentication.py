"""How clients prove who they are: a secret in a header or in the form, an assertion signed with their own key, or not.

Promises: each client has one way, and no other counts; secrets are compared in constant time; an assertion counts once,
for this provider, for a few minutes, with the algorithm that its key is for. Every failure looks the same.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from urllib.parse import unquote_plus

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.provider.clients import Authentication, Client, load_client
from auth.provider.errors import invalid_client, invalid_request
from auth.provider.parameters import Parameters
from auth.provider.settings import CLOCK_SKEW_SECONDS, ProviderSettings
from tenants.provider_tables import UsedAssertion
from tenants.tables import table_of

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
LONGEST_ASSERTION = 8_192
LONGEST_SECRET = 512
MOST_SECONDS = 600  # how far ahead an assertion may end: so long its id must be remembered
USED_ASSERTION = table_of(UsedAssertion)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What came with a request to prove who asks. At most one of `secret` and `assertion` is there."""

    client_id: str
    secret: str | None = None
    assertion: str | None = None


def credentials_from(authorization: str | None, given: Parameters) -> Credentials:
    """What the request says of its client. Raises `OAuthError` where it says two things at once, or nothing."""
    if authorization is not None:
        client_id, secret = _basic(authorization)
        if "client_secret" in given or "client_assertion" in given:
            raise invalid_request("The client authenticates in more than one way.")
        if given.get("client_id", client_id) != client_id:
            raise invalid_request("The client names itself in two ways.")
        return Credentials(client_id, secret=secret)
    if "client_assertion" in given or "client_assertion_type" in given:
        return _asserted(given)
    if "client_id" not in given:
        raise invalid_client()
    return Credentials(given["client_id"], secret=given.get("client_secret"))


async def authenticate_client(
    tx: AsyncConnection, credentials: Credentials, settings: ProviderSettings, endpoint: str, now: datetime
) -> Client:
    """The client that these credentials prove. Raises `invalid_client`, whatever is wrong.

    `endpoint` is the address that was called. The id of an assertion is written down in the transaction: if that is
    rolled back, nothing was done with the assertion either.
    """
    client = await load_client(tx, credentials.client_id)
    if client is None:
        compare_digest(_hash(credentials.secret or ""), _hash("nobody"))  # as long as for a client that is there
        raise invalid_client()
    if client.authentication is Authentication.SECRET and credentials.secret is not None:
        _check_secret(client, credentials.secret, now)
    elif client.authentication is Authentication.PRIVATE_KEY and credentials.assertion is not None:
        await _check_assertion(tx, client, credentials.assertion, {settings.issuer, endpoint}, now)
    elif client.authentication is not Authentication.NONE or credentials.secret or credentials.assertion:
        raise invalid_client()
    return client


def hash_secret(secret: str) -> bytes:
    """What is kept of a secret. One hash is enough: it is 256 random bits, which nobody tries one by one."""
    return _hash(secret)


def _hash(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _basic(authorization: str) -> tuple[str, str]:
    """Id and secret in a Basic header; both were form-encoded first (RFC 6749, section 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise invalid_client()
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        raise invalid_client() from None
    if not colon:
        raise invalid_client()
    return unquote_plus(client_id), unquote_plus(secret)


def _asserted(given: Parameters) -> Credentials:
    assertion = given.get("client_assertion", "")
    if given.get("client_assertion_type") != ASSERTION_TYPE or "client_secret" in given:
        raise invalid_request("The client assertion has no type that is known here, or comes with a secret.")
    if len(assertion) > LONGEST_ASSERTION or assertion.count(".") != 2:
        raise invalid_client()
    try:
        # Whose key to check with, it must say itself; nothing in it counts before it is checked.
        claims = json.loads(_part(assertion.split(".")[1]))
        subject = claims["sub"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise invalid_client() from None
    if not isinstance(subject, str) or given.get("client_id", subject) != subject:
        raise invalid_client()
    return Credentials(subject, assertion=assertion)


def _part(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _check_secret(client: Client, secret: str, now: datetime) -> None:
    given = _hash(secret[:LONGEST_SECRET])
    good = compare_digest(given, client.secret_hash or b"")
    earlier = compare_digest(given, client.earlier_secret_hash or b"")
    in_time = client.earlier_secret_until is not None and now < client.earlier_secret_until
    if not (good or (earlier and in_time)):
        raise invalid_client()


async def _check_assertion(
    tx: AsyncConnection, client: Client, assertion: str, audiences: set[str], now: datetime
) -> None:
    seconds = int(now.timestamp())
    try:
        keys = KeySet.import_key_set(client.jwks or {"keys": []})  # type: ignore[arg-type]
        decoded = jwt.decode(assertion, keys, algorithms=list(ASSERTION_ALGORITHMS))
        registry = jwt.JWTClaimsRegistry(
            now=seconds,
            leeway=CLOCK_SKEW_SECONDS,
            iss={"essential": True, "value": str(client.id)},
            sub={"essential": True, "value": str(client.id)},
            aud={"essential": True},
            exp={"essential": True},
            jti={"essential": True},
        )
        registry.validate(decoded.claims)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise invalid_client() from None
    _check_reach(decoded.claims, audiences, seconds)
    ends_at = datetime.fromtimestamp(decoded.claims["exp"] + CLOCK_SKEW_SECONDS, UTC)
    used = {"client_id": client.id, "hash": _hash(decoded.claims["jti"]), "expires_at": ends_at}
    done = await tx.execute(
        insert(USED_ASSERTION).values(used).on_conflict_do_nothing().returning(USED_ASSERTION.c.client_id)
    )
    if done.first() is None:
        raise invalid_client()


def _check_reach(claims: dict[str, Any], audiences: set[str], seconds: int) -> None:
    """Refuse an assertion that others could use too, or for too long."""
    audience = claims["aud"]
    if isinstance(audience, list):
        audience = audience[0] if len(audience) == 1 else None
    if audience not in audiences or claims["exp"] > seconds + MOST_SECONDS:
        raise invalid_client()
