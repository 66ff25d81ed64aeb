"""One site's tables and its windows on the platform's tables.

Promises: every table here stands in the stand-in schema `TENANT`, which names no site; `schema_translate_map` puts the
site's own schema in its place. Each model mirrors `migrations/tenant/`, which alone creates the tables.
Never refers to another site, and never has a foreign key to the platform: adding one would lock the platform's table.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Computed, DateTime, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlmodel import Field, SQLModel

from tenants.platform_tables import small, timestamp

TENANT = "~tenant~"
"""Stands for the site's schema in every statement; no real schema can have this name."""

WINDOW = {"schema": TENANT, "info": {"window": True}}
"""Table arguments of a security-barrier view that shows one site's rows of a platform table."""


class Member(SQLModel, table=True):
    """An account's membership of this site. Who left stays as a row with `left_at`, as author of what was written."""

    __tablename__ = "member"
    __table_args__ = {"schema": TENANT}

    account_id: UUID = Field(primary_key=True)
    role: int = Field(sa_column=small())
    joined_at: datetime = Field(sa_column=timestamp())
    left_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))


class Group(SQLModel, table=True):
    """A group on this site; its access level is a ceiling for everything in it."""

    __tablename__ = "group"
    __table_args__ = {"schema": TENANT}

    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    access: int = Field(sa_column=small())
    joining: str = Field(sa_type=Text)
    version: int
    created_at: datetime = Field(sa_column=timestamp())
    updated_at: datetime = Field(sa_column=timestamp())


class GroupMember(SQLModel, table=True):
    """A member's place in a group."""

    __tablename__ = "group_member"
    __table_args__ = {"schema": TENANT}

    group_id: UUID = Field(primary_key=True, foreign_key=f"{TENANT}.group.id", ondelete="CASCADE")
    account_id: UUID = Field(primary_key=True, foreign_key=f"{TENANT}.member.account_id", ondelete="CASCADE")
    role: int = Field(sa_column=small())
    joined_at: datetime = Field(sa_column=timestamp())


class Content(SQLModel, table=True):
    """An item of any kind: columns for what is sorted or filtered by, `details` for what only one kind has."""

    __tablename__ = "content"
    __table_args__ = {"schema": TENANT}

    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    author_id: UUID = Field(foreign_key=f"{TENANT}.member.account_id")
    group_id: UUID | None = Field(foreign_key=f"{TENANT}.group.id")
    access: int = Field(sa_column=small())
    tags: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    details: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    version: int
    published_at: datetime = Field(sa_column=timestamp())
    created_at: datetime = Field(sa_column=timestamp())
    updated_at: datetime = Field(sa_column=timestamp())
    deleted_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
    search: str = Field(
        sa_column=Column(
            TSVECTOR,
            Computed(
                "setweight(to_tsvector('pg_catalog.dutch', title), 'A') || to_tsvector('pg_catalog.dutch', body)",
                persisted=True,
            ),
        )
    )


class Comment(SQLModel, table=True):
    """A comment on an item, or an answer to another comment on it."""

    __tablename__ = "comment"
    __table_args__ = {"schema": TENANT}

    id: UUID = Field(primary_key=True)
    content_id: UUID = Field(foreign_key=f"{TENANT}.content.id", ondelete="CASCADE")
    parent_id: UUID | None = Field(foreign_key=f"{TENANT}.comment.id", ondelete="CASCADE")
    author_id: UUID = Field(foreign_key=f"{TENANT}.member.account_id")
    body: str = Field(sa_type=Text)
    version: int
    created_at: datetime = Field(sa_column=timestamp())
    updated_at: datetime = Field(sa_column=timestamp())


class Reaction(SQLModel, table=True):
    """An account's one reaction on an item or a comment (`subject_id`) of the item `content_id`."""

    __tablename__ = "reaction"
    __table_args__ = {"schema": TENANT}

    subject_id: UUID = Field(primary_key=True)
    account_id: UUID = Field(primary_key=True, foreign_key=f"{TENANT}.member.account_id")
    content_id: UUID = Field(foreign_key=f"{TENANT}.content.id", ondelete="CASCADE")
    kind: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_column=timestamp())


