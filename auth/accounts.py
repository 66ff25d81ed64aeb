"""Accounts of the platform and the identities that issuers vouch for; SQL on the platform's tables only.

Promises: every function takes the open transaction first and never commits it. An e-mail address and an identity belong
to one account; which of two at once comes too late is told as such.
Never reads a site's own tables, and never decides what an account may see.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, exists, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.errors import AccountExists, IdentityTaken
from auth.viewer import PlatformRole, Viewer
from tenants import platform_tables
from tenants.ids import uuid7
from tenants.tables import table_of

ACCOUNT = table_of(platform_tables.Account)
IDENTITY = table_of(platform_tables.Identity)
MEMBERSHIP = table_of(platform_tables.Membership)

Connection = AsyncConnection
"""An open transaction, for those above who pass it on and never write SQL themselves."""

Transaction = Callable[[], AbstractAsyncContextManager[Connection]]
"""Opens a transaction on the platform's tables; it is committed when the block ends well."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person, on all sites."""

    id: UUID
    name: str
    email: str
    role: PlatformRole
    created_at: datetime
    suspended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountOverview:
    """An account, on how many sites it is, and the best role it has on one of them (a rank, None where on none)."""

    account: Account
    site_count: int
    site_role: int | None


async def create_account(
    tx: AsyncConnection,
    name: str,
    email: str,
    *,
    role: PlatformRole = PlatformRole.NONE,
    account_id: UUID | None = None,
) -> Account:
    """Write an account. Raises `AccountExists` where the address is taken, in whatever case it is written."""
    account = Account(account_id or uuid7(), name, email.strip(), role, datetime.now(UTC))
    # ON CONFLICT, so that a taken address leaves the caller's transaction whole.
    statement = (
        insert(ACCOUNT)
        .values(id=account.id, name=name, email=account.email, role=int(role), created_at=account.created_at)
        .on_conflict_do_nothing(index_elements=[func.lower(ACCOUNT.c.email)])
        .returning(ACCOUNT.c.id)
    )
    if (await tx.execute(statement)).first() is None:
        raise AccountExists
    return account


async def link_identity(tx: AsyncConnection, account_id: UUID, issuer: str, subject: str) -> None:
    """Let this issuer's subject be this account; again is no fault. Raises `IdentityTaken` where it is another's."""
    statement = (
        insert(IDENTITY)
        .values(id=uuid7(), issuer=issuer, subject=subject, account_id=account_id, created_at=datetime.now(UTC))
        .on_conflict_do_nothing(index_elements=[IDENTITY.c.issuer, IDENTITY.c.subject])
    )
    await tx.execute(statement)
    holder = await tx.scalar(select(IDENTITY.c.account_id).where(*_is_identity(issuer, subject)))
    if holder != account_id:
        raise IdentityTaken


async def load_account(tx: AsyncConnection, account_id: UUID) -> Account | None:
    """Return the account with this id, or None."""
    return _account((await tx.execute(_accounts().where(ACCOUNT.c.id == account_id))).first())


async def load_account_by_email(tx: AsyncConnection, email: str) -> Account | None:
    """Return the account with this address, in whatever case it is written, or None."""
    same = func.lower(ACCOUNT.c.email) == email.strip().lower()
    return _account((await tx.execute(_accounts().where(same))).first())


async def load_viewer(tx: AsyncConnection, issuer: str, subject: str) -> Viewer | None:
    """Return who this issuer's subject is, as a viewer, or None: no such identity, or a suspended account."""
    row = (await tx.execute(viewer_by_identity(issuer, subject))).first()
    return None if row is None else Viewer(row.id, PlatformRole(row.role))


def viewer_by_identity(issuer: str, subject: str) -> Select[Any]:
    """Return the statement that finds id and role of the account with this identity, if it is not suspended."""
    source = IDENTITY.join(ACCOUNT, ACCOUNT.c.id == IDENTITY.c.account_id)
    is_live = ACCOUNT.c.suspended_at.is_(None)
    return select(ACCOUNT.c.id, ACCOUNT.c.role).select_from(source).where(*_is_identity(issuer, subject), is_live)


async def load_cast(tx: AsyncConnection, issuer: str, *, per_part: int = 2) -> list[AccountOverview]:
    """Return a few accounts for each part one can play: of each platform role and of each best role on a site.

    The parts with most say come first, and within a part those whom the issuer knows, then those on most sites. It
    reads every membership there is, which is well for a development sign-in and for nothing else.
    """
    standing = (
        select(MEMBERSHIP.c.account_id, func.count().label("sites"), func.max(MEMBERSHIP.c.role).label("site_role"))
        .group_by(MEMBERSHIP.c.account_id)
        .subquery()
    )
    site_role = func.coalesce(standing.c.site_role, -1)
    sites = func.coalesce(standing.c.sites, 0)
    # One number per part: a platform role outweighs every role on a site.
    part = case((ACCOUNT.c.role > 0, literal(1000) + ACCOUNT.c.role), else_=site_role).label("part")
    known = exists().where(IDENTITY.c.account_id == ACCOUNT.c.id, IDENTITY.c.issuer == issuer)
    order = (known.desc(), sites.desc(), ACCOUNT.c.name, ACCOUNT.c.id)
    place = func.row_number().over(partition_by=part, order_by=order)
    ranked = (
        select(*ACCOUNT.c, sites.label("sites"), standing.c.site_role, part, place.label("place"))
        .outerjoin_from(ACCOUNT, standing, standing.c.account_id == ACCOUNT.c.id)
        .subquery()
    )
    few = select(ranked).where(ranked.c.place <= per_part).order_by(ranked.c.part.desc(), ranked.c.place)
    rows = (await tx.execute(few)).all()
    return [AccountOverview(account, row.sites, row.site_role) for row in rows if (account := _account(row))]


def _accounts() -> Select[Any]:
    return select(*ACCOUNT.c)


def _is_identity(issuer: str, subject: str) -> tuple[ColumnElement[bool], ...]:
    return IDENTITY.c.issuer == issuer, IDENTITY.c.subject == subject


def _account(row: Any) -> Account | None:
    if row is None:
        return None
    return Account(row.id, row.name, row.email, PlatformRole(row.role), row.created_at, row.suspended_at)
