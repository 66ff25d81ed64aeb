"""Suspending a site and letting it answer again.

Promises: doing what is done already changes nothing; what an operator closed is not opened by an owner, also where the
owner closed it first; who did it stands with the site until it answers again. Who follows the site is told. Never
decides who may act as what.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tenants.outbox import NewEvent, append_on_platform
from tenants.platform_tables import Tenant
from tenants.tables import table_of

TENANT = table_of(Tenant)
ACTIVE, SUSPENDED = "ACTIVE", "SUSPENDED"


class Authority(StrEnum):
    """By what right a site is suspended."""

    OWNER = "OWNER"
    OPERATOR = "OPERATOR"


@dataclass(frozen=True, slots=True)
class Suspender:
    """Who suspends or resumes, by what right; `account_id` is None for the command line."""

    authority: Authority
    account_id: UUID | None = None


COMMAND_LINE = Suspender(Authority.OPERATOR)
"""Whoever runs the machine is an operator."""


async def suspend(tx: AsyncConnection, tenant_id: UUID, who: Suspender) -> bool:
    """Let the site answer no more. False where there is no such site or that changes nothing.

    A site that its owner suspended is an operator's from when one suspends it too.
    """
    can = TENANT.c.state != SUSPENDED
    if who.authority is Authority.OPERATOR:
        can = or_(can, TENANT.c.suspended_by == Authority.OWNER)
    by = {"suspended_by": who.authority.value, "suspender_id": who.account_id}
    return await _change(tx, tenant_id, can, SUSPENDED, {**by, "suspended_at": datetime.now(UTC)})


async def resume(tx: AsyncConnection, tenant_id: UUID, who: Suspender) -> bool:
    """Let a suspended site answer again. False where there is no such site, it was not suspended, or not by them."""
    can = TENANT.c.state == SUSPENDED
    if who.authority is Authority.OWNER:
        can = and_(can, TENANT.c.suspended_by == Authority.OWNER)
    gone = dict.fromkeys(("suspended_by", "suspender_id", "suspended_at"))
    return await _change(tx, tenant_id, can, ACTIVE, gone)


async def is_suspended(tx: AsyncConnection, tenant_id: UUID) -> bool:
    """Whether the site is suspended."""
    return await tx.scalar(select(TENANT.c.state).where(TENANT.c.id == tenant_id)) == SUSPENDED


async def _change(
    tx: AsyncConnection, tenant_id: UUID, can: ColumnElement[bool], state: str, values: dict[str, Any]
) -> bool:
    """Write the state and a new version, and tell who follows the site; whether it changed."""
    more = {"state": state, "version": TENANT.c.version + 1, "updated_at": datetime.now(UTC)}
    statement = update(TENANT).where(TENANT.c.id == tenant_id, can).values(**values, **more)
    if not (await tx.execute(statement)).rowcount:
        return False
    await append_on_platform(tx, tenant_id, NewEvent("SITE", "UPDATED", tenant_id, kind=state))
    return True
