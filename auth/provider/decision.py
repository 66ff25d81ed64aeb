"""What becomes of an authorization request: sign in first, agree first, or go back to the client with a code.

Promises: nobody is sent back with a code who is not signed in as recently and as well as the client demands, or who did
not agree to what it asks for. A person is asked to sign in again at most once for one request: a seal that only this
square can write says when they were asked. What an app on somebody's own machine asks for is confirmed every time, as
nobody knows who answers there (RFC 8252, section 8.6).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth import audit
from auth.errors import Unauthenticated
from auth.issuer import derive_key
from auth.provider.authorization import AuthorizationRequest, Returned, answer_address
from auth.provider.clients import GrantType, is_own_machine
from auth.provider.consents import create_consent, load_permissions
from auth.provider.errors import OAuthError
from auth.provider.grants import Grant, SignedIn
from auth.provider.provider import Provider
from auth.provider.scopes import covers, find_sites, permissions
from auth.provider.settings import CODE_LIFETIME, LONGEST_GRANT, ProviderSettings
from auth.provider.token_requests import create_code
from auth.provider.tokens import ID_TYPE, read_token
from tenants.ids import uuid7

SEAL_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class MustSignIn:
    """Somebody has to sign in first.

    `again`: they are signed in, but not as the client demands; `as_other`: somebody else may be meant; `acr` is how
    well, where that is demanded.
    """

    again: bool = False
    as_other: bool = False
    acr: str | None = None


@dataclass(frozen=True, slots=True)
class MustAgree:
    """The person has to agree first, to these scopes on these sites (None: all)."""

    scopes: frozenset[str]
    tenant_ids: tuple[UUID, ...] | None


@dataclass(frozen=True, slots=True)
class Sent:
    """The person goes back to the client, with a code."""

    address: str


Decision = MustSignIn | MustAgree | Sent


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who is signed in here, whether they just agreed, and when they were asked to sign in again for this request.

    `hint` is what `load_hint` found, `client` where the request comes from.
    """

    signed_in: SignedIn | None
    hint: Mapping[str, Any] | None = None
    asked_again_at: datetime | None = None
    agreed: bool = False
    client: audit.Client = field(default_factory=audit.Client)


async def decide(
    tx: AsyncConnection, provider: Provider, request: AuthorizationRequest, here: Circumstances
) -> Decision:
    """What is to happen now. Raises `Returned` where the client is to be told that it cannot be."""
    try:
        return await _decide(tx, provider, request, here)
    except OAuthError as error:
        raise Returned(error, request.redirect_uri, request.state) from None


def refusal(request: AuthorizationRequest) -> Returned:
    """The person said no."""
    error = OAuthError("access_denied", "The person did not agree.")
    return Returned(error, request.redirect_uri, request.state)


async def _decide(
    tx: AsyncConnection, provider: Provider, request: AuthorizationRequest, here: Circumstances
) -> Decision:
    now, client, silent = provider.clock(), request.client, "none" in request.prompts
    signed_in = here.signed_in
    missing = MustSignIn() if signed_in is None else _missing(request, here, signed_in, now)
    if signed_in is None or missing is not None:
        if silent:
            raise OAuthError("login_required", "The person has to sign in.")
        return missing or MustSignIn()
    sites = await find_sites(tx, provider.settings, client, request.resources, signed_in.account_id)
    wanted = permissions(request.scopes, sites)
    agreed = await load_permissions(tx, signed_in.account_id, client.id)
    if not here.agreed and _must_agree(request, covers(agreed, wanted)):
        if silent:
            raise OAuthError("consent_required", "The person has to agree.")
        return MustAgree(request.scopes, sites)
    if not wanted <= agreed:
        await create_consent(tx, signed_in.account_id, client.id, wanted, now)
        about = {"agreed": sorted(wanted), "name": client.name}
        subject = f"client:{client.id}"
        await audit.record(tx, audit.Act("consent.given", signed_in.account_id, None, subject, about, here.client))
    grant = Grant(
        id=uuid7(),
        client_id=client.id,
        account_id=signed_in.account_id,
        is_own=False,
        scopes=request.scopes,
        tenant_ids=sites,
        expires_at=now + _longest(provider, request),
        session_id=signed_in.session_id,
        sid=client.sid_of(signed_in.session_id),
        asked_claims=request.claims.text(),
        nonce=request.nonce,
        signed_in_at=signed_in.signed_in_at,
        acr=signed_in.acr,
        amr=signed_in.amr,
        issuer=signed_in.issuer,
    )
    code = await create_code(tx, grant, redirect_uri=request.redirect_uri, challenge=request.challenge, now=now)
    return Sent(answer_address(provider.settings, request.redirect_uri, request.state, {"code": code}))


