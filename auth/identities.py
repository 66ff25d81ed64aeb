"""The ways in which somebody signs in at issuers: listed, and taken away, but never the last way in.

Promises: of two who take away the last two at the same time, one is refused. What a way in has opened ends with it, but
for the session of whoever takes it away. Never commits.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.accounts import ACCOUNT, IDENTITY
from auth.errors import AuthError
from auth.local.local import has_password
from auth.sessions import close_sessions_of_identity

LISTED_MOST = 200


class LastWayIn(AuthError):  # noqa: N818 - a refusal, named after what is in the way
    """Without this, nobody could sign in to the account any more."""

    def __init__(self) -> None:
        super().__init__("This is the only way in which you can sign in; add another one first.")


@dataclass(frozen=True, slots=True)
class Identity:
    """One way in which somebody signs in: the issuer's address, the e-mail address it told, and when it was used."""

    id: UUID
    issuer: str
    email: str | None
    created_at: datetime
    last_used_at: datetime | None


async def list_identities(tx: AsyncConnection, account_id: UUID) -> list[Identity]:
    """The identities of an account, the oldest first."""
    row = IDENTITY.c
    columns = (row.id, row.issuer, row.email, row.created_at, row.last_used_at)
    theirs = select(*columns).where(row.account_id == account_id).order_by(row.created_at, row.id).limit(LISTED_MOST)
    return [Identity(*each) for each in await tx.execute(theirs)]


async def unlink_identity(
    tx: AsyncConnection,
    account_id: UUID,
    identity_id: UUID,
    *,
    usable: Collection[str],
    passwords: bool,
    but: UUID | None = None,
) -> tuple[Identity, list[UUID]] | None:
    """Take a way in away: what it was, and the sessions that ended with it; None where the account has no such.

    `usable`: the addresses of issuers that one can sign in with now; `passwords`: whether a password lets one in;
    `but`: the session that stays. Raises LastWayIn. `tx` is the platform owner's.
    """
    await tx.execute(select(ACCOUNT.c.id).where(ACCOUNT.c.id == account_id).with_for_update())
    mine = (IDENTITY.c.id == identity_id, IDENTITY.c.account_id == account_id)
    row = (await tx.execute(select(IDENTITY).where(*mine))).one_or_none()
    if row is None:
        return None
    others = [each for each in await list_identities(tx, account_id) if each.id != identity_id]
    if not any(each.issuer in usable for each in others) and not (passwords and await has_password(tx, account_id)):
        raise LastWayIn
    await tx.execute(delete(IDENTITY).where(*mine))
    found = Identity(row.id, row.issuer, row.email, row.created_at, row.last_used_at)
    return found, await close_sessions_of_identity(tx, account_id, row.issuer, row.subject, but=but)
