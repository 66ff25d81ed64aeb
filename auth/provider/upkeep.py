"""What has to be done now and then for the provider: keys made in time, and rows removed that nobody needs any more.

Promises: several processes may do it at once; what is removed could not be used any more, and is kept for a week longer
so that whoever shows it again is still found out.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, Table, or_, select

from auth.provider.grants import GRANT, PRUNED_AT_ONCE, end_grants, prune_grants
from auth.provider.provider import Provider
from auth.provider.signing_keys import keep_keys
from auth.provider.token_requests import CODE, REFRESH
from tenants.provider_tables import UsedAssertion
from tenants.pruning import remove_some
from tenants.tables import table_of

USED_ASSERTION = table_of(UsedAssertion)
KEPT = timedelta(days=7)


async def keep_up(provider: Provider) -> None:
    """Do all of it. Raises as opening a transaction does."""
    now = provider.clock()
    async with provider.transaction() as tx:
        await keep_keys(tx, provider.settings, now)
    async with provider.transaction() as tx:
        unused = select(CODE.c.grant_id).where(CODE.c.used_at.is_(None), CODE.c.expires_at < now)
        await end_grants(tx, GRANT.c.id.in_(unused), now)
    while True:
        async with provider.transaction() as tx:
            if await prune_grants(tx, now - KEPT) < PRUNED_AT_ONCE:
                break
    await _remove(provider, REFRESH, or_(REFRESH.c.expires_at < now, REFRESH.c.used_at < now - KEPT))
    await _remove(provider, USED_ASSERTION, USED_ASSERTION.c.expires_at < now)


async def _remove(provider: Provider, table: Table, old: ColumnElement[bool]) -> None:
    """Remove these rows, a part at a time."""
    removed = PRUNED_AT_ONCE
    while removed == PRUNED_AT_ONCE:
        async with provider.transaction() as tx:
            removed = await remove_some(tx, table, old, PRUNED_AT_ONCE)
