"""Links that are sent by mail: each good once, for one purpose, until it expires.

Promises: a token has 256 random bits and stands in the database as a hash only. Looking at a link uses nothing up, as
programs look at mails before people do; taking it does, and of two who take it at once one gets it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.viewer import PlatformRole
from tenants import local_tables
from tenants.pruning import remove_some
from tenants.tables import table_of

LINK = table_of(local_tables.Link)
TOKEN_BYTES = 32
REMOVED_AT_ONCE = 10_000


class Purpose(StrEnum):
    """What a link is for."""

    REGISTER = "REGISTER"
    INVITE = "INVITE"
    RESET = "RESET"


LIFETIMES = {
    Purpose.REGISTER: timedelta(hours=24),
    Purpose.INVITE: timedelta(days=14),
    Purpose.RESET: timedelta(hours=1),
}


@dataclass(frozen=True, slots=True)
class Link:
    """Whom a link was sent to; `account_id` is None where there is no account yet, which gets this name and role."""

    purpose: Purpose
    email: str
    account_id: UUID | None = None
    name: str = ""
    role: PlatformRole = PlatformRole.NONE


async def create_link(tx: AsyncConnection, link: Link) -> str:
    """Make a link; gives its token, which is told this once."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = {
        "token_hash": hash_of(token),
        "purpose": link.purpose,
        "account_id": link.account_id,
        "email": link.email,
        "name": link.name,
        "role": int(link.role),
        "expires_at": datetime.now(UTC) + LIFETIMES[link.purpose],
    }
    await tx.execute(insert(LINK).values(row))
    return token


async def load_link(tx: AsyncConnection, token: str, *purposes: Purpose) -> Link | None:
    """The link with this token if it is good, or None."""
    return _link((await tx.execute(select(LINK).where(*_is_good(token, purposes)))).first())


async def take_link(tx: AsyncConnection, token: str, *purposes: Purpose) -> Link | None:
    """The same, and it is used up."""
    return _link((await tx.execute(delete(LINK).where(*_is_good(token, purposes)).returning(*LINK.c))).first())


async def take_invitation(tx: AsyncConnection, email: str) -> bool:
    """Use up the invitations of an address whose owner proved it in another way; False where there is none.

    One to a role on the platform is not among them: that takes the link itself.
    """
    mine = (func.lower(LINK.c.email) == email.lower(), LINK.c.purpose == Purpose.INVITE, LINK.c.account_id.is_(None))
    good = (LINK.c.role == int(PlatformRole.NONE), LINK.c.expires_at > datetime.now(UTC))
    return (await tx.execute(delete(LINK).where(*mine, *good).returning(LINK.c.email))).first() is not None


async def drop_links(tx: AsyncConnection, account_id: UUID, email: str) -> None:
    """Make every link of an account or to an address useless."""
    theirs = or_(LINK.c.account_id == account_id, func.lower(LINK.c.email) == email.lower())
    await tx.execute(delete(LINK).where(theirs))


async def remove_old_links(tx: AsyncConnection) -> int:
    """Remove up to `REMOVED_AT_ONCE` links that expired; how many."""
    return await remove_some(tx, LINK, LINK.c.expires_at < datetime.now(UTC), REMOVED_AT_ONCE)


def hash_of(token: str) -> bytes:
    """What a token is found by."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def _is_good(token: str, purposes: tuple[Purpose, ...]) -> tuple[Any, ...]:
    return LINK.c.token_hash == hash_of(token), LINK.c.purpose.in_(purposes), LINK.c.expires_at > datetime.now(UTC)


def _link(row: Any) -> Link | None:
    if row is None:
        return None
    return Link(Purpose(row.purpose), row.email, row.account_id, row.name, PlatformRole(row.role))
