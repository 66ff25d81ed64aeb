"""The platform's tables of signing in at issuers of OpenID Connect: whom to trust, and what was told once.

Promises: each model mirrors `migrations/shared/`, which alone creates the tables (a test compares the two). What an
issuer must not tell others (a client's secret, an ID token) is sealed before it comes here.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, Column, LargeBinary, Text
from sqlmodel import Field, SQLModel

from tenants.platform_tables import PLATFORM, timestamp


def words() -> Column[list[str]]:
    """A `text[] NOT NULL` column."""
    return Column(ARRAY(Text), nullable=False)


class Issuer(SQLModel, table=True):
    """An issuer that people may sign in with, configured by mutation; `secret` is sealed."""

    __tablename__ = "issuer"
    __table_args__ = {"schema": PLATFORM}

    id: UUID = Field(primary_key=True)
    key: str = Field(sa_type=Text, unique=True)
    url: str = Field(sa_type=Text, unique=True)
    name: str = Field(sa_type=Text)
    client_id: str = Field(sa_type=Text)
    authentication: str = Field(sa_type=Text)
    secret: str | None = Field(sa_type=Text)
    algorithms: list[str] = Field(sa_column=words())
    scopes: list[str] = Field(sa_column=words())
    joiners: str = Field(sa_type=Text)
    domains: list[str] = Field(sa_column=words())
    vouches: bool = Field(sa_column=Column(Boolean, nullable=False))
    strong: list[str] = Field(sa_column=words())
    strong_acr: list[str] = Field(sa_column=words())
    max_age_seconds: int | None
    version: int
    created_at: datetime = Field(sa_column=timestamp())
    updated_at: datetime = Field(sa_column=timestamp())


class Spent(SQLModel, table=True):
    """Something that counts once (a sign-in's state, a logout token), by its hash, until it would not count anyway."""

    __tablename__ = "spent"
    __table_args__ = {"schema": PLATFORM}

    hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    expires_at: datetime = Field(sa_column=timestamp())


class Vouched(SQLModel, table=True):
    """The sealed ID token that a session began with: shown to its issuer when the person signs out there."""

    __tablename__ = "vouched"
    __table_args__ = {"schema": PLATFORM}

    session_id: UUID = Field(primary_key=True, foreign_key="platform.session.id", ondelete="CASCADE")
    id_token: str = Field(sa_type=Text)
