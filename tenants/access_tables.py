"""The platform's tables about access: what was let in, and does not let anybody in any more.

Promises: each model mirrors `migrations/shared/`, which alone creates the tables (a test compares the two).
Never holds a secret as it was given out: only what it is recognised by.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
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
