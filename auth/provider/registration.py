"""Registering clients: what one may be, and writing it down.

Promises: what is registered is in order as a whole, or the field that is not is named; a secret is told once and kept
as a hash; a new secret leaves the old one some time, so that a service can be changed over without a gap. What a client
may do no longer, it can do no longer with what it already has. Never commits, never decides who may register.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, KeySet, OKPKey, RSAKey
from sqlalchemy import delete, func, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.provider.addresses import BadAddress, check_origin, check_redirect_uri, check_web_uri
from auth.provider.client_authentication import hash_secret
from auth.provider.clients import CLIENT, Authentication, Client, GrantType, SubjectType, client_from
from auth.provider.grants import GRANT, end_grants
from auth.provider.scopes import PLATFORM_SCOPES, SCOPES
from auth.provider.signing_keys import ALGORITHMS
from auth.revocations import revoke_credential
from tenants.ids import uuid7

SECRET_PREFIX = "plein_client_"  # noqa: S105 - what scanners for leaked secrets can look for
SECRET_KEPT = timedelta(hours=24)
MOST_CLIENTS = 500  # of one site, or of the platform
MOST_ADDRESSES = 20
MOST_KEYS = 10
LONGEST_JWKS = 20_000
RSA_BITS = 2048
CURVES = frozenset({"P-256", "P-384", "Ed25519"})


class BadClient(Exception):  # noqa: N818 - a verdict on what was given
    """A client that cannot be; `field` is what is not in order, `message` a sentence for whoever registers it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class ClientDescription:
    """What a client is to be. `tenant_id`: the site that it is of; `is_trusted`: people are not asked to agree."""

    name: str
    tenant_id: UUID | None
    authentication: Authentication
    grant_types: frozenset[GrantType]
    scopes: frozenset[str]
    redirect_uris: tuple[str, ...] = ()
    logout_redirect_uris: tuple[str, ...] = ()
    logout_uri: str | None = None
    origins: tuple[str, ...] = ()
    subject_type: SubjectType = SubjectType.PAIRWISE
    id_token_algorithm: str = "RS256"  # noqa: S105 - an algorithm
    home_uri: str | None = None
    policy_uri: str | None = None
    jwks: str | None = None
    is_trusted: bool = False


async def create_client(
    tx: AsyncConnection, description: ClientDescription, account_id: UUID, now: datetime
) -> tuple[Client, str | None]:
    """Write a client for which this account answers; gives it with its secret, if it has one. Raises `BadClient`."""
    check_client(description)
    secret = _new_secret() if description.authentication is Authentication.SECRET else None
    row = {
        **_columns_of(description, now),
        "id": uuid7(),
        "tenant_id": description.tenant_id,
        "account_id": account_id,
        "authentication": description.authentication.value,
        "secret_hash": None if secret is None else hash_secret(secret),
        "subject_salt": secrets.token_bytes(32),
        "trusted_at": now if description.is_trusted else None,
        "version": 1,
        "created_at": now,
    }
    written = (await tx.execute(insert(CLIENT).values(row).returning(*CLIENT.c))).one()
    return client_from(written), secret


async def update_client(
    tx: AsyncConnection, client: Client, description: ClientDescription, account_id: UUID, now: datetime
) -> None:
    """Let a client be what is described from now on, changed by this account. Raises `BadClient`.

    How it proves who it is, and whose it is, stays. Grants with scopes that it may not ask for any more are ended.
    """
    check_client(description)
    values = _columns_of(description, now) | {"version": CLIENT.c.version + 1}
    if description.is_trusted != client.is_trusted:
        values["trusted_at"] = now if description.is_trusted else None
    if description.jwks is not None and json.loads(description.jwks) != client.jwks:
        values |= await _handed_to(tx, client, account_id, now)
    if GrantType.CLIENT_CREDENTIALS in description.grant_types and not client.may(GrantType.CLIENT_CREDENTIALS):
        values["earlier_secret_until"] = now  # it may be known to somebody else than whom the client works as
    await tx.execute(update(CLIENT).where(CLIENT.c.id == client.id).values(values))
    if not client.scopes <= description.scopes:
        too_much = not_(GRANT.c.scopes.contained_by(sorted(description.scopes)))
        await end_grants(tx, (GRANT.c.client_id == client.id) & too_much, now)


