"""What accounts that sign in here need, once per process, and how an account is looked up with its password.

Promises: looking up is one statement, whether or not there is such an account.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.accounts import ACCOUNT, Transaction
from auth.issuer import derive_key
from auth.local.attempts import Attempts, Limit
from auth.local.mailbox import Mail, put_mail
from auth.local.passwords import Passwords
from auth.seal import Seal
from auth.sessions import Authentication
from auth.viewer import PlatformRole
from tenants import local_tables
from tenants.tables import table_of

PASSWORD = table_of(local_tables.Password)
TOTP = table_of(local_tables.Totp)

LOCAL_ISSUER = "urn:plein:local"
"""Who vouches for somebody who signed in here."""

ACR_ONE, ACR_TWO = "urn:plein:acr:1", "urn:plein:acr:2"
"""How well somebody signed in: with one factor, with two."""

PWD, OTP, MFA = "pwd", "otp", "mfa"
"""Words of RFC 8176."""

DAY, HOUR, QUARTER = timedelta(days=1), timedelta(hours=1), timedelta(minutes=15)
BY_NETWORK = Limit("sign-in of a network", 100, QUARTER)  # an office may share one
BY_ACCOUNT_AND_NETWORK = Limit("sign-in of an account from a network", 10, QUARTER)
BY_ACCOUNT = Limit("sign-in of an account", 100, DAY)  # NIST SP 800-63B allows 100 failures in a row
CODES = Limit("codes of an account", 10, QUARTER)
CODES_A_DAY = Limit("codes of an account in a day", 50, DAY)
LETTERS_TO = Limit("letters to an address", 5, HOUR)
LETTERS_FROM = Limit("letters from a network", 30, HOUR)
LINKS_FROM = Limit("links of a network", 60, QUARTER)


@dataclass(slots=True)
class Local:
    """The living parts."""

    transaction: Transaction
    secret: str = field(repr=False)
    passwords: Passwords = field(default_factory=Passwords)
    attempts: Attempts = field(init=False)
    totp_seal: Seal = field(init=False)
    mail_seal: Seal = field(init=False)
    ticket_seal: Seal = field(init=False)

    def __post_init__(self) -> None:
        self.attempts = Attempts(self.secret)
        self.totp_seal, self.mail_seal, self.ticket_seal = (
            Seal(self.secret, each) for each in ("totp", "mail", "sign-in ticket")
        )

    async def send(self, tx: AsyncConnection, mail: Mail, useful_for: timedelta = DAY) -> None:
        """Let a mail be sent with this transaction."""
        await put_mail(tx, self.mail_seal, mail, useful_for)

    def code_hash(self, account_id: UUID, code: str) -> bytes:
        """What a recovery code is found by: keyed, as a code is shorter than a token."""
        key = derive_key(self.secret, "recovery-code")
        return hmac.digest(key, account_id.bytes + code.encode("utf-8", "replace"), sha256)


@dataclass(frozen=True, slots=True)
class LocalAccount:
    """An account as far as signing in here needs it; `password_hash` is None where it cannot sign in here."""

    id: UUID
    name: str
    email: str
    role: PlatformRole
    password_hash: str | None
    has_second_factor: bool
    is_suspended: bool


async def load_local(tx: AsyncConnection, email: str) -> LocalAccount | None:
    """The account with this address, or None."""
    return _local((await tx.execute(_locals().where(func.lower(ACCOUNT.c.email) == email.strip().lower()))).first())


async def load_local_by_id(tx: AsyncConnection, account_id: UUID) -> LocalAccount | None:
    """The account with this id, or None."""
    return _local((await tx.execute(_locals().where(ACCOUNT.c.id == account_id))).first())


async def has_password(tx: AsyncConnection, account_id: UUID) -> bool:
    """Whether an account can sign in here: then it may lose its identities at issuers."""
    return await tx.scalar(select(PASSWORD.c.account_id).where(PASSWORD.c.account_id == account_id)) is not None


async def set_password(tx: AsyncConnection, account_id: UUID, password_hash: str) -> None:
    """Let this be the account's password."""
    values = {"account_id": account_id, "hash": password_hash, "changed_at": datetime.now(UTC)}
    new = insert(PASSWORD).values(values)
    kept = {"hash": new.excluded.hash, "changed_at": new.excluded.changed_at}
    await tx.execute(new.on_conflict_do_update(index_elements=[PASSWORD.c.account_id], set_=kept))


async def rehash_password(tx: AsyncConnection, account_id: UUID, old: str, new: str) -> None:
    """The same password in another form; nothing where it was changed meanwhile."""
    same = (PASSWORD.c.account_id == account_id, PASSWORD.c.hash == old)
    await tx.execute(update(PASSWORD).where(*same).values(hash=new))


async def verify_email(tx: AsyncConnection, account_id: UUID) -> None:
    """The account's address was shown to be its own just now."""
    await tx.execute(update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(email_verified_at=datetime.now(UTC)))


def authenticated(account_id: UUID, *amr: str) -> Authentication:
    """How somebody signed in here just now, with these."""
    acr = ACR_TWO if MFA in amr else ACR_ONE
    return Authentication(LOCAL_ISSUER, str(account_id), None, acr, amr, datetime.now(UTC))


def _locals() -> Select[Any]:
    source = ACCOUNT.outerjoin(PASSWORD, PASSWORD.c.account_id == ACCOUNT.c.id).outerjoin(
        TOTP, (TOTP.c.account_id == ACCOUNT.c.id) & TOTP.c.confirmed_at.is_not(None)
    )
    account = (ACCOUNT.c.id, ACCOUNT.c.name, ACCOUNT.c.email, ACCOUNT.c.role, ACCOUNT.c.suspended_at)
    return select(*account, PASSWORD.c.hash, TOTP.c.confirmed_at).select_from(source)


def _local(row: Any) -> LocalAccount | None:
    if row is None:
        return None
    return LocalAccount(
        row.id,
        row.name,
        row.email,
        PlatformRole(row.role),
        row.hash,
        row.confirmed_at is not None,
        row.suspended_at is not None,
    )
