"""Grants: what a person, or a client for itself, may do at the moment because somebody once said yes.

Promises: every code and token hangs on a grant; ending it ends them all, at once and in every process. A grant lives as
long as the session it came from; one with `offline_access` outlives it, for a year at the most. Never commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.accounts import ACCOUNT
from auth.provider.scopes import OFFLINE
from auth.revocations import revoke_credentials
from auth.session_limits import SessionLimits
from tenants.provider_tables import ClientGrant
from tenants.pruning import remove_some
from tenants.session_tables import Session
from tenants.tables import table_of

GRANT, SESSION = table_of(ClientGrant), table_of(Session)
PRUNED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, in which session, since when, how well, and who vouched for them."""

    session_id: UUID
    account_id: UUID
    signed_in_at: datetime
    acr: str | None = None
    amr: tuple[str, ...] = ()
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant that is good now. `tenant_ids` is None for all sites; `is_own`: the client signed in as itself."""

    id: UUID
    client_id: UUID
    account_id: UUID
    is_own: bool
    scopes: frozenset[str]
    tenant_ids: tuple[UUID, ...] | None
    expires_at: datetime
    session_id: UUID | None = None
    sid: str | None = None
    asked_claims: str | None = None
    nonce: str | None = None
    signed_in_at: datetime | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    issuer: str | None = None

    @property
    def outlives_session(self) -> bool:
        """Whether the person need not stay signed in here for it."""
        return self.is_own or OFFLINE in self.scopes


async def create_grant(tx: AsyncConnection, grant: Grant, now: datetime) -> None:
    """Write a grant."""
    row = {
        "id": grant.id,
        "client_id": grant.client_id,
        "account_id": grant.account_id,
        "session_id": grant.session_id,
        "sid": grant.sid,
        "is_own": grant.is_own,
        "scopes": sorted(grant.scopes),
        "tenant_ids": None if grant.tenant_ids is None else list(grant.tenant_ids),
        "asked_claims": grant.asked_claims,
        "nonce": grant.nonce,
        "signed_in_at": grant.signed_in_at,
        "acr": grant.acr,
        "amr": list(grant.amr),
        "signed_in_issuer": grant.issuer,
        "created_at": now,
        "expires_at": grant.expires_at,
    }
    await tx.execute(insert(GRANT).values(row))


async def load_grant(
    tx: AsyncConnection, grant_id: UUID, now: datetime, limits: SessionLimits, *, client_id: UUID | None = None
) -> Grant | None:
    """The grant with this id if it is good now, or None; also where a client is named that it is not of."""
    row = (await tx.execute(select(GRANT).where(GRANT.c.id == grant_id, is_living(now, limits)))).first()
    if row is None or (client_id is not None and row.client_id != client_id):
        return None
    return grant_from(row)


def is_living(now: datetime, limits: SessionLimits) -> ColumnElement[bool]:
    """Whether a grant's row is good now: not over, its account not suspended, and its session good if it needs one."""
    needs_none = or_(GRANT.c.is_own, GRANT.c.scopes.contains([OFFLINE]))
    account = select(ACCOUNT.c.id).where(ACCOUNT.c.id == GRANT.c.account_id, ACCOUNT.c.suspended_at.is_(None))
    session = select(SESSION.c.id).where(
        SESSION.c.id == GRANT.c.session_id,
        SESSION.c.last_seen_at > now - limits.idle,
        SESSION.c.renewed_at > now - limits.absolute,
    )
    return and_(
        GRANT.c.ended_at.is_(None),
        GRANT.c.expires_at > now,
        or_(needs_none, exists(session.correlate(GRANT))),
        exists(account.correlate(GRANT)),
    )


async def end_grants(tx: AsyncConnection, which: ColumnElement[bool], now: datetime) -> list[UUID]:
    """End the grants for which this holds; gives the ids of those that were not ended before."""
    ended = await tx.scalars(
        update(GRANT).where(which, GRANT.c.ended_at.is_(None)).values(ended_at=now).returning(GRANT.c.id)
    )
    ids = list(ended)
    await revoke_credentials(tx, ids)
    return ids


async def end_grant(tx: AsyncConnection, grant_id: UUID, now: datetime) -> None:
    """End one grant and all that hangs on it."""
    await end_grants(tx, GRANT.c.id == grant_id, now)


async def prune_grants(tx: AsyncConnection, before: datetime) -> int:
    """Remove grants that were over before then, a part at a time; how many. Their codes and tokens go along.

    As long as the session is there, its grants stay: they say which clients are told when it ends.
    """
    over = and_(GRANT.c.session_id.is_(None), or_(GRANT.c.expires_at < before, GRANT.c.ended_at < before))
    return await remove_some(tx, GRANT, over, PRUNED_AT_ONCE)


def grant_from(row: Any) -> Grant:
    """The grant in a row of its table."""
    return Grant(
        id=row.id,
        client_id=row.client_id,
        account_id=row.account_id,
        is_own=row.is_own,
        scopes=frozenset(row.scopes),
        tenant_ids=None if row.tenant_ids is None else tuple(row.tenant_ids),
        expires_at=row.expires_at,
        session_id=row.session_id,
        sid=row.sid,
        asked_claims=row.asked_claims,
        nonce=row.nonce,
        signed_in_at=row.signed_in_at,
        acr=row.acr,
        amr=tuple(row.amr),
        issuer=row.signed_in_issuer,
    )
