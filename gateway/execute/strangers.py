"""Sites that do not know the viewer by how they signed in: of which of them that is told.

Promises: that there is such a site is told to nobody who could not find it, signed in as it demands. One statement,
however many sites there are (of an answer in parts: one for each part in which there are new ones), and none where
every site that was asked knows the viewer.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from gateway.context import Payload
from gateway.errors import error_from
from gateway.execute.run import Run
from schema.compiler.strangers import OPEN, find_findable
from tenants.reader import Statement


async def keep_findable(run: Run) -> None:
    """Let the answer tell of those sites only that the account could find."""
    for tenant_id in set(run.call.strange) - await findable(run, run.call.strange):
        del run.call.strange[tenant_id]


async def findable(run: Run, tenant_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these sites that the account could find."""
    call, role = run.call, run.square.registry.platform_role
    sites = b"{%s}" % ",".join(map(str, tenant_ids)).encode()
    rows = await run.square.reader.fetch(Statement(find_findable(), role, run.plan.name), (sites, OPEN, call.viewer_id))
    return {UUID((row[0] or b"").decode()) for row in rows}


class Strangers:
    """The same for an answer in parts: each site is told of once, with the first part after it was asked."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._known: set[UUID] = set()

    async def tell(self, payload: Payload) -> None:
        """Put the errors that are to be told into this payload, if it has a place for them."""
        strange = self._run.call.strange
        new = strange.keys() - self._known
        holder = payload if "data" in payload else next(iter(payload.get("incremental", ())), None)
        if not new or holder is None:
            return
        errors = [error_from(strange[each]) for each in await findable(self._run, new)]
        self._known |= new
        if errors:
            holder["errors"] = [*holder.get("errors", ()), *errors]
