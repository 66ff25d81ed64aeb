"""Making and revoking keys for machines.

Promises: a key is for no more than whoever makes it may let it do; the key itself is told once, in the payload, and
stands nowhere else. Revoking what is revoked succeeds and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from auth.accounts import MEMBERSHIP
from auth.api_keys import KEY_SCOPES, NewKey, count_keys, create_key, revoke_key
from auth.revocations import revoke_credential
from auth.scopes import Scope, with_included
from auth.viewer import PlatformRole, Viewer
from schema.errors import ErrorCode, PleinError, bad_input, not_found
from schema.inputs.api_key import CreateApiKeyInput, RevokeApiKeyInput
from schema.relay import PLATFORM_ID, NodeId, decode_id, encode_id
from schema.scope import stored
from schema.services.texts import given, line, require_account
from schema.work import Done, Work

NAME_MAX = 100
SITES_MAX = 100


async def create_api_key(work: Work, viewer: Viewer, asked: CreateApiKeyInput) -> Done:
    """Makes a key for the viewer's account; the only time that it is told."""
    me = require_account(viewer, asked)
    name = line(asked.name, "input.name", NAME_MAX)
    assert name is not None
    scopes = _scopes(viewer, stored(asked.scopes))
    expires_at = _end(work, given(asked.expires_at))
    tenant_ids = await _sites(work, me, given(asked.sites))
    if await count_keys(work.tx, me) >= work.keys.keys_most:
        message = f"You have {work.keys.keys_most} keys that are good; revoke one first."
        raise PleinError(ErrorCode.LIMIT_EXCEEDED, message)
    key_id, text = await create_key(work.tx, NewKey(me, name, scopes, tenant_ids, expires_at))
    node = NodeId("Y", PLATFORM_ID, key_id)
    sites = None if tenant_ids is None else [encode_id(NodeId("S", PLATFORM_ID, each)) for each in tenant_ids]
    about = {"name": name, "scopes": sorted(scopes), "sites": sites, "expiresAt": expires_at.isoformat()}
    await work.audit(viewer, "api_key.created", encode_id(node), **about)
    return Done(None, {"apiKey": node, "secret": text})


async def revoke_api_key(work: Work, viewer: Viewer, asked: RevokeApiKeyInput) -> Done:
    """Lets one of the viewer's keys let nobody in any more, at once and everywhere."""
    me = require_account(viewer, asked)
    key_id = work.key_on_platform(asked.id, "Y", "input.id")
    was_good = await revoke_key(work.tx, me, key_id)
    if was_good is None:
        raise not_found("input.id")
    if was_good:
        await revoke_credential(work.tx, key_id)
        work.has_revoked = True
        await work.audit(viewer, "api_key.revoked", asked.id)
    return Done(None, {"apiKey": NodeId("Y", PLATFORM_ID, key_id)})


def _scopes(viewer: Viewer, scopes: frozenset[str]) -> frozenset[str]:
    """The scopes, if a key can have them and the viewer can give them."""
    if not scopes:
        raise bad_input("input.scopes", "Say what the key is for: at least one scope.")
    if not scopes <= KEY_SCOPES:
        raise bad_input("input.scopes", "No key can manage the account itself.")
    least = PlatformRole.NONE
    if Scope.STATISTICS in scopes:
        least = PlatformRole.ANALYST
    if Scope.PLATFORM in scopes:
        least = PlatformRole.OPERATOR
    if viewer.platform_role < least:
        message = f"Only {least.name.lower()}s of the square can make a key for that."
        raise PleinError(ErrorCode.FORBIDDEN, message, field="input.scopes")
    if viewer.scopes is not None and not with_included(scopes) <= viewer.scopes:
        message = "What you came by is not for all of that, so it cannot make a key that is."
        raise PleinError(ErrorCode.FORBIDDEN, message, field="input.scopes")
    return scopes


def _end(work: Work, expires_at: datetime | None) -> datetime:
    now = datetime.now(UTC)
    if expires_at is None:
        return now + timedelta(days=min(work.keys.days, work.keys.days_most))
    if expires_at.tzinfo is None:
        raise bad_input("input.expiresAt", "Say the time zone, as in 2030-01-31T10:00:00Z.")
    if not now < expires_at <= now + timedelta(days=work.keys.days_most):
        raise bad_input("input.expiresAt", f"A moment in the next {work.keys.days_most} days.")
    return expires_at


async def _sites(work: Work, me: UUID, asked: Sequence[str] | None) -> tuple[UUID, ...] | None:
    """The sites, if the account is a member of each; None where none were named."""
    if asked is None:
        return None
    if not 1 <= len(asked) <= SITES_MAX:
        raise bad_input("input.sites", f"1 to {SITES_MAX} sites.")
    nodes = [decode_id(text) for text in asked]
    keys = [node.key for node in nodes if node and node.tag == "S" and node.tenant_id == PLATFORM_ID]
    on = select(MEMBERSHIP.c.tenant_id).where(MEMBERSHIP.c.account_id == me, MEMBERSHIP.c.tenant_id.in_(keys))
    found = set((await work.tx.execute(on)).scalars())
    if len(keys) < len(nodes) or not found.issuperset(keys):
        raise not_found("input.sites")
    return tuple(sorted(found))
