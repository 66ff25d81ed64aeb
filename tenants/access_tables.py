"""The platform's tables about access: what was let in, and does not let anybody in any more.

Promises: each model mirrors `migrations/shared/`, which alone creates the tables (a test compares the two).
Never holds a secret as it was given out: only what it is recognised by.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Column, DateTime, LargeBinary, Text, Uuid
from sqlmodel import Field, SQLModel

from tenants.platform_tables import PLATFORM, timestamp


class Revocation(SQLModel, table=True):
    """An account or a credential that was valid and is not any more, for those who remember it."""

    __tablename__ = "revocation"
    __table_args__ = {"schema": PLATFORM}

    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    subject_id: UUID
    revoked_at: datetime = Field(sa_column=timestamp())


class ApiKey(SQLModel, table=True):
    """A key for machines. `start` is what it begins with, to tell one from another; `tenant_ids` None: all sites."""

    __tablename__ = "api_key"
    __table_args__ = {"schema": PLATFORM}

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="platform.account.id", ondelete="CASCADE")
    name: str = Field(sa_type=Text)
    start: str = Field(sa_type=Text)
    secret_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    tenant_ids: list[UUID] | None = Field(sa_column=Column(ARRAY(Uuid)))
    created_at: datetime = Field(sa_column=timestamp())
    expires_at: datetime = Field(sa_column=timestamp())
    last_used_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    revoked_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
