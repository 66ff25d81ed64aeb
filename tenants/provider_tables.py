"""The tables of the OpenID Provider: signing keys, clients, consents, grants and what hangs on them.

Promises: each model mirrors `migrations/shared/`, which alone creates the tables (a test compares the two). Secrets,
codes and refresh tokens are kept as hashes, private keys encrypted. Never readable by a site's role or the reader's.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, DateTime, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from tenants.platform_tables import PLATFORM, small, timestamp


def texts() -> Column[list[str]]:
    """A `text[] NOT NULL` column."""
    return Column(ARRAY(Text), nullable=False)


def moment() -> Column[datetime]:
    """A `timestamptz` column that may be null."""
    return Column(DateTime(timezone=True))


class SigningKey(SQLModel, table=True):
    """A key that tokens are signed with: next, current or retired by its times; `sealed` holds the private part."""

    __tablename__ = "signing_key"
    __table_args__ = {"schema": PLATFORM}

    id: str = Field(sa_type=Text, primary_key=True)
    algorithm: str = Field(sa_type=Text)
    sealed: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_column=timestamp())
    signs_from: datetime = Field(sa_column=timestamp())
    signs_until: datetime | None = Field(sa_column=moment())
    published_until: datetime | None = Field(sa_column=moment())


class Client(SQLModel, table=True):
    """An app or service that signs people in here; `account_id` answers for it, `tenant_id` is the site it is of."""

    __tablename__ = "client"
    __table_args__ = {"schema": PLATFORM}

    id: UUID = Field(primary_key=True)
    tenant_id: UUID | None = Field(foreign_key="platform.tenant.id", ondelete="CASCADE")
    account_id: UUID = Field(foreign_key="platform.account.id", ondelete="CASCADE")
    name: str = Field(sa_type=Text)
    home_uri: str | None = Field(sa_type=Text)
    policy_uri: str | None = Field(sa_type=Text)
    authentication: str = Field(sa_type=Text)
    secret_hash: bytes | None = Field(sa_type=LargeBinary)
    earlier_secret_hash: bytes | None = Field(sa_type=LargeBinary)
    earlier_secret_until: datetime | None = Field(sa_column=moment())
    jwks: str | None = Field(sa_type=Text)
    grant_types: list[str] = Field(sa_column=texts())
    scopes: list[str] = Field(sa_column=texts())
    redirect_uris: list[str] = Field(sa_column=texts())
    logout_redirect_uris: list[str] = Field(sa_column=texts())
    logout_uri: str | None = Field(sa_type=Text)
    origins: list[str] = Field(sa_column=texts())
    subject_type: str = Field(sa_type=Text)
    subject_salt: bytes = Field(sa_type=LargeBinary)
    id_token_algorithm: str = Field(sa_type=Text)
    trusted_at: datetime | None = Field(sa_column=moment())
    version: int
    created_at: datetime = Field(sa_column=timestamp())
    updated_at: datetime = Field(sa_column=timestamp())


class Consent(SQLModel, table=True):
    """What a person lets a client do: `read@<site>` for one site, `read@*` for all."""

    __tablename__ = "consent"
    __table_args__ = {"schema": PLATFORM}

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="platform.account.id", ondelete="CASCADE")
    client_id: UUID = Field(foreign_key="platform.client.id", ondelete="CASCADE")
    permissions: list[str] = Field(sa_column=texts())
    created_at: datetime = Field(sa_column=timestamp())
    updated_at: datetime = Field(sa_column=timestamp())


class ClientGrant(SQLModel, table=True):
    """One sign-in at a client, on which every token of it hangs; `is_own`: the client signed in as itself."""

    __tablename__ = "client_grant"
    __table_args__ = {"schema": PLATFORM}

    id: UUID = Field(primary_key=True)
    client_id: UUID = Field(foreign_key="platform.client.id", ondelete="CASCADE")
    account_id: UUID = Field(foreign_key="platform.account.id", ondelete="CASCADE")
    session_id: UUID | None = Field(foreign_key="platform.session.id", ondelete="SET NULL")
    sid: str | None = Field(sa_type=Text)
    is_own: bool
    scopes: list[str] = Field(sa_column=texts())
    tenant_ids: list[UUID] | None = Field(sa_column=Column(ARRAY(Uuid)))
    asked_claims: str | None = Field(sa_type=Text)
    nonce: str | None = Field(sa_type=Text)
    signed_in_at: datetime | None = Field(sa_column=moment())
    acr: str | None = Field(sa_type=Text)
    amr: list[str] = Field(sa_column=texts())
    created_at: datetime = Field(sa_column=timestamp())
    expires_at: datetime = Field(sa_column=timestamp())
    ended_at: datetime | None = Field(sa_column=moment())
    told_at: datetime | None = Field(sa_column=moment())
    signed_in_issuer: str | None = Field(sa_type=Text)


class AuthorizationCode(SQLModel, table=True):
    """A code that a client may exchange once."""

    __tablename__ = "authorization_code"
    __table_args__ = {"schema": PLATFORM}

    hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    grant_id: UUID = Field(foreign_key="platform.client_grant.id", ondelete="CASCADE")
    client_id: UUID
    redirect_uri: str = Field(sa_type=Text)
    challenge: str = Field(sa_type=Text)
    expires_at: datetime = Field(sa_column=timestamp())
    used_at: datetime | None = Field(sa_column=moment())


class RefreshToken(SQLModel, table=True):
    """A refresh token that a client may use once; all of one grant are a family."""

    __tablename__ = "refresh_token"
    __table_args__ = {"schema": PLATFORM}

    hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    grant_id: UUID = Field(foreign_key="platform.client_grant.id", ondelete="CASCADE")
    created_at: datetime = Field(sa_column=timestamp())
    expires_at: datetime = Field(sa_column=timestamp())
    used_at: datetime | None = Field(sa_column=moment())


class UsedAssertion(SQLModel, table=True):
    """The id of an assertion that a client signed, by hash, until it is past its time."""

    __tablename__ = "used_assertion"
    __table_args__ = {"schema": PLATFORM}

    client_id: UUID = Field(primary_key=True)
    hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    expires_at: datetime = Field(sa_column=timestamp())


class LogoutNotice(SQLModel, table=True):
    """What a client is still to be told: that the session it knows as `sid` is over."""

    __tablename__ = "logout_notice"
    __table_args__ = {"schema": PLATFORM}

    id: UUID = Field(primary_key=True)
    client_id: UUID = Field(foreign_key="platform.client.id", ondelete="CASCADE")
    subject: str = Field(sa_type=Text)
    sid: str = Field(sa_type=Text)
    attempts: int = Field(sa_column=small())
    due_at: datetime = Field(sa_column=timestamp())
    created_at: datetime = Field(sa_column=timestamp())
