"""Inputs about API keys."""

from datetime import datetime

import strawberry

from schema.inputs.fields import idempotency_key, optional, required
from schema.scope import Scope


@strawberry.input(description="A key to make for a machine.")
class CreateApiKeyInput:
    """A key to make for a machine."""

    name: str = required("What to call it: 1 to 100 characters.")
    scopes: list[Scope] = required(
        "What it is for: at least one. STATISTICS_READ is for analysts, PLATFORM_ADMIN for operators, ACCOUNT for no "
        "key."
    )
    sites: list[strawberry.ID] | None = optional(
        "The sites that it is for, of which one must be a member: 1 to 100. All of them, now and later, if not given."
    )
    expires_at: datetime | None = optional(
        "From when on it lets nobody in. After 90 days if not given, and after 366 days at the latest, unless the "
        "square is set otherwise."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A key to revoke.")
class RevokeApiKeyInput:
    """A key to revoke."""

    id: strawberry.ID = required("The key.")
