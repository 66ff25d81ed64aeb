"""Consents: what a person agreed to let a client do, remembered until they take it back.

Promises: taking it back ends everything that the client holds of the person, at once. Consents only grow by the
person's own word; a client that asks for more, or for another site, asks again. Never commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.provider.clients import CLIENT
from auth.provider.grants import GRANT, end_grants
from auth.provider.scopes import EVERYWHERE, SCOPES, TENANT
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


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a person agreed to let a client do, as they are shown it; `site_names` is None for all sites."""

    id: UUID
    client_id: UUID
    name: str
    home_uri: str | None
    scopes: tuple[str, ...]
    site_names: tuple[str, ...] | None
    since: datetime


async def list_consents(tx: AsyncConnection, account_id: UUID) -> list[Agreed]:
    """All that a person agreed to, the latest first."""
    source = CONSENT.join(CLIENT, CLIENT.c.id == CONSENT.c.client_id)
    columns = (*CONSENT.c, CLIENT.c.name, CLIENT.c.home_uri)
    found = select(*columns).select_from(source).where(CONSENT.c.account_id == account_id)
    rows = (await tx.execute(found.order_by(CONSENT.c.created_at.desc(), CONSENT.c.id))).all()
    places = {each.partition("@")[2] for row in rows for each in row.permissions} - {"", EVERYWHERE}
    named = await tx.execute(select(TENANT.c.id, TENANT.c.name).where(TENANT.c.id.in_([UUID(each) for each in places])))
    names = {str(row.id): row.name for row in named}
    return [_agreed(row, names) for row in rows]


def _agreed(row: Any, names: Mapping[str, str]) -> Agreed:
    parts = [each.partition("@") for each in row.permissions]
    words = {word for word, _, _ in parts}
    places = {place for _, _, place in parts if place}
    known = None if EVERYWHERE in places else tuple(sorted(names[each] for each in places if each in names))
    scopes = tuple(each for each in SCOPES if each in words)
    return Agreed(row.id, row.client_id, row.name, row.home_uri, scopes, known, row.created_at)
