"""The token endpoint: a code, a refresh token or a client's own word, for tokens.

Promises: a code and a refresh token work once, for the client they were made for; whoever shows one again ends
everything that came of it (RFC 9700, section 4.14), as nobody can say which of the two who had it was the thief. Tokens
can be asked for with fewer scopes and sites than were granted, never with more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oauth2.rfc7636.challenge import CODE_VERIFIER_PATTERN
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import Act, record
from auth.provider.client_authentication import authenticate_client, credentials_from
from auth.provider.clients import Authentication, Client, GrantType
from auth.provider.errors import OAuthError, invalid_grant, invalid_request
from auth.provider.grants import GRANT, Grant, create_grant, end_grants, load_grant
from auth.provider.parameters import Parameters
from auth.provider.person import kept_claims, load_claims
from auth.provider.provider import Provider
from auth.provider.scopes import (
    IDENTITY_SCOPES,
    OPENID,
    find_sites,
    in_order,
    invalid_target,
    require_scopes,
    resources_of,
    scopes_in,
)
from auth.provider.settings import CODE_LIFETIME
from auth.provider.signing_keys import Signer
from auth.provider.tokens import (
    ACCESS_ALGORITHM,
    hash_of,
    new_secret,
    write_access_token,
    write_id_token,
)
from tenants.ids import uuid7
from tenants.provider_tables import AuthorizationCode, RefreshToken
from tenants.tables import table_of

CODE, REFRESH = table_of(AuthorizationCode), table_of(RefreshToken)
TOKEN_PATH = "oauth/token"  # noqa: S105 - a path


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request for tokens by a client that proved who it is, in its transaction."""

    tx: AsyncConnection
    provider: Provider
    client: Client
    given: Parameters
    signers: dict[str, Signer]
    now: datetime

    def require(self, name: str) -> str:
        """A parameter that must be there."""
        if name not in self.given:
            raise invalid_request(f"{name} is missing.")
        return self.given[name]


Outcome = dict[str, Any] | OAuthError
"""The answer, or a refusal that has to be written down first: it is returned, so that its transaction is committed."""


async def answer_token_request(provider: Provider, authorization: str | None, given: Parameters) -> dict[str, Any]:
    """The tokens for this request. Raises `OAuthError`."""
    given.require_once()
    credentials = credentials_from(authorization, given)
    if "grant_type" not in given:
        raise invalid_request("grant_type is missing.")
    kind = KINDS.get(given["grant_type"])
    if kind is None:
        raise OAuthError("unsupported_grant_type", "This grant_type is not known here.")
    grant_type, exchange = kind
    signers, now, settings = await provider.signers(), provider.clock(), provider.settings
    async with provider.transaction() as tx:
        client = await authenticate_client(tx, credentials, settings, settings.at(TOKEN_PATH), now)
        if not client.may(grant_type):
            raise OAuthError("unauthorized_client", "The client may not use this grant_type.")
        outcome = await exchange(Exchange(tx, provider, client, given, signers, now))
    if isinstance(outcome, OAuthError):
        raise outcome
    return outcome


async def create_code(tx: AsyncConnection, grant: Grant, *, redirect_uri: str, challenge: str, now: datetime) -> str:
    """Write a grant with a code for it, and give the code."""
    code = new_secret()
    await create_grant(tx, grant, now)
    row = {
        "hash": hash_of(code),
        "grant_id": grant.id,
        "client_id": grant.client_id,
        "redirect_uri": redirect_uri,
        "challenge": challenge,
        "expires_at": now + CODE_LIFETIME,
    }
    await tx.execute(insert(CODE).values(row))
    return code


async def _with_code(exchange: Exchange) -> Outcome:
    tx, now = exchange.tx, exchange.now
    code, redirect_uri = exchange.require("code"), exchange.require("redirect_uri")
    verifier = exchange.require("code_verifier")
    # Locked, so that of two who come with one code at once the second sees that it was used.
    row = (await tx.execute(select(CODE).where(CODE.c.hash == hash_of(code)).with_for_update())).first()
    if row is None or row.client_id != exchange.client.id:
        raise invalid_grant()
    if row.used_at is not None:
        return await _shown_twice(exchange, row.grant_id)
    if row.expires_at <= now or row.redirect_uri != redirect_uri or not _proves(verifier, row.challenge):
        raise invalid_grant()
    grant = await load_grant(tx, row.grant_id, now, exchange.provider.settings.sessions)
    if grant is None:
        raise invalid_grant()
    await tx.execute(update(CODE).where(CODE.c.hash == row.hash).values(used_at=now))
    return await _issued(exchange, grant)


async def _with_refresh_token(exchange: Exchange) -> Outcome:
    tx, now = exchange.tx, exchange.now
    shown = hash_of(exchange.require("refresh_token"))
    row = (await tx.execute(select(REFRESH).where(REFRESH.c.hash == shown).with_for_update())).first()
    grant = None if row is None else await load_grant(tx, row.grant_id, now, exchange.provider.settings.sessions)
    if row is None or grant is None or grant.client_id != exchange.client.id:
        raise invalid_grant()
    if row.used_at is not None:
        return await _shown_twice(exchange, row.grant_id)
    if row.expires_at <= now:
        raise invalid_grant()
    asked = exchange.given.get("scope")
    scopes = grant.scopes if asked is None else scopes_in(asked)
    if not scopes or not scopes <= grant.scopes:
        raise OAuthError("invalid_scope", "A scope was not granted.")
    await tx.execute(update(REFRESH).where(REFRESH.c.hash == shown).values(used_at=now))
    return await _issued(exchange, grant, scopes)


