"""Revocations: what was let in a moment ago and may stay no longer, told to all who remember it, in every process.

Promises: a revocation stands in the database with what it is about, so none is lost: it is told by NOTIFY at once, and
looked for every few seconds in any case. Whoever is told forgets what they verified and closes what they opened; who
was verified before it and connects after it is found out as well (`has_ended`).
Never decides whether something is still valid: that says the row it was verified by.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from time import monotonic
from typing import Protocol
from uuid import UUID

from sqlalchemy import Interval, bindparam, cast, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.viewer import Viewer
from tenants.access_tables import Revocation
from tenants.errors import TenantsError
from tenants.ids import uuid7
from tenants.listener import Listener
from tenants.reader import Reader, Statement
from tenants.registry import written
from tenants.settings import DatabaseSettings
from tenants.tables import table_of

REVOCATION = table_of(Revocation)

CHANNEL = "plein_revoked"
"""Where it is told that there is something new; what it is stands in the table."""

ACCOUNT, CREDENTIAL, SITE = "ACCOUNT", "CREDENTIAL", "SITE"
OVERLAP_S = 600  # how late a row may come to light: longer than any transaction lives
KEPT = timedelta(days=1)
REMEMBERED_MOST = 50_000  # revocations of the last minutes; 10 MB when full
FAULT_S = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Revoked:
    """An account, or one credential (a session, a key, a client, a grant), that lets nobody in any more.

    Or a site that demands more of how people signed in: whoever is on it is looked at anew.
    """

    kind: str
    subject_id: UUID

    def is_about(self, viewer: Viewer) -> bool:
        """Whether this viewer was let in by it."""
        if self.kind == ACCOUNT:
            return viewer.account_id == self.subject_id
        return self.kind == CREDENTIAL and viewer.hangs_on(self.subject_id)


class Remembers(Protocol):
    """Whoever remembers credentials that were verified."""

    def forget(self, credential_id: UUID) -> None:
        """Forget one credential."""
        ...

    def forget_account(self, account_id: UUID) -> None:
        """Forget every credential of an account."""
        ...


async def revoke_account(tx: AsyncConnection, account_id: UUID) -> None:
    """End, with this transaction, what any credential of the account has opened. `tx` is the platform owner's."""
    await _revoke(tx, ACCOUNT, account_id)


async def revoke_credential(tx: AsyncConnection, credential_id: UUID) -> None:
    """End, with this transaction, what one session, key or client has opened. `tx` is the platform owner's."""
    await _revoke(tx, CREDENTIAL, credential_id)


async def revoke_credentials(tx: AsyncConnection, credential_ids: Sequence[UUID]) -> None:
    """The same for several at once; none is no fault."""
    await _revoke(tx, CREDENTIAL, *credential_ids)


async def look_anew(tx: AsyncConnection, tenant_id: UUID) -> None:
    """Let everybody who is on a site be looked at anew, with this transaction. `tx` is the platform owner's."""
    await _revoke(tx, SITE, tenant_id)


async def prune_revocations(tx: AsyncConnection) -> int:
    """Remove the revocations that everybody has heard of; how many. `tx` is the platform owner's."""
    done = await tx.execute(delete(REVOCATION).where(REVOCATION.c.revoked_at < datetime.now(UTC) - KEPT))
    return int(done.rowcount)


class Revocations:
    """Tells everybody in this process; one per process, on one event loop."""

    def __init__(self) -> None:
        self.count = 0
        self._hearers: list[Callable[[Revoked], None]] = []
        self._recent: OrderedDict[UUID, int] = OrderedDict()

    def hear(self, hearer: Callable[[Revoked], None]) -> None:
        """Call this at every revocation; it must not wait for anything."""
        self._hearers.append(hearer)

    def hear_for(self, memory: Remembers) -> None:
        """Let a memory of credentials forget what is revoked."""

        def hear(revoked: Revoked) -> None:
            if revoked.kind != SITE:
                (memory.forget_account if revoked.kind == ACCOUNT else memory.forget)(revoked.subject_id)

        self.hear(hear)

    def tell(self, revoked: Revoked) -> None:
        """Tell everybody. Again is no fault."""
        self.count += 1
        self._recent[revoked.subject_id] = self.count
        self._recent.move_to_end(revoked.subject_id)
        if len(self._recent) > REMEMBERED_MOST:
            self._recent.popitem(last=False)
        for hearer in self._hearers:
            hearer(revoked)

    def has_ended(self, viewer: Viewer, since: int) -> bool:
        """Whether what let this viewer in was revoked after `count` was `since`: before they could be told."""
        if self.count == since:
            return False
        by = (viewer.account_id, viewer.session_id, viewer.key_id, viewer.client_id, viewer.grant_id)
        return any(self._recent.get(each, 0) > since for each in by if each is not None)


class RevocationFeed:
    """Reads what is revoked anywhere and tells it here, from `open` to `close`."""

    def __init__(
        self, settings: DatabaseSettings, revocations: Revocations, load: Callable[[int], Awaitable[Sequence[Row]]]
    ) -> None:
        """`load` gives the rows of the last so many seconds."""
        self._revocations = revocations
        self._load = load
        self._woken = asyncio.Event()
        self._listener = Listener(settings, self._woken.set, channel=CHANNEL)
        self._told: dict[UUID, None] = {}
        self._read_at = monotonic()
        self._reading = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin. What was revoked before is nobody's business here: nothing was let in yet."""
        self._listener.open()
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Read no more."""
        await self._listener.close()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def catch_up(self) -> None:
        """Read now what is revoked by now. Raises a `ReadError`."""
        async with self._reading:
            began = monotonic()
            rows = await self._load(OVERLAP_S + int(began - self._read_at))
            self._read_at = began
            for row in rows:
                if row.id not in self._told:
                    self._revocations.tell(row.revoked)
            self._told = dict.fromkeys(row.id for row in rows)

    async def _follow(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self.catch_up()
            except TenantsError as error:
                logger.warning("cannot read what is revoked, trying again: %s", error)
                await asyncio.sleep(FAULT_S)
                self._woken.set()


@dataclass(frozen=True, slots=True)
class Row:
    """A revocation as it stands in the table."""

    id: UUID
    revoked: Revoked


async def load_revocations(reader: Reader, role: str, seconds: int) -> list[Row]:
    """The revocations of the last so many seconds, by the database's clock. Raises a `ReadError`."""
    rows = await reader.fetch(Statement(find_revocations(), role), (b"%d seconds" % seconds,))
    texts = ([(each or b"").decode() for each in row] for row in rows)
    return [Row(UUID(id_), Revoked(kind, UUID(subject_id))) for id_, kind, subject_id in texts]


@cache
def find_revocations() -> str:
    """SQL text; $1 says how long ago, as an interval."""
    row, ago = REVOCATION.c, cast(bindparam("ago", type_=Interval), Interval)
    since = func.now() - ago
    found = select(row.id, row.kind, row.subject_id).where(row.revoked_at > since).order_by(row.revoked_at)
    return written(found)


async def _revoke(tx: AsyncConnection, kind: str, *subject_ids: UUID) -> None:
    if not subject_ids:
        return
    rows = [{"id": uuid7(), "kind": kind, "subject_id": each, "revoked_at": func.now()} for each in subject_ids]
    await tx.execute(insert(REVOCATION).inline().values(rows))
    await tx.execute(select(func.pg_notify(CHANNEL, "")))
