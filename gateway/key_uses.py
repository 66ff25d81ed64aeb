"""When keys were last used, written down beside the requests and never by them.

Promises: a request that shows a key waits for nothing of this; a key's last use is written at most once a minute, by
whichever processes it was shown to, and once more when a process stops. Never says that a key is good.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from auth.api_keys import USE_SECONDS, KeyVerifier, note_use
from gateway.beside import beside
from tenants.database import Database

logger = logging.getLogger(__name__)


@asynccontextmanager
async def noting_uses(
    database: Database, keys: KeyVerifier, *, every_s: float = USE_SECONDS / 2
) -> AsyncIterator[None]:
    """Write which keys were used, while the block lasts and at its end."""
    try:
        async with beside(_note_for_ever(database, keys, every_s)):
            yield
    finally:
        await note_uses(database, keys)


async def note_uses(database: Database, keys: KeyVerifier) -> None:
    """Write which keys were used since the last time. A fault is logged, and the next time comes."""
    used, keys.used = keys.used, set()
    if not used:
        return
    try:
        async with database.transaction(None) as tx:
            await note_use(tx, used)
    except Exception as error:  # nobody waits for it
        logger.warning("the last use of %d keys could not be written: %s", len(used), error)
        keys.used |= used


async def _note_for_ever(database: Database, keys: KeyVerifier, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        await note_uses(database, keys)
