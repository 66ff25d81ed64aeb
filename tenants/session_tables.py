"""The platform's tables of signing in: sessions, and passes from the platform's host to a site's own.

Promises: each model mirrors `migrations/shared/`, which alone creates the tables (a test compares the two). Never holds
a token or a code itself, only its hash.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Column, LargeBinary, Text
from sqlmodel import Field, SQLModel

from tenants.platform_tables import PLATFORM, timestamp


class Session(SQLModel, table=True):
    """A browser that is signed in: as whom, how, on which host, and since when.

    `tenant_id` is there where the session is good for one site only.
    """

    __tablename__ = "session"
    __table_args__ = {"schema": PLATFORM}

    id: UUID = Field(primary_key=True)
    token_hash: bytes = Field(sa_type=LargeBinary, unique=True)
    account_id: UUID = Field(foreign_key="platform.account.id", ondelete="CASCADE")
    parent_id: UUID | None = Field(foreign_key="platform.session.id", ondelete="CASCADE")
    host: str = Field(sa_type=Text)
    tenant_id: UUID | None = Field(foreign_key="platform.tenant.id", ondelete="CASCADE")
    issuer: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    sid: str | None = Field(sa_type=Text)
    acr: str | None = Field(sa_type=Text)
    amr: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    authenticated_at: datetime = Field(sa_column=timestamp())
    device: str = Field(sa_type=Text)
    address: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_column=timestamp())
    renewed_at: datetime = Field(sa_column=timestamp())
    last_seen_at: datetime = Field(sa_column=timestamp())


class Pass(SQLModel, table=True):
    """Lets one browser in on one site's host, once: made of a session on the platform's host."""

    __tablename__ = "pass"
    __table_args__ = {"schema": PLATFORM}

    code_hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    session_id: UUID = Field(foreign_key="platform.session.id", ondelete="CASCADE")
    host: str = Field(sa_type=Text)
    tenant_id: UUID | None = Field(foreign_key="platform.tenant.id", ondelete="CASCADE")
    state_hash: bytes = Field(sa_type=LargeBinary)
    expires_at: datetime = Field(sa_column=timestamp())