async def rotate_secret(
    tx: AsyncConnection, client: Client, account_id: UUID, now: datetime, kept: timedelta = SECRET_KEPT
) -> str:
    """Give a client a new secret, told to this account; the one it had is good for as long as `kept` says.

    Not at all where the client could work as somebody else by it. Raises `BadClient`.
    """
    if client.authentication is not Authentication.SECRET:
        raise BadClient("id", "This client has no secret.")
    secret, handed = _new_secret(), await _handed_to(tx, client, account_id, now)
    values: dict[str, Any] = {"secret_hash": hash_secret(secret), "version": CLIENT.c.version + 1, "updated_at": now}
    until = now if handed and client.may(GrantType.CLIENT_CREDENTIALS) else now + kept
    values |= {"earlier_secret_hash": CLIENT.c.secret_hash, "earlier_secret_until": until, **handed}
    await tx.execute(update(CLIENT).where(CLIENT.c.id == client.id).values(values))
    return secret


async def _handed_to(tx: AsyncConnection, client: Client, account_id: UUID, now: datetime) -> dict[str, Any]:
    """Let whoever gives a client what it proves itself by answer for it: it works as them, and never as another."""
    if client.account_id == account_id:
        return {}
    await end_grants(tx, (GRANT.c.client_id == client.id) & GRANT.c.is_own, now)
    return {"account_id": account_id}


async def count_clients(tx: AsyncConnection, tenant_id: UUID | None) -> int:
    """How many clients a site has, or the platform."""
    of = CLIENT.c.tenant_id.is_(None) if tenant_id is None else CLIENT.c.tenant_id == tenant_id
    return int(await tx.scalar(select(func.count()).where(of)) or 0)


async def delete_client(tx: AsyncConnection, client_id: UUID) -> None:
    """Remove a client with all that it holds; whoever came by it goes at once."""
    await revoke_credential(tx, client_id)
    await tx.execute(delete(CLIENT).where(CLIENT.c.id == client_id))


async def load_client_for_change(tx: AsyncConnection, client_id: UUID) -> tuple[Client, int] | None:
    """The client with this id and its version, locked; None where there is none."""
    row = (await tx.execute(select(CLIENT).where(CLIENT.c.id == client_id).with_for_update())).first()
    return None if row is None else (client_from(row), row.version)


def check_client(description: ClientDescription) -> None:
    """Raise `BadClient` for the first thing that is not in order."""
    _check_ways(description)
    _check_scopes(description)
    _check_addresses(description)
    _check_keys(description)


def _check_ways(given: ClientDescription) -> None:
    codes = GrantType.AUTHORIZATION_CODE in given.grant_types
    if not given.grant_types:
        raise BadClient("grantTypes", "A client needs at least one way to ask for tokens.")
    if GrantType.REFRESH_TOKEN in given.grant_types and not codes:
        raise BadClient("grantTypes", "REFRESH_TOKEN goes with AUTHORIZATION_CODE.")
    if GrantType.CLIENT_CREDENTIALS in given.grant_types and given.authentication is Authentication.NONE:
        raise BadClient("grantTypes", "CLIENT_CREDENTIALS needs a client that proves who it is.")
    if codes and not given.redirect_uris:
        raise BadClient("redirectUris", "A client that signs people in needs an address to send them back to.")
    if given.id_token_algorithm not in ALGORITHMS:
        raise BadClient("idTokenAlgorithm", f"Must be one of {', '.join(ALGORITHMS)}.")


def _check_scopes(given: ClientDescription) -> None:
    unknown = given.scopes - frozenset(SCOPES)
    if unknown or not given.scopes:
        raise BadClient("scopes", f"Must be some of {', '.join(SCOPES)}.")
    if given.tenant_id is not None and given.scopes & frozenset(PLATFORM_SCOPES):
        raise BadClient(
            "scopes", f"A site's client cannot have {', '.join(PLATFORM_SCOPES)}: they are for the platform."
        )


