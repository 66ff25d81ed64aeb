"""Signing in with a password and a second factor.

Promises: an unknown address, an account without a password and a wrong password get the same answer, after the same
statements and one hash. Every attempt is counted before it is looked at. A code is good once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from auth.audit import Act, Client, record
from auth.errors import TooManyAttempts
from auth.local.attempts import of_one
from auth.local.local import (
    BY_ACCOUNT,
    BY_ACCOUNT_AND_NETWORK,
    BY_NETWORK,
    CODES,
    CODES_A_DAY,
    Local,
    LocalAccount,
    load_local,
    rehash_password,
)
from auth.local.second_factor import use_code
from auth.seal import SealBroken

TICKET_S = 600


@dataclass(frozen=True, slots=True)
class Ticket:
    """Somebody whose password was right and whose code is still asked for. It goes along in the form, sealed."""

    account_id: UUID
    ends_at: int


async def check_password(local: Local, email: str, password: str, network: str, client: Client) -> LocalAccount | None:
    """The account with this address and password, or None. Raises TooManyAttempts, and `Busy`."""
    subject = email.strip().lower()
    limits = (
        (BY_NETWORK, network),
        (BY_ACCOUNT_AND_NETWORK, of_one(subject, network)),
        (BY_ACCOUNT, subject),
    )
    async with local.transaction() as tx:
        wait_s = await local.attempts.count(tx, *limits)
        account = await load_local(tx, email)
    if wait_s:
        raise TooManyAttempts(wait_s)
    known = None if account is None else account.password_hash
    is_right = await local.passwords.verify(password, known)
    if account is None or known is None or not is_right or account.is_suspended:
        subject_id = None if account is None else account.id
        async with local.transaction() as tx:
            await record(tx, Act("sign_in.failed", subject_id, None, _named(subject_id), client=client))
        return None
    anew = await local.passwords.hash(password) if local.passwords.is_outdated(known) else None
    async with local.transaction() as tx:
        await local.attempts.forget(tx, *limits[1:])
        if anew is not None:
            await rehash_password(tx, account.id, known, anew)
    return account


async def check_code(local: Local, account_id: UUID, code: str, client: Client) -> bool:
    """Whether this is a code of the account's app or a recovery code; it is used up. Raises TooManyAttempts."""
    limits = ((CODES, str(account_id)), (CODES_A_DAY, str(account_id)))
    async with local.transaction() as tx:
        wait_s = await local.attempts.count(tx, *limits)
    if wait_s:
        raise TooManyAttempts(wait_s)
    async with local.transaction() as tx:
        used = await use_code(local, tx, account_id, code)
        if used is None:
            await record(tx, Act("sign_in.second_factor_failed", account_id, None, str(account_id), client=client))
            return False
        if used.is_recovery:
            details = {"left": used.left}
            await record(tx, Act("sign_in.recovered", account_id, None, str(account_id), details, client))
        await local.attempts.forget(tx, *limits)
    return True


def make_ticket(local: Local, account_id: UUID, about: str) -> str:
    """A ticket for the second step, good for this browser (`about`) and some minutes."""
    ends_at = int(datetime.now(UTC).timestamp()) + TICKET_S
    return local.ticket_seal.close(about, {"account_id": str(account_id), "ends_at": ends_at})


def open_ticket(local: Local, about: str, text: str) -> UUID | None:
    """Whose ticket this is, or None."""
    try:
        found: Mapping[str, Any] = local.ticket_seal.open(about, text)
    except SealBroken:
        return None
    return UUID(found["account_id"]) if found["ends_at"] > datetime.now(UTC).timestamp() else None


def _named(account_id: UUID | None) -> str:
    return "unknown" if account_id is None else str(account_id)