class OwnershipOffer(SQLModel, table=True):
    """An offer of ownership to a member that waits for an answer."""

    __tablename__ = "ownership_offer"
    __table_args__ = {"schema": TENANT}

    account_id: UUID = Field(primary_key=True, foreign_key=f"{TENANT}.member.account_id")
    offered_by: UUID
    steps_down: bool
    created_at: datetime = Field(sa_column=timestamp())
    expires_at: datetime = Field(sa_column=timestamp())


class SiteWindow(SQLModel, table=True):
    """This site's own row of the register."""

    __tablename__ = "site"
    __table_args__ = WINDOW

    id: UUID = Field(primary_key=True)
    slug: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    visibility: int = Field(sa_column=small())
    access: int = Field(sa_column=small())
    joining: str = Field(sa_type=Text)
    version: int
    created_at: datetime = Field(sa_column=timestamp())
    updated_at: datetime = Field(sa_column=timestamp())
    suspended_by: str | None = Field(sa_type=Text)
    second_factor: bool = Field(sa_column=Column(Boolean, nullable=False))
    issuers: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))


class PersonWindow(SQLModel, table=True):
    """The public profile of everybody who is or was a member of this site."""

    __tablename__ = "person"
    __table_args__ = WINDOW

    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_column=timestamp())


class MembershipWindow(SQLModel, table=True):
    """This site's rows of the platform's index of memberships."""

    __tablename__ = "membership"
    __table_args__ = WINDOW

    tenant_id: UUID = Field(primary_key=True)
    account_id: UUID = Field(primary_key=True)
    role: int = Field(sa_column=small())
    group_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    joined_at: datetime = Field(sa_column=timestamp())


class ActivityWindow(SQLModel, table=True):
    """This site's rows of the platform's index of what was published."""

    __tablename__ = "activity"
    __table_args__ = WINDOW

    tenant_id: UUID = Field(primary_key=True)
    content_id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    access: int = Field(sa_column=small())
    group_id: UUID | None
    author_id: UUID
    published_at: datetime = Field(sa_column=timestamp())


class CeilingWindow(SQLModel, table=True):
    """This site's rows of the platform's index of group levels."""

    __tablename__ = "ceiling"
    __table_args__ = WINDOW

    tenant_id: UUID = Field(primary_key=True)
    group_id: UUID = Field(primary_key=True)
    access: int = Field(sa_column=small())


class EventWindow(SQLModel, table=True):
    """The way of this site's events into the platform's outbox; the site's role writes them and reads none."""

    __tablename__ = "event"
    __table_args__ = WINDOW

    xid: int = Field(sa_type=BigInteger, primary_key=True)
    id: UUID = Field(primary_key=True)
    tenant_id: UUID
    topic: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    subject_id: UUID
    within_id: UUID | None
    kind: str = Field(sa_type=Text)
    happened_at: datetime = Field(sa_column=timestamp())


class AuditWindow(SQLModel, table=True):
    """The privileged acts on this site; the site's role adds to them and changes none."""

    __tablename__ = "audit"
    __table_args__ = WINDOW

    id: UUID = Field(primary_key=True)
    tenant_id: UUID
    account_id: UUID | None
    action: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    details: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    address: str = Field(sa_type=Text)
    agent: str = Field(sa_type=Text)
    credential: str = Field(sa_type=Text)
    request_id: str = Field(sa_type=Text)
    happened_at: datetime = Field(sa_column=timestamp())


class ApiKeyWindow(SQLModel, table=True):
    """The keys that are good for this site: those of its members, for all sites or for this one."""

    __tablename__ = "api_key"
    __table_args__ = WINDOW

    id: UUID = Field(primary_key=True)
    account_id: UUID
    name: str = Field(sa_type=Text)
    start: str = Field(sa_type=Text)
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    is_for_all_sites: bool
    created_at: datetime = Field(sa_column=timestamp())
    expires_at: datetime = Field(sa_column=timestamp())
    last_used_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))
