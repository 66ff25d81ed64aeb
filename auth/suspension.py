"""What operators do to accounts: suspending and resuming them, and giving them a role on the square.

Promises: with a suspension, in one transaction, every session, key and grant of the account is over for good, and what
they opened is ended everywhere; nothing lets anybody in as that account until it is resumed, and then only what is made
anew. The square is never left without an operator. SQL on the platform's tables only; never commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.accounts import ACCOUNT
from auth.api_keys import KEY
from auth.errors import LastOperator
from auth.provider.grants import GRANT, end_grants
from auth.revocations import revoke_account
from auth.sessions import close_sessions_of
from auth.viewer import PlatformRole


@dataclass(frozen=True, slots=True)
class _Locked:
    role: PlatformRole
    is_suspended: bool
    is_last_operator: bool


async def suspend_account(tx: AsyncConnection, account_id: UUID) -> bool | None:
    """Let nobody in as this account; whether it was not suspended already. None: there is no such account.

    Raises `LastOperator`.
    """
    found = await _lock(tx, account_id)
    if found is None or found.is_suspended:
        return None if found is None else False
    if found.is_last_operator:
        raise LastOperator
    now = datetime.now(UTC)
    await tx.execute(update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(suspended_at=now))
    live_keys = (KEY.c.account_id == account_id, KEY.c.revoked_at.is_(None))
    await tx.execute(update(KEY).where(*live_keys).values(revoked_at=now))
    await close_sessions_of(tx, account_id)
    await end_grants(tx, GRANT.c.account_id == account_id, now)
    await revoke_account(tx, account_id)
    return True


async def resume_account(tx: AsyncConnection, account_id: UUID) -> bool | None:
    """Let its owner in again; whether it was suspended. None: there is no such account."""
    found = await _lock(tx, account_id)
    if found is None or not found.is_suspended:
        return None if found is None else False
    await tx.execute(update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(suspended_at=None))
    return True


async def set_platform_role(tx: AsyncConnection, account_id: UUID, role: PlatformRole) -> PlatformRole | None:
    """Give an account this role on the square; the one that it had. None: there is no such account.

    What its credentials have opened is ended, as it was let in with the other role. Raises `LastOperator`.
    """
    found = await _lock(tx, account_id)
    if found is None:
        return None
    before = found.role
    if before is not role:
        if found.is_last_operator:
            raise LastOperator
        await tx.execute(update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(role=int(role)))
        await revoke_account(tx, account_id)
    return before


async def _lock(tx: AsyncConnection, account_id: UUID) -> _Locked | None:
    """The account and the operators who can sign in; nobody changes any of them until the end."""
    live = and_(ACCOUNT.c.role >= int(PlatformRole.OPERATOR), ACCOUNT.c.suspended_at.is_(None))
    columns = (ACCOUNT.c.id, ACCOUNT.c.role, ACCOUNT.c.suspended_at, live.label("is_operator"))
    # In one order for everybody, so that two who are changed at once wait for each other and one of them is the last.
    which = select(*columns).where(or_(ACCOUNT.c.id == account_id, live)).order_by(ACCOUNT.c.id)
    rows = {row.id: row for row in await tx.execute(which.with_for_update(key_share=True))}
    row = rows.get(account_id)
    if row is None:
        return None
    others = any(each.is_operator for id_, each in rows.items() if id_ != account_id)
    return _Locked(PlatformRole(row.role), row.suspended_at is not None, row.is_operator and not others)


async def count_operators(tx: AsyncConnection) -> int:
    """How many operators the square has who can sign in."""
    live = (ACCOUNT.c.role >= int(PlatformRole.OPERATOR), ACCOUNT.c.suspended_at.is_(None))
    return int(await tx.scalar(select(func.count()).select_from(ACCOUNT).where(*live)) or 0)
