"""Registering and managing clients, and taking back what one agreed to.

Promises: a site's client is its admins', the platform's is the operators'; to all others neither is there. A secret is
told once, in the payload. What is taken away works at once, everywhere. Each of it is a row in the audit.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select

from auth.policy import Role
from auth.provider.clients import Authentication, Client, GrantType
from auth.provider.clients import SubjectType as Subject
from auth.provider.consents import CONSENT, delete_consent
from auth.provider.registration import (
    MOST_CLIENTS,
    SECRET_KEPT,
    BadClient,
    ClientDescription,
    count_clients,
    create_client,
    load_client_for_change,
    rotate_secret,
)
from auth.provider.registration import delete_client as remove_client
from auth.provider.registration import update_client as change_client
from auth.provider.signing_keys import PUBLISHED_AHEAD, rotate_keys
from auth.viewer import Viewer
from schema.errors import ErrorCode, PleinError, bad_input, not_found
from schema.inputs.client import (
    DeleteClientInput,
    RegisterClientInput,
    RevokeConsentInput,
    RotateClientSecretInput,
    RotateSigningKeysInput,
    UpdateClientInput,
)
from schema.relay import PLATFORM_ID, NodeId, encode_id
from schema.services.standing import forbidden, load_standing
from schema.services.texts import given, line, require_account
from schema.work import Done, Work

NAME_MAX = 200
T = TypeVar("T")
WORDS = {"STATISTICS_READ": "statistics:read", "PLATFORM_ADMIN": "platform:admin"}


async def register_client(work: Work, viewer: Viewer, asked: RegisterClientInput) -> Done:
    """Registers a client: a site's for its admins, the platform's for operators."""
    me = require_account(viewer, asked)
    site = given(asked.site)
    tenant_id = None if site is None else await _require_admin(work, viewer, site, "input.site")
    if tenant_id is None and not viewer.is_operator:
        raise forbidden("Only operators can register a client of the platform; name the site that it is to be of.")
    description = ClientDescription(
        name=line(asked.name, "input.name", NAME_MAX) or "",
        tenant_id=tenant_id,
        authentication=Authentication(asked.authentication.name),
        grant_types=_grant_types(asked.grant_types),
        scopes=_scopes(asked.scopes),
        redirect_uris=tuple(given(asked.redirect_uris) or ()),
        logout_redirect_uris=tuple(given(asked.logout_redirect_uris) or ()),
        logout_uri=given(asked.logout_uri) or None,
        origins=tuple(given(asked.origins) or ()),
        subject_type=Subject(_name(given(asked.subject_type)) or Subject.PAIRWISE),
        id_token_algorithm=_name(given(asked.id_token_algorithm)) or "RS256",
        home_uri=given(asked.home_uri) or None,
        policy_uri=given(asked.policy_uri) or None,
        jwks=given(asked.jwks),
        is_trusted=_trusted(viewer, given(asked.is_trusted), before=False),
    )
    if await count_clients(work.tx, tenant_id) >= MOST_CLIENTS:
        raise PleinError(ErrorCode.LIMIT_EXCEEDED, f"At most {MOST_CLIENTS} clients; remove one first.")
    client, secret = await _in_order(create_client(work.tx, description, me, datetime.now(UTC)))
    node = NodeId("L", PLATFORM_ID, client.id)
    await _audit(work, viewer, client, "client.registered", name=client.name, scopes=sorted(client.scopes))
    return Done(None, {"client": node, "secret": secret})


async def update_client(work: Work, viewer: Viewer, asked: UpdateClientInput) -> Done:
    """Changes what a client is and may do."""
    me = require_account(viewer, asked)
    client, version = await _require_client(work, viewer, asked.id)
    if version != asked.version:
        message = (
            f"It has changed since: its version is {version} now, not {asked.version}. Read it again, then decide."
        )
        raise PleinError(ErrorCode.CONFLICT, message, field="input.version")
    old, jwks = _described(client), given(asked.jwks)
    grant_types, scopes = given(asked.grant_types), given(asked.scopes)
    new = replace(
        old,
        name=line(asked.name, "input.name", NAME_MAX) or old.name,
        grant_types=old.grant_types if grant_types is None else _grant_types(grant_types),
        scopes=old.scopes if scopes is None else _scopes(scopes),
        redirect_uris=_list(given(asked.redirect_uris), old.redirect_uris),
        logout_redirect_uris=_list(given(asked.logout_redirect_uris), old.logout_redirect_uris),
        logout_uri=_uri(given(asked.logout_uri), old.logout_uri),
        origins=_list(given(asked.origins), old.origins),
        id_token_algorithm=_name(given(asked.id_token_algorithm)) or old.id_token_algorithm,
        home_uri=_uri(given(asked.home_uri), old.home_uri),
        policy_uri=_uri(given(asked.policy_uri), old.policy_uri),
        jwks=old.jwks if jwks is None else jwks,
        is_trusted=_trusted(viewer, given(asked.is_trusted), before=old.is_trusted),
    )
    if new != old:
        await _in_order(change_client(work.tx, client, new, me, datetime.now(UTC)))
        work.has_revoked = True
        changed = sorted(name for name in ClientDescription.__slots__ if getattr(new, name) != getattr(old, name))
        await _audit(work, viewer, client, "client.changed", changed=changed)
    return Done(None, {"client": NodeId("L", PLATFORM_ID, client.id)})


async def rotate_client_secret(work: Work, viewer: Viewer, asked: RotateClientSecretInput) -> Done:
    """Gives a client a new secret."""
    me = require_account(viewer, asked)
    client, _ = await _require_client(work, viewer, asked.id)
    kept = timedelta() if given(asked.at_once) else SECRET_KEPT
    secret = await _in_order(rotate_secret(work.tx, client, me, datetime.now(UTC), kept))
    work.has_revoked = True
    await _audit(work, viewer, client, "client.rotated", at_once=bool(given(asked.at_once)))
    return Done(None, {"client": NodeId("L", PLATFORM_ID, client.id), "secret": secret})


async def delete_client(work: Work, viewer: Viewer, asked: DeleteClientInput) -> Done:
    """Removes a client with all that it was granted."""
    require_account(viewer, asked)
    client, _ = await _require_client(work, viewer, asked.id)
    await remove_client(work.tx, client.id)
    work.has_revoked = True
    await _audit(work, viewer, client, "client.deleted", name=client.name)
    return Done(None, {"deletedId": asked.id})


async def revoke_consent(work: Work, viewer: Viewer, asked: RevokeConsentInput) -> Done:
    """Takes back what the viewer agreed to, and ends what came of it."""
    me = require_account(viewer, asked)
    key = work.key_on_platform(asked.id, "E", "input.id")
    mine = select(CONSENT.c.client_id).where(CONSENT.c.id == key, CONSENT.c.account_id == me)
    client_id = await work.tx.scalar(mine)
    if client_id is None:
        raise not_found("input.id")
    await delete_consent(work.tx, me, client_id, datetime.now(UTC))
    work.has_revoked = True
    await work.audit(viewer, "consent.revoked", encode_id(NodeId("L", PLATFORM_ID, client_id)))
    return Done(None, {"deletedId": asked.id})


async def rotate_signing_keys(work: Work, viewer: Viewer, asked: RotateSigningKeysInput) -> Done:
    """Renews the keys that sign tokens, for operators."""
    require_account(viewer, asked)
    if not viewer.is_operator:
        raise forbidden("Only operators can renew the keys of the square.")
    settings, now, at_once = work.about.provider, datetime.now(UTC), bool(given(asked.at_once))
    assert settings is not None
    await rotate_keys(work.tx, settings, now, at_once=at_once)
    work.has_revoked = at_once
    await work.audit(viewer, "keys.rotated", settings.issuer, at_once=at_once)
    return Done(None, {"signsFrom": (now if at_once else now + PUBLISHED_AHEAD).isoformat()})


async def _require_admin(work: Work, viewer: Viewer, site: str, field: str) -> UUID:
    """The site's key, if it answers and the viewer is an admin of it or an operator. The platform's owner goes on."""
    assert viewer.account_id is not None
    site_id = await work.enter_site_of(site, "S", field)
    standing = await load_standing(work, viewer.account_id, field, knows_all=viewer.is_operator)
    if not viewer.is_operator:
        standing.require_role(Role.ADMIN, "manage its clients")
    standing.require_answering()
    await work.leave()
    return site_id


async def _require_client(work: Work, viewer: Viewer, text: str) -> tuple[Client, int]:
    """The client and its version, locked, if the viewer may manage it; to others it is not there."""
    found = await load_client_for_change(work.tx, work.key_on_platform(text, "L", "input.id"))
    if found is None:
        raise not_found("input.id")
    if found[0].tenant_id is None:
        if not viewer.is_operator:
            raise not_found("input.id")
        return found
    try:
        await _require_admin(work, viewer, encode_id(NodeId("S", PLATFORM_ID, found[0].tenant_id)), "input.id")
    except PleinError as error:
        if error.code is ErrorCode.FORBIDDEN:
            raise not_found("input.id") from error
        raise
    return found


async def _audit(work: Work, viewer: Viewer, client: Client, action: str, /, **details: object) -> None:
    subject = encode_id(NodeId("L", PLATFORM_ID, client.id))
    if client.tenant_id is None:
        await work.audit(viewer, action, subject, **details)
    else:
        await work.audit_of_site(viewer, client.tenant_id, action, subject, **details)


async def _in_order(writing: Awaitable[T]) -> T:
    """What was written; a fault in what was given is told with its field."""
    try:
        return await writing
    except BadClient as error:
        raise bad_input(f"input.{error.field}", error.message) from error


def _grant_types(asked: Sequence[Enum]) -> frozenset[GrantType]:
    return frozenset(GrantType(each.name) for each in asked)


def _scopes(asked: Sequence[Enum]) -> frozenset[str]:
    return frozenset(WORDS.get(each.name, each.name.lower()) for each in asked)


def _name(value: Enum | None) -> str | None:
    return None if value is None else value.name


def _list(asked: Sequence[str] | None, old: tuple[str, ...]) -> tuple[str, ...]:
    return old if asked is None else tuple(asked)


def _uri(asked: str | None, old: str | None) -> str | None:
    """An empty text takes an address away."""
    return old if asked is None else asked or None


def _trusted(viewer: Viewer, asked: bool | None, *, before: bool) -> bool:
    if asked is None or asked == before:
        return before
    if not viewer.is_operator:
        message = "Only operators can let people be signed in without being asked."
        raise PleinError(ErrorCode.FORBIDDEN, message, field="input.isTrusted")
    return asked


def _described(client: Client) -> ClientDescription:
    """A client as it is."""
    return ClientDescription(
        name=client.name,
        tenant_id=client.tenant_id,
        authentication=client.authentication,
        grant_types=frozenset(GrantType(each) for each in client.grant_types),
        scopes=client.scopes,
        redirect_uris=client.redirect_uris,
        logout_redirect_uris=client.logout_redirect_uris,
        logout_uri=client.logout_uri,
        origins=client.origins,
        subject_type=client.subject_type,
        id_token_algorithm=client.id_token_algorithm,
        home_uri=client.home_uri,
        policy_uri=client.policy_uri,
        jwks=None if client.jwks is None else json.dumps(client.jwks),
        is_trusted=client.is_trusted,
    )