async def _as_itself(exchange: Exchange) -> Outcome:
    client, now = exchange.client, exchange.now
    if client.authentication is Authentication.NONE:
        raise OAuthError("unauthorized_client", "A public client cannot sign in as itself.")
    asked = exchange.given.get("scope")
    scopes = (client.scopes if asked is None else scopes_in(asked)) - frozenset(IDENTITY_SCOPES)
    require_scopes(client, scopes)
    if not scopes:
        raise OAuthError("invalid_scope", "There is no scope here that a client can have for itself.")
    settings = exchange.provider.settings
    sites = await find_sites(exchange.tx, settings, client, exchange.given.resources, client.account_id)
    grant = Grant(
        id=uuid7(),
        client_id=client.id,
        account_id=client.account_id,
        is_own=True,
        scopes=scopes,
        tenant_ids=sites,
        expires_at=now + timedelta(seconds=settings.access_token_seconds),
    )
    await create_grant(exchange.tx, grant, now)
    return await _issued(exchange, grant)


KINDS: dict[str, tuple[GrantType, Callable[[Exchange], Awaitable[Outcome]]]] = {
    "authorization_code": (GrantType.AUTHORIZATION_CODE, _with_code),
    "refresh_token": (GrantType.REFRESH_TOKEN, _with_refresh_token),
    "client_credentials": (GrantType.CLIENT_CREDENTIALS, _as_itself),
}


async def _shown_twice(exchange: Exchange, grant_id: UUID) -> OAuthError:
    """End the grant, and write down why: one of the two who showed it is a thief."""
    tx, client = exchange.tx, exchange.client
    ended = await end_grants(tx, GRANT.c.id == grant_id, exchange.now)
    if ended:
        account_id = await tx.scalar(select(GRANT.c.account_id).where(GRANT.c.id == grant_id))
        about = {"reason": f"{exchange.given['grant_type']} shown twice", "name": client.name}
        await record(tx, Act("grant.ended", account_id, client.tenant_id, f"client:{client.id}", about))
    return invalid_grant()


def _proves(verifier: str, challenge: str) -> bool:
    """Whether whoever has this verifier began what the challenge stands for (RFC 7636, S256)."""
    if not CODE_VERIFIER_PATTERN.match(verifier) or verifier.endswith("\n"):
        return False
    return compare_digest(create_s256_code_challenge(verifier), challenge)


async def _issued(exchange: Exchange, grant: Grant, scopes: frozenset[str] | None = None) -> dict[str, Any]:
    """The tokens for a grant, narrowed to these scopes and to the sites that were asked for."""
    tx, client, settings, now = exchange.tx, exchange.client, exchange.provider.settings, exchange.now
    narrow = replace(grant, scopes=grant.scopes if scopes is None else scopes, tenant_ids=await _sites(exchange, grant))
    audience = await resources_of(tx, settings, narrow.tenant_ids)
    access_token = write_access_token(exchange.signers[ACCESS_ALGORITHM], settings, client, narrow, audience, now)
    seconds = min(settings.access_token_seconds, int((grant.expires_at - now).total_seconds()))
    answer = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": seconds,
        "scope": in_order(narrow.scopes),
    }
    if OPENID in narrow.scopes and not grant.is_own:
        names = kept_claims(grant.asked_claims).id_token
        extra = await load_claims(tx, grant.account_id, (), names)
        signer = exchange.signers[client.id_token_algorithm]
        answer["id_token"] = write_id_token(
            signer, settings, client, grant, access_token=access_token, extra=extra, now=now
        )
    if client.may(GrantType.REFRESH_TOKEN) and not grant.is_own:
        answer["refresh_token"] = await _new_refresh_token(exchange, grant)
    return answer


async def _sites(exchange: Exchange, grant: Grant) -> Any:
    """The sites of the token: those granted, or fewer where the request names them."""
    if not exchange.given.resources:
        return grant.tenant_ids
    settings = exchange.provider.settings
    asked = await find_sites(exchange.tx, settings, exchange.client, exchange.given.resources, grant.account_id)
    if grant.tenant_ids is None:
        return asked
    if asked is None or not set(asked) <= set(grant.tenant_ids):
        raise invalid_target()
    return asked


async def _new_refresh_token(exchange: Exchange, grant: Grant) -> str:
    token, now = new_secret(), exchange.now
    lifetime = exchange.provider.settings.refresh_token_lifetime
    row = {
        "hash": hash_of(token),
        "grant_id": grant.id,
        "created_at": now,
        "expires_at": min(now + lifetime, grant.expires_at),
    }
    await exchange.tx.execute(insert(REFRESH).values(row))
    return token
