"""What becomes of tokens: asking whether one is good (RFC 7662), giving one back (RFC 7009), and who it stands for.

Promises: a client learns of its own tokens, and of those for the site that it is of; of all others nothing but that
they are not good. Giving back any token of a grant ends the grant. A token that is not known is no fault.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.errors import Unauthenticated
from auth.provider.client_authentication import authenticate_client, credentials_from
from auth.provider.clients import Authentication, Client, load_client
from auth.provider.errors import OAuthError, invalid_client, invalid_request, invalid_token
from auth.provider.grants import Grant, end_grant, load_grant
from auth.provider.parameters import Parameters
from auth.provider.person import kept_claims, load_claims
from auth.provider.provider import Provider
from auth.provider.scopes import OPENID, in_order
from auth.provider.tokens import Access, hash_of, read_access_token
from tenants.provider_tables import RefreshToken
from tenants.tables import table_of

REFRESH = table_of(RefreshToken)
INTROSPECT_PATH, REVOKE_PATH = "oauth/introspect", "oauth/revoke"
INACTIVE: dict[str, Any] = {"active": False}


async def introspect(provider: Provider, authorization: str | None, given: Parameters) -> dict[str, Any]:
    """What this token is good for, told to a client that may know. Raises `OAuthError`."""
    token, access = await _shown(provider, given)
    credentials, now, settings = credentials_from(authorization, given), provider.clock(), provider.settings
    async with provider.transaction() as tx:
        client = await authenticate_client(tx, credentials, settings, settings.at(INTROSPECT_PATH), now)
        if client.authentication is Authentication.NONE:
            raise invalid_client()
        if access is not None:
            return await _access_state(tx, provider, client, access, now)
        return await _refresh_state(tx, provider, client, token, now)


async def revoke(provider: Provider, authorization: str | None, given: Parameters) -> None:
    """End what this token hangs on, if it is the client's. Raises `OAuthError`."""
    token, access = await _shown(provider, given)
    credentials, now, settings = credentials_from(authorization, given), provider.clock(), provider.settings
    async with provider.transaction() as tx:
        client = await authenticate_client(tx, credentials, settings, settings.at(REVOKE_PATH), now)
        if access is not None:
            grant = await load_grant(tx, access.grant_id, now, provider.settings.sessions, client_id=access.client_id)
        else:
            grant = await _grant_of_refresh_token(tx, provider, token, now)
        if grant is not None and grant.client_id == client.id:
            await end_grant(tx, grant.id, now)


async def userinfo(provider: Provider, token: str) -> dict[str, Any]:
    """What the bearer of this access token may know of the person. Raises `OAuthError`."""
    now = provider.clock()
    try:
        access = await read_access_token(provider.keys, provider.settings, token, now)
    except Unauthenticated:
        raise invalid_token() from None
    async with provider.transaction() as tx:
        grant = await load_grant(tx, access.grant_id, now, provider.settings.sessions, client_id=access.client_id)
        client = None if grant is None else await load_client(tx, str(grant.client_id))
        if grant is None or client is None:
            raise invalid_token()
        if OPENID not in access.scopes or grant.is_own:
            raise OAuthError("insufficient_scope", "The access token has no scope openid.", 403)
        claims = await load_claims(tx, grant.account_id, access.scopes, kept_claims(grant.asked_claims).userinfo)
    return {**claims, "sub": client.subject_of(grant.account_id)}


async def _shown(provider: Provider, given: Parameters) -> tuple[str, Access | None]:
    """The token in the request, and what it says if it is a good access token."""
    given.require_once()
    if "token" not in given:
        raise invalid_request("token is missing.")
    try:
        access = await read_access_token(provider.keys, provider.settings, given["token"], provider.clock())
    except Unauthenticated:
        access = None
    return given["token"], access


async def _access_state(
    tx: AsyncConnection, provider: Provider, client: Client, access: Access, now: datetime
) -> dict[str, Any]:
    grant = await load_grant(tx, access.grant_id, now, provider.settings.sessions, client_id=access.client_id)
    is_its_sites = client.tenant_id is not None and access.tenant_ids == frozenset({client.tenant_id})
    if grant is None or not (grant.client_id == client.id or is_its_sites):
        return INACTIVE
    known = ("iss", "sub", "aud", "client_id", "scope", "iat", "exp", "jti", "auth_time", "acr", "amr")
    claims = {name: access.claims[name] for name in known if name in access.claims}
    return {"active": True, "token_type": "Bearer", **claims}


async def _refresh_state(
    tx: AsyncConnection, provider: Provider, client: Client, token: str, now: datetime
) -> dict[str, Any]:
    row = (await tx.execute(select(REFRESH).where(REFRESH.c.hash == hash_of(token)))).first()
    if row is None or row.used_at is not None or row.expires_at <= now:
        return INACTIVE
    grant = await load_grant(tx, row.grant_id, now, provider.settings.sessions)
    if grant is None or grant.client_id != client.id:
        return INACTIVE
    return {
        "active": True,
        "iss": provider.settings.issuer,
        "sub": client.subject_of(grant.account_id),
        "client_id": str(client.id),
        "scope": in_order(grant.scopes),
        "iat": int(row.created_at.timestamp()),
        "exp": int(row.expires_at.timestamp()),
    }


async def _grant_of_refresh_token(tx: AsyncConnection, provider: Provider, token: str, now: datetime) -> Grant | None:
    grant_id = await tx.scalar(select(REFRESH.c.grant_id).where(REFRESH.c.hash == hash_of(token)))
    return None if grant_id is None else await load_grant(tx, grant_id, now, provider.settings.sessions)
