"""The audit: a row for every privileged act, in the transaction of the act itself.

Promises: what was done and its row are there both or neither; a row says who, what, where, and from which client; it is
never changed, and removed only by its age. What it names stays readable when the account or the site is gone.
Never holds a secret: details that look like one are refused as the fault they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from tenants.ids import uuid7
from tenants.platform_tables import Audit
from tenants.pruning import remove_some
from tenants.site_tables import AuditWindow
from tenants.tables import table_of

AUDIT = table_of(Audit)
WINDOW = table_of(AuditWindow)

LONGEST = 300  # characters of what a client says of itself
PRUNED_AT_ONCE = 10_000
SECRET = re.compile(r"password|passphrase|secret|token|code|hash|otp", re.IGNORECASE)
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Client:
    """Where an act came from: address, user agent, which credential (`session:<id>`, `key:<id>`), which request."""

    address: str = ""
    agent: str = ""
    credential: str = ""
    request_id: str = ""


COMMAND_LINE = Client(agent="plein", credential="command-line")
"""Whoever runs a command on the machine of the gateway."""


@dataclass(frozen=True, slots=True)
class Act:
    """A privileged act: `action` is `thing.done` in lower case, `subject` what it was done to (an id, or a name).

    `account_id` is None for the command line and for who is not known; `tenant_id` for the platform as a whole.
    """

    action: str
    account_id: UUID | None
    tenant_id: UUID | None
    subject: str
    details: Mapping[str, Any] = field(default_factory=dict)
    client: Client = field(default_factory=Client)


async def record(tx: AsyncConnection, act: Act) -> None:
    """Write the act down, in a transaction of the platform's owner."""
    await tx.execute(insert(AUDIT).inline().values(_row(act)))


async def record_on_site(tx: AsyncConnection, act: Act) -> None:
    """Write the act down, in a transaction of the site that it is about."""
    await tx.execute(insert(WINDOW).inline().values(_row(act)))


async def prune_audit(tx: AsyncConnection, before: datetime) -> int:
    """Remove up to `PRUNED_AT_ONCE` acts from before; how many. `tx` is the platform owner's."""
    return await remove_some(tx, AUDIT, AUDIT.c.happened_at < before, PRUNED_AT_ONCE, first=AUDIT.c.happened_at)


def _row(act: Act) -> dict[str, Any]:
    for name in act.details:
        if SECRET.search(name):
            raise ValueError(f"the audit holds no secrets, and `{name}` reads like one")
    return {
        "id": uuid7(),
        "tenant_id": act.tenant_id,
        "account_id": act.account_id,
        "action": act.action,
        "subject": _plain(act.subject),
        "details": dict(act.details),
        "address": _plain(act.client.address),
        "agent": _plain(act.client.agent),
        "credential": act.client.credential,
        "request_id": _plain(act.client.request_id),
        "happened_at": datetime.now(UTC),
    }


def _plain(text: str) -> str:
    """A text from outside, without what could deceive whoever reads it, and not longer than it is worth."""
    return UNPRINTABLE.sub(" ", text)[:LONGEST]
