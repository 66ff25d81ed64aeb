"""The platform's tables: accounts, the register of sites, and the narrow indexes over all sites.

Promises: each model mirrors `migrations/shared/`, which alone creates the tables (a test compares the two).
Never holds text of a site's content, and never a row that one site could need a lock on to provision another.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, DateTime, SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

PLATFORM = "platform"


def timestamp() -> Column[datetime]:
    """A `timestamptz NOT NULL` column; a new one each time, as a column belongs to one table."""
    return Column(DateTime(timezone=True), nullable=False)


def small() -> Column[int]:
    """A `smallint NOT NULL` column: levels and roles are stored by rank, so that they compare."""
    return Column(SmallInteger, nullable=False)


class Square(SQLModel, table=True):
    """One row: this square, and the role under which the platform's tables are read."""

    __tablename__ = "square"
    __table_args__ = {"schema": PLATFORM}

    id: UUID = Field(primary_key=True)
    reader_role_name: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_column=timestamp())


class Migration(SQLModel, table=True):
    """A migration that was applied, with the checksum of its text at that time."""

    __tablename__ = "migration"
    __table_args__ = {"schema": PLATFORM}

    scope: str = Field(sa_type=Text, primary_key=True)
    number: int = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    checksum: str = Field(sa_type=Text)
    applied_at: datetime = Field(sa_column=timestamp())


class Tenant(SQLModel, table=True):
    """A site in the register: what everybody may need to know to find it, and where its tables are."""

    __tablename__ = "tenant"
    __table_args__ = {"schema": PLATFORM}

    id: UUID = Field(primary_key=True)
    slug: str = Field(sa_type=Text, unique=True)
    schema_name: str = Field(sa_type=Text, unique=True)
    role_name: str = Field(sa_type=Text, unique=True)
    name: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    visibility: int = Field(sa_column=small())
    access: int = Field(sa_column=small())
    joining: str = Field(sa_type=Text)
    version: int
    schema_version: int
    created_at: datetime = Field(sa_column=timestamp())
    updated_at: datetime = Field(sa_column=timestamp())
    suspended_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    suspended_by: str | None = Field(sa_type=Text)
    suspender_id: UUID | None
    second_factor: bool = Field(sa_column=Column(Boolean, nullable=False))
    issuers: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))


class Host(SQLModel, table=True):
    """A host name under which a site answers, besides its own name under the platform's host."""

    __tablename__ = "host"
    __table_args__ = {"schema": PLATFORM}

    host: str = Field(sa_type=Text, primary_key=True)
    tenant_id: UUID = Field(foreign_key="platform.tenant.id", ondelete="CASCADE")


class Account(SQLModel, table=True):
    """A person, on all sites. `role` is the platform role by rank: 0 none, 1 analyst, 2 operator."""

    __tablename__ = "account"
    __table_args__ = {"schema": PLATFORM}

    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    email: str = Field(sa_type=Text)
    role: int = Field(sa_column=small())
    created_at: datetime = Field(sa_column=timestamp())
    suspended_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    email_verified_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    language: str | None = Field(sa_type=Text)


class Identity(SQLModel, table=True):
    """Who an issuer says an account is. `email` is the address that the issuer told."""

    __tablename__ = "identity"
    __table_args__ = {"schema": PLATFORM}

    id: UUID
    issuer: str = Field(sa_type=Text, primary_key=True)
    subject: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(foreign_key="platform.account.id", ondelete="CASCADE")
    created_at: datetime = Field(sa_column=timestamp())
    email: str | None = Field(sa_type=Text)
    last_used_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))


class Membership(SQLModel, table=True):
    """Index of who is on which site with which role and in which groups; the truth is the site's `member`."""

    __tablename__ = "membership"
    __table_args__ = {"schema": PLATFORM}

    tenant_id: UUID = Field(primary_key=True, foreign_key="platform.tenant.id", ondelete="CASCADE")
    account_id: UUID = Field(primary_key=True)
    role: int = Field(sa_column=small())
    group_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    joined_at: datetime = Field(sa_column=timestamp())


class Activity(SQLModel, table=True):
    """Index of what was published where and when, for lists over many sites."""

    __tablename__ = "activity"
    __table_args__ = {"schema": PLATFORM}

    tenant_id: UUID = Field(primary_key=True, foreign_key="platform.tenant.id", ondelete="CASCADE")
    content_id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    access: int = Field(sa_column=small())
    group_id: UUID | None
    author_id: UUID
    published_at: datetime = Field(sa_column=timestamp())


class Ceiling(SQLModel, table=True):
    """Index of each group's access level, for the ceiling of its items in lists over many sites."""

    __tablename__ = "ceiling"
    __table_args__ = {"schema": PLATFORM}

    tenant_id: UUID = Field(primary_key=True, foreign_key="platform.tenant.id", ondelete="CASCADE")
    group_id: UUID = Field(primary_key=True)
    access: int = Field(sa_column=small())


class Request(SQLModel, table=True):
    """An answer remembered by its idempotency key; `fingerprint` is a hash of the input it belongs to."""

    __tablename__ = "request"
    __table_args__ = {"schema": PLATFORM}

    account_id: UUID = Field(primary_key=True)
    key: str = Field(sa_type=Text, primary_key=True)
    fingerprint: str = Field(sa_type=Text)
    result: str | None = Field(sa_type=Text)
    created_at: datetime = Field(sa_column=timestamp())


class Event(SQLModel, table=True):
    """Something that happened on a site, in the order (`xid`, `id`); `within_id` is what the subject is a part of."""

    __tablename__ = "event"
    __table_args__ = {"schema": PLATFORM}

    xid: int = Field(sa_type=BigInteger, primary_key=True)
    id: UUID = Field(primary_key=True)
    tenant_id: UUID = Field(foreign_key="platform.tenant.id", ondelete="CASCADE")
    topic: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    subject_id: UUID
    within_id: UUID | None
    kind: str = Field(sa_type=Text)
    happened_at: datetime = Field(sa_column=timestamp())


class Audit(SQLModel, table=True):
    """A privileged act: who, what, where, from which client. `tenant_id` is None for the platform itself."""

    __tablename__ = "audit"
    __table_args__ = {"schema": PLATFORM}

    id: UUID = Field(primary_key=True)
    tenant_id: UUID | None
    account_id: UUID | None
    action: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    details: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    address: str = Field(sa_type=Text)
    agent: str = Field(sa_type=Text)
    credential: str = Field(sa_type=Text)
    request_id: str = Field(sa_type=Text)
    happened_at: datetime = Field(sa_column=timestamp())


class Allowance(SQLModel, table=True):
    """How much a caller had left at a moment, for limits on rates; refilled evenly since then."""

    __tablename__ = "allowance"
    __table_args__ = {"schema": PLATFORM}

    caller: UUID = Field(primary_key=True)
    amount: float
    at: datetime = Field(sa_column=timestamp())