def _check_addresses(given: ClientDescription) -> None:
    is_public = given.authentication is Authentication.NONE
    _each("redirectUris", given.redirect_uris, lambda uri: check_redirect_uri(uri, is_public=is_public))
    _each("logoutRedirectUris", given.logout_redirect_uris, lambda uri: check_redirect_uri(uri, is_public=is_public))
    _each("origins", given.origins, check_origin)
    for name, uri in (("logoutUri", given.logout_uri), ("homeUri", given.home_uri), ("policyUri", given.policy_uri)):
        _each(name, () if uri is None else (uri,), lambda each: check_web_uri(each, own_machine=True))


def _each(name: str, uris: Iterable[str], check: Callable[[str], None]) -> None:
    given = tuple(uris)
    if len(given) > MOST_ADDRESSES:
        raise BadClient(name, f"At most {MOST_ADDRESSES} are allowed.")
    if len(set(given)) < len(given):
        raise BadClient(name, "One is given twice.")
    for uri in given:
        try:
            check(uri)
        except BadAddress as error:
            raise BadClient(name, f"{uri[:100]!r} {error}.") from None


def _check_keys(given: ClientDescription) -> None:
    """Public keys only, each strong enough and told from the others by its `kid`."""
    if given.authentication is not Authentication.PRIVATE_KEY:
        if given.jwks is not None:
            raise BadClient("jwks", "Only a client with PRIVATE_KEY has keys.")
        return
    keys = _keys_in(given.jwks)
    if not 1 <= len(keys) <= MOST_KEYS:
        raise BadClient("jwks", f"Give 1 to {MOST_KEYS} public keys, as a JSON Web Key Set.")
    if len(keys) > 1 and len({each.get("kid") for each in keys} - {None, ""}) < len(keys):
        raise BadClient("jwks", "Where there are several keys, each needs a kid of its own.")
    try:
        KeySet([_imported(each) for each in keys])
    except (JoseError, ValueError, TypeError, KeyError):
        raise BadClient("jwks", "One of the keys is not in order.") from None


def _keys_in(jwks: str | None) -> list[dict[str, Any]]:
    try:
        found = json.loads(jwks or "")["keys"] if len(jwks or "") <= LONGEST_JWKS else []
    except (ValueError, TypeError, KeyError, RecursionError):
        found = []
    return found if isinstance(found, list) and all(isinstance(each, dict) for each in found) else []


def _imported(jwk: dict[str, Any]) -> RSAKey | ECKey | OKPKey:
    if {"d", "p", "q", "k"} & set(jwk):
        raise BadClient("jwks", "Give public keys only: this one holds its private part, and is no secret any more.")
    key = JWKRegistry.import_key(jwk)
    if isinstance(key, RSAKey) and key.public_key.key_size >= RSA_BITS:
        return key
    if isinstance(key, ECKey | OKPKey) and key.as_dict().get("crv") in CURVES:
        return key
    raise BadClient("jwks", f"A key must be RSA of {RSA_BITS} bits or more, or on P-256, P-384 or Ed25519.")


def _columns_of(given: ClientDescription, now: datetime) -> dict[str, Any]:
    return {
        "name": given.name,
        "home_uri": given.home_uri,
        "policy_uri": given.policy_uri,
        "jwks": given.jwks,
        "grant_types": sorted(each.value for each in given.grant_types),
        "scopes": [each for each in SCOPES if each in given.scopes],
        "redirect_uris": list(given.redirect_uris),
        "logout_redirect_uris": list(given.logout_redirect_uris),
        "logout_uri": given.logout_uri,
        "origins": list(given.origins),
        "subject_type": given.subject_type.value,
        "id_token_algorithm": given.id_token_algorithm,
        "updated_at": now,
    }


def _new_secret() -> str:
    return SECRET_PREFIX + secrets.token_urlsafe(32)
