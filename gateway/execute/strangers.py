"""Sites that do not know the viewer by how they signed in: of which of them that is told.

Promises: that there is such a site is told to nobody who could not find it, signed in as it demands. One statement,
however many sites there are, and none where every site that was asked knows the viewer.
"""

from __future__ import annotations

from uuid import UUID

from gateway.execute.run import Run
from schema.compiler.strangers import OPEN, find_findable
from tenants.reader import Statement


async def keep_findable(run: Run) -> None:
    """Let the answer tell of those sites only that the account could find."""
    call, role = run.call, run.square.registry.platform_role
    sites = b"{%s}" % ",".join(map(str, call.strange)).encode()
    rows = await run.square.reader.fetch(Statement(find_findable(), role, run.plan.name), (sites, OPEN, call.viewer_id))
    findable = {UUID((row[0] or b"").decode()) for row in rows}
    for tenant_id in set(call.strange) - findable:
        del call.strange[tenant_id]
