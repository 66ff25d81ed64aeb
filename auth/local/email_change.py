"""Changing an account's address: asked by its owner, confirmed from the old address and from the new one.

Promises: the address changes only once both confirmed, each by a link of its own, within a day. Whether another account
has the new address is told to the new address only.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.accounts import ACCOUNT
from auth.audit import Act, Client, record
from auth.errors import AccountExists, TooManyAttempts
from auth.local.links import TOKEN_BYTES, drop_links, hash_of
from auth.local.local import LETTERS_FROM, LETTERS_TO, Local, LocalAccount, load_local
from auth.local.mailbox import Mail
from auth.local.registration import EMAIL_CHANGE

LIFETIME = timedelta(days=1)

Compose = Callable[[str, str, str], Mail]
"""Writes a letter: which one (`change_old`, `change_new`, `change_taken`), to which address, a link's token."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change that waits. `is_done`: both confirmed, and the address is changed."""

    account_id: UUID
    email: str
    is_done: bool = False


async def ask_to_change(
    local: Local, account: LocalAccount, email: str, network: str, compose: Compose, client: Client
) -> None:
    """Send a link to each address. A change that waited before is given up. Raises TooManyAttempts."""
    async with local.transaction() as tx:
        wait_s = await local.attempts.count(tx, (LETTERS_FROM, network), (LETTERS_TO, email.lower()))
    if wait_s:
        raise TooManyAttempts(wait_s)
    old, new = secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES)
    values = {
        "account_id": account.id,
        "email": email,
        "old_hash": hash_of(old),
        "new_hash": hash_of(new),
        "old_confirmed_at": None,
        "new_confirmed_at": None,
        "expires_at": datetime.now(UTC) + LIFETIME,
    }
    async with local.transaction() as tx:
        is_taken = await load_local(tx, email) is not None
        row = insert(EMAIL_CHANGE).values(values)
        kept = {name: row.excluded[name] for name in values}
        await tx.execute(row.on_conflict_do_update(index_elements=[EMAIL_CHANGE.c.account_id], set_=kept))
        await local.send(tx, compose("change_old", account.email, old), LIFETIME)
        await local.send(tx, compose("change_taken" if is_taken else "change_new", email, new), LIFETIME)
        await record(tx, Act("account.email_change_asked", account.id, None, str(account.id), client=client))


async def load_change(tx: AsyncConnection, token: str) -> Change | None:
    """The change that a link is about, or None; nothing is used up."""
    row = (await tx.execute(select(EMAIL_CHANGE).where(*_is_good(token)))).first()
    return None if row is None else Change(row.account_id, row.email)


async def confirm_change(local: Local, token: str, notice: Callable[[str, str], Mail], client: Client) -> Change | None:
    """Confirm from one address; the second of them changes it. None where the link is not good.

    `notice` writes a letter to the old address about the new one. Raises `AccountExists` where another account has
    the address by now.
    """
    hash_, now = hash_of(token), datetime.now(UTC)
    try:
        async with local.transaction() as tx:
            row = (await tx.execute(select(EMAIL_CHANGE).where(*_is_good(token)).with_for_update())).first()
            if row is None:
                return None
            is_old = bytes(row.old_hash) == hash_
            both = (row.new_confirmed_at if is_old else row.old_confirmed_at) is not None
            mine = EMAIL_CHANGE.c.account_id == row.account_id
            if not both:
                confirmed = {"old_confirmed_at" if is_old else "new_confirmed_at": now}
                await tx.execute(update(EMAIL_CHANGE).where(mine).values(confirmed))
                return Change(row.account_id, row.email)
            old = await tx.scalar(select(ACCOUNT.c.email).where(ACCOUNT.c.id == row.account_id))
            await tx.execute(delete(EMAIL_CHANGE).where(mine))
            changed = {"email": row.email, "email_verified_at": now}
            await tx.execute(update(ACCOUNT).where(ACCOUNT.c.id == row.account_id).values(changed))
            await drop_links(tx, row.account_id, str(old))
            await local.send(tx, notice(str(old), row.email))
            await record(tx, Act("account.email_changed", row.account_id, None, str(row.account_id), client=client))
    except IntegrityError:
        raise AccountExists from None
    return Change(row.account_id, row.email, is_done=True)


async def remove_old_changes(tx: AsyncConnection) -> int:
    """Remove the changes that were not confirmed in time; how many."""
    return int((await tx.execute(delete(EMAIL_CHANGE).where(EMAIL_CHANGE.c.expires_at < func.now()))).rowcount)


def _is_good(token: str) -> tuple[ColumnElement[bool], ...]:
    hash_ = hash_of(token)
    either = or_(EMAIL_CHANGE.c.old_hash == hash_, EMAIL_CHANGE.c.new_hash == hash_)
    return either, EMAIL_CHANGE.c.expires_at > datetime.now(UTC)
