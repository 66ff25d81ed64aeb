"""The platform's tables of accounts that sign in here: passwords, second factors, links, attempts, mail.

Promises: each model mirrors `migrations/shared/`, which alone creates the tables (a test compares the two). Never holds
what lets somebody in but as a hash, or sealed.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, LargeBinary, Text
from sqlmodel import Field, SQLModel

from tenants.platform_tables import PLATFORM, small, timestamp


class Password(SQLModel, table=True):
    """An account's password, as argon2 wrote it."""

    __tablename__ = "password"
    __table_args__ = {"schema": PLATFORM}

    account_id: UUID = Field(primary_key=True, foreign_key="platform.account.id", ondelete="CASCADE")
    hash: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_column=timestamp())


class Totp(SQLModel, table=True):
    """An account's authenticator app: the sealed secret, and the last step of which a code was used."""

    __tablename__ = "totp"
    __table_args__ = {"schema": PLATFORM}

    account_id: UUID = Field(primary_key=True, foreign_key="platform.account.id", ondelete="CASCADE")
    sealed: str = Field(sa_type=Text)
    confirmed_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    last_step: int = Field(sa_type=BigInteger)


class RecoveryCode(SQLModel, table=True):
    """A code that stands in for the app once; the row goes when it is used."""

    __tablename__ = "recovery_code"
    __table_args__ = {"schema": PLATFORM}

    account_id: UUID = Field(primary_key=True, foreign_key="platform.account.id", ondelete="CASCADE")
    code_hash: bytes = Field(sa_type=LargeBinary, primary_key=True)


class Link(SQLModel, table=True):
    """A link that was sent by mail, for one purpose, once."""

    __tablename__ = "link"
    __table_args__ = {"schema": PLATFORM}

    token_hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    purpose: str = Field(sa_type=Text)
    account_id: UUID | None = Field(foreign_key="platform.account.id", ondelete="CASCADE")
    email: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    role: int = Field(sa_column=small())
    expires_at: datetime = Field(sa_column=timestamp())


class EmailChange(SQLModel, table=True):
    """A change of address that waits for both addresses."""

    __tablename__ = "email_change"
    __table_args__ = {"schema": PLATFORM}

    account_id: UUID = Field(primary_key=True, foreign_key="platform.account.id", ondelete="CASCADE")
    email: str = Field(sa_type=Text)
    old_hash: bytes = Field(sa_type=LargeBinary, unique=True)
    new_hash: bytes = Field(sa_type=LargeBinary, unique=True)
    old_confirmed_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    new_confirmed_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    expires_at: datetime = Field(sa_column=timestamp())


class Attempt(SQLModel, table=True):
    """How often something was tried until a moment."""

    __tablename__ = "attempt"
    __table_args__ = {"schema": PLATFORM}

    key: bytes = Field(sa_type=LargeBinary, primary_key=True)
    count: int
    until: datetime = Field(sa_column=timestamp())


class Mail(SQLModel, table=True):
    """A mail that is to be sent, sealed; when its turn is, and until when it is of use."""

    __tablename__ = "mail"
    __table_args__ = {"schema": PLATFORM}

    id: UUID = Field(primary_key=True)
    sealed: str = Field(sa_type=Text)
    attempts: int
    next_at: datetime = Field(sa_column=timestamp())
    expires_at: datetime = Field(sa_column=timestamp())
