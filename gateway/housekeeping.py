"""What has to be done now and then, by whichever process is there: old events go from the outbox.

Promises: several processes may do it at once, each a part; a fault is logged and the next time comes. Never removes
what somebody could still come back for.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tenants.database import Database
from tenants.outbox import KEPT, PRUNED_AT_ONCE, prune

EVERY_S = 3600.0
GRACE = timedelta(hours=1)  # so that a cursor that is just good enough still finds all that came after it

logger = logging.getLogger(__name__)


@contextmanager
def pruning(database: Database) -> Iterator[None]:
    """Remove old events every hour, while the block lasts."""
    task = asyncio.create_task(_prune_for_ever(database))
    try:
        yield
    finally:
        task.cancel()


async def prune_events(database: Database) -> int:
    """Remove the events that are too old to be asked for; how many. Raises as `Database.transaction` does."""
    removed, before = 0, datetime.now(UTC) - KEPT - GRACE
    while True:
        async with database.transaction(None) as tx:
            done = await prune(tx, before)
        removed += done
        if done < PRUNED_AT_ONCE:
            return removed


async def _prune_for_ever(database: Database) -> None:
    while True:
        await asyncio.sleep(EVERY_S * random.uniform(0.5, 1.5))  # noqa: S311 - several processes start together
        try:
            await prune_events(database)
        except Exception as error:  # the next time comes
            logger.warning("old events could not be removed: %s", error)