def _longest(provider: Provider, request: AuthorizationRequest) -> timedelta:
    """How long what comes of this can last at the most: without refresh tokens, as long as one access token."""
    if request.client.may(GrantType.REFRESH_TOKEN):
        return LONGEST_GRANT
    return CODE_LIFETIME + provider.settings.access_token_lifetime


def _must_agree(request: AuthorizationRequest, remembered: bool) -> bool:
    if "consent" in request.prompts or is_own_machine(request.redirect_uri):
        return True
    return not (remembered or request.client.is_trusted)


def _missing(
    request: AuthorizationRequest, here: Circumstances, signed_in: SignedIn, now: datetime
) -> MustSignIn | None:
    """What is missing in how they are signed in, or None. Raises where asking once more did not help."""
    was_asked = here.asked_again_at is not None and signed_in.signed_in_at >= here.asked_again_at
    demanded = request.claims.essential_acr
    acr = demanded[0] if demanded else next(iter(request.acr_values), None)
    if not _is_hinted(request, here.hint, signed_in):
        if was_asked:
            raise OAuthError("login_required", "Somebody else is signed in than id_token_hint says.")
        return MustSignIn(again=True, as_other=True)
    if demanded and signed_in.acr not in demanded:
        if was_asked:
            raise OAuthError("unmet_authentication_requirements", "The person did not sign in as demanded by acr.")
        return MustSignIn(again=True, acr=acr)
    if was_asked:
        return None
    age = now - signed_in.signed_in_at
    is_old = request.max_age is not None and age > timedelta(seconds=request.max_age)
    if "select_account" in request.prompts:
        return MustSignIn(again=True, as_other=True)
    return MustSignIn(again=True, acr=acr) if "login" in request.prompts or is_old else None


def _is_hinted(request: AuthorizationRequest, hint: Mapping[str, Any] | None, signed_in: SignedIn) -> bool:
    """Whether this is the person that `id_token_hint` means, where there is one."""
    if request.id_token_hint is None:
        return True
    if hint is None or hint["aud"] != str(request.client.id):
        raise OAuthError("invalid_request", "id_token_hint is not an ID token that this client got here.")
    return hmac.compare_digest(str(hint["sub"]), request.client.subject_of(signed_in.account_id))


async def load_hint(provider: Provider, id_token: str | None) -> Mapping[str, Any] | None:
    """What an ID token of ours says, however old; None where it is none. Before a transaction: keys may be read."""
    if id_token is None:
        return None
    try:
        return await read_token(provider.keys, provider.settings, id_token, ID_TYPE, provider.clock(), in_time=False)
    except Unauthenticated:
        return None


def seal(settings: ProviderSettings, query: str, now: datetime) -> str:
    """What goes along with a request while the person signs in again: when they were asked to, for this request."""
    moment = str(int(now.timestamp() * 1000))
    return f"{moment}.{_mark(settings, moment, query)}"


def unseal(settings: ProviderSettings, sealed: str | None, query: str, now: datetime) -> datetime | None:
    """When the person was asked to sign in again for this request; None where that is not so."""
    moment, _, mark = (sealed or "").partition(".")
    if not hmac.compare_digest(mark.encode(), _mark(settings, moment, query).encode()):
        return None
    asked_at = datetime.fromtimestamp(int(moment) / 1000, UTC)
    return asked_at if now - asked_at < SEAL_LIFETIME else None


def _mark(settings: ProviderSettings, moment: str, query: str) -> str:
    key = derive_key(settings.secret, "asked-to-sign-in-again")
    return hmac.digest(key, f"{moment}\n{query}".encode(), sha256).hex()
