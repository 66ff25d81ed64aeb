"""Telling clients of sessions that are over, while the gateway serves.

Promises: begins as soon as a session is ended anywhere, and looks every few seconds in any case; a fault is logged and
the next time comes.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from auth.provider.logouts import COLLECTED_AT_ONCE, claim_notices, collect_ended, tell
from auth.provider.provider import Provider
from auth.relying.outside import Outside
from auth.revocations import Revocations
from gateway.beside import beside

EVERY_S = 5.0

logger = logging.getLogger(__name__)


@asynccontextmanager
async def telling_clients(provider: Provider, revocations: Revocations) -> AsyncIterator[None]:
    """Tell clients, while the block lasts."""
    woken = asyncio.Event()
    revocations.hear(lambda _revoked: woken.set())
    async with beside(_tell_for_ever(provider, woken)):
        yield


async def tell_now(provider: Provider, outside: Outside) -> int:
    """Tell whatever is due; how many clients were spoken to, successfully or not."""
    collected = COLLECTED_AT_ONCE
    while collected == COLLECTED_AT_ONCE:
        async with provider.transaction() as tx:
            collected = await collect_ended(tx, provider.clock())
    async with provider.transaction() as tx:
        notices = await claim_notices(tx, provider.clock())
    await asyncio.gather(*(tell(provider, outside, each) for each in notices))
    return len(notices)


async def _tell_for_ever(provider: Provider, woken: asyncio.Event) -> None:
    outside = Outside()
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S * random.uniform(0.5, 1.5)):  # noqa: S311 - processes start together
                await woken.wait()
        woken.clear()
        try:
            while await tell_now(provider, outside):
                pass
        except Exception as error:  # the next time comes
            logger.warning("clients could not be told of sessions that are over: %s", error)
