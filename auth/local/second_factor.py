"""An account's second factor: an authenticator app, and recovery codes for when it is lost.

Promises: a secret counts only once a code of it was shown, and lies in the database sealed. Each code of the app is
good once, whoever shows it first; each recovery code too. Recovery codes are told once and stored as keyed hashes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.local.local import TOTP, Local
from auth.local.totp import DIGITS, matching_step
from auth.seal import SealBroken
from tenants import local_tables
from tenants.tables import table_of

RECOVERY_CODE = table_of(local_tables.RecoveryCode)
CODES = 10
CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look like another
CODE_LENGTH = 12  # 59 bits


@dataclass(frozen=True, slots=True)
class Used:
    """A code that was used; `left` counts the recovery codes that are left, where it was one."""

    is_recovery: bool
    left: int = 0


async def use_code(local: Local, tx: AsyncConnection, account_id: UUID, text: str) -> Used | None:
    """Use up a code of the app or a recovery code; None where it is neither, or was used before."""
    code = "".join(text.lower().split()).replace("-", "")
    if len(code) == DIGITS and code.isascii() and code.isdecimal():
        return Used(is_recovery=False) if await _use_app_code(local, tx, account_id, code) else None
    mine = (RECOVERY_CODE.c.account_id == account_id, RECOVERY_CODE.c.code_hash == local.code_hash(account_id, code))
    if not (await tx.execute(delete(RECOVERY_CODE).where(*mine))).rowcount:
        return None
    return Used(is_recovery=True, left=await count_recovery_codes(tx, account_id))


async def confirm_app(
    local: Local, tx: AsyncConnection, account_id: UUID, secret: bytes, code: str
) -> list[str] | None:
    """Let this app be the second factor, if the code is of it; gives new recovery codes, or None.

    An app that there was before counts no more.
    """
    step = matching_step(secret, "".join(code.split()), time(), after=0)
    if step is None:
        return None
    values = {
        "account_id": account_id,
        "sealed": local.totp_seal.close(str(account_id), secret.hex()),
        "confirmed_at": datetime.now(UTC),
        "last_step": step,
    }
    new = upsert(TOTP).values(values)
    kept = {name: new.excluded[name] for name in ("sealed", "confirmed_at", "last_step")}
    await tx.execute(new.on_conflict_do_update(index_elements=[TOTP.c.account_id], set_=kept))
    return await make_recovery_codes(local, tx, account_id)


async def make_recovery_codes(local: Local, tx: AsyncConnection, account_id: UUID) -> list[str]:
    """New recovery codes, told this once; those there were are gone."""
    codes = ["".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH)) for _ in range(CODES)]
    await tx.execute(delete(RECOVERY_CODE).where(RECOVERY_CODE.c.account_id == account_id))
    rows = [{"account_id": account_id, "code_hash": local.code_hash(account_id, each)} for each in codes]
    await tx.execute(insert(RECOVERY_CODE).values(rows))
    return [f"{each[:4]}-{each[4:8]}-{each[8:]}" for each in codes]


async def remove_second_factor(tx: AsyncConnection, account_id: UUID) -> bool:
    """Take the app and the recovery codes away; whether there was an app."""
    await tx.execute(delete(RECOVERY_CODE).where(RECOVERY_CODE.c.account_id == account_id))
    return bool((await tx.execute(delete(TOTP).where(TOTP.c.account_id == account_id))).rowcount)


async def count_recovery_codes(tx: AsyncConnection, account_id: UUID) -> int:
    """How many recovery codes are left."""
    mine = RECOVERY_CODE.c.account_id == account_id
    return int(await tx.scalar(select(func.count()).select_from(RECOVERY_CODE).where(mine)) or 0)


async def _use_app_code(local: Local, tx: AsyncConnection, account_id: UUID, code: str) -> bool:
    mine = (TOTP.c.account_id == account_id, TOTP.c.confirmed_at.is_not(None))
    row = (await tx.execute(select(TOTP.c.sealed, TOTP.c.last_step).where(*mine).with_for_update())).first()
    if row is None:
        return False
    try:
        secret = bytes.fromhex(local.totp_seal.open(str(account_id), row.sealed))
    except SealBroken:
        return False
    step = matching_step(secret, code, time(), row.last_step)
    if step is None:
        return False
    await tx.execute(update(TOTP).where(*mine).values(last_step=step))
    return True
