"""Consents: what a person agreed to let a client do, remembered until they take it back.

Promises: taking it back ends everything that the client holds of the person, at once. Consents only grow by the
person's own word; a client that asks for more, or for another site, asks again. Never commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.provider.grants import GRANT, end_grants
from tenants.ids import uuid7
from tenants.provider_tables import Consent
from tenants.tables import table_of

CONSENT = table_of(Consent)


async def load_permissions(tx: AsyncConnection, account_id: UUID, client_id: UUID) -> frozenset[str]:
    """What this person agreed to let this client do."""
    found = await tx.scalar(select(CONSENT.c.permissions).where(*_pair(account_id, client_id)))
    return frozenset(found or ())


async def create_consent(
    tx: AsyncConnection, account_id: UUID, client_id: UUID, permissions: Iterable[str], now: datetime
) -> None:
    """Write that the person agrees to this, besides what they agreed to before."""
    known = await load_permissions(tx, account_id, client_id)
    row = {
        "id": uuid7(),
        "account_id": account_id,
        "client_id": client_id,
        "permissions": sorted(known | frozenset(permissions)),
        "created_at": now,
        "updated_at": now,
    }
    new = insert(CONSENT).values(row)
    changed = {"permissions": new.excluded.permissions, "updated_at": now}
    index = [CONSENT.c.account_id, CONSENT.c.client_id]
    await tx.execute(new.on_conflict_do_update(index_elements=index, set_=changed))


async def delete_consent(tx: AsyncConnection, account_id: UUID, client_id: UUID, now: datetime) -> bool:
    """Take back what the person agreed to, and end what the client holds of them; whether there was anything."""
    gone = await tx.execute(delete(CONSENT).where(*_pair(account_id, client_id)).returning(CONSENT.c.id))
    theirs = and_(GRANT.c.account_id == account_id, GRANT.c.client_id == client_id, GRANT.c.is_own.is_(False))
    ended = await end_grants(tx, theirs, now)
    return gone.first() is not None or bool(ended)


def _pair(account_id: UUID, client_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return CONSENT.c.account_id == account_id, CONSENT.c.client_id == client_id
