"""What has to be done now and then, by whichever process is there: what is over goes.

Promises: several processes may do it at once, each a part; a fault is logged and the next time comes. Never removes
what somebody could still come back for.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from functools import partial

from auth.audit import prune_audit
from auth.local.attempts import remove_old_attempts
from auth.local.email_change import remove_old_changes
from auth.local.links import remove_old_links
from auth.passes import remove_old_passes
from auth.relying.once import forget_spent
from auth.revocations import prune_revocations
from auth.session_limits import SessionLimits
from auth.sessions import remove_ended_sessions
from gateway.beside import beside
from tenants.database import Database, Transaction
from tenants.outbox import KEPT, PRUNED_AT_ONCE, prune

EVERY_S = 3600.0
GRACE = timedelta(hours=1)  # so that a cursor that is just good enough still finds all that came after it

Chore = Callable[[Transaction], Awaitable[int]]
"""Removes a part of what is over; how many, 0 when there is nothing left."""

logger = logging.getLogger(__name__)


def pruning(
    database: Database, limits: SessionLimits, *others: Callable[[], Awaitable[object]]
) -> AbstractAsyncContextManager[None]:
    """Remove what is over every hour, while the block lasts. `limits` say when sessions are; `others` are done too."""
    return beside(_prune_for_ever(database, limits, *others))


async def prune_events(database: Database) -> int:
    """Remove the events that are too old to be asked for; how many. Raises as `Database.transaction` does."""
    removed, before = 0, datetime.now(UTC) - KEPT - GRACE
    while True:
        async with database.transaction(None) as tx:
            done = await prune(tx, before)
        removed += done
        if done < PRUNED_AT_ONCE:
            return removed


async def remove_old_acts(database: Database, kept: timedelta | None) -> int:
    """Remove the acts that are older than they are kept (None: for ever); how many."""
    removed, done = 0, int(kept is not None)
    while kept is not None and done:
        async with database.transaction(None) as tx:
            done = await prune_audit(tx, datetime.now(UTC) - kept)
        removed += done
    return removed


async def remove_what_is_over(database: Database, limits: SessionLimits) -> int:
    """Remove sessions, passes, links and counts that are over; how many. Raises as `Database.transaction` does."""
    chores: tuple[Chore, ...] = (
        prune_revocations,
        lambda tx: remove_ended_sessions(tx, limits),
        remove_old_passes,
        remove_old_links,
        remove_old_changes,
        remove_old_attempts,
        forget_spent,
    )
    removed = 0
    for chore in chores:
        done = 1
        while done:  # each time a part, so that nobody waits long for a lock
            async with database.transaction(None) as tx:
                done = await chore(tx)
            removed += done
    return removed


async def _prune_for_ever(database: Database, limits: SessionLimits, *others: Callable[[], Awaitable[object]]) -> None:
    jobs: tuple[Callable[[], Awaitable[object]], ...] = (
        partial(prune_events, database),
        partial(remove_what_is_over, database, limits),
        *others,
    )
    while True:
        await asyncio.sleep(EVERY_S * random.uniform(0.5, 1.5))  # noqa: S311 - several processes start together
        for job in jobs:
            try:
                await job()
            except Exception as error:  # the next time comes
                logger.warning("what is over could not be removed: %s", error)
