"""The log of slow statements, with the plan of compiled reads.

Promises: a line with the normalised statement, how long it ran and waited, its operation and site, never a parameter;
at most so many lines in a while, and how many were left out. The plan comes in a line of its own, without running the
statement again, on a connection of its own, one at a time, and for the same statement not again within ten minutes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from time import monotonic
from typing import TYPE_CHECKING, Any

from gateway.telemetry.normal import fingerprint, normal_sql, without_strings

if TYPE_CHECKING:
    from tenants.watch import Ran

LINES_MOST = 20
LINES_S = 10.0
PLAN_AGAIN_S = 600.0
PLANS_REMEMBERED = 500

logger = logging.getLogger("plein.slow")


class SlowStatements:
    """Tells of slow statements; one per process. `conninfo` is the database's, for asking after plans."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._since = monotonic()
        self._lines = 0
        self._left_out = 0
        self._planned: OrderedDict[str, float] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def tell(self, ran: Ran) -> None:
        """Tell of this one, or count it among those left out."""
        now = monotonic()
        if now - self._since > LINES_S:
            self._since, self._lines = now, 0
        if self._lines >= LINES_MOST:
            self._left_out += 1
            return
        self._lines += 1
        text = normal_sql(ran.text)
        fields = self._fields(ran, text)
        if self._left_out:
            fields["left_out"], self._left_out = self._left_out, 0
        logger.warning("a statement took %d ms", ran.took_s * 1000, extra={"fields": fields})
        if ran.asked.role is not None and self._may_plan(fields["statement"], now):
            self._task = asyncio.create_task(self._plan(ran, ran.asked.role, fields["statement"]))

    async def close(self) -> None:
        """Wait for nothing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _fields(self, ran: Ran, text: str) -> dict[str, Any]:
        found = {
            "statement": fingerprint(text),
            "took_ms": round(ran.took_s * 1000, 1),
            "waited_ms": round((ran.began - ran.asked.at) * 1000, 1),
            "operation": ran.asked.operation,
            "site": ran.asked.site,
            "error": ran.error,
            "sql": text,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _may_plan(self, statement: str, now: float) -> bool:
        """Whether to ask for the plan now; notes that it was asked for."""
        if self._task is not None and not self._task.done():
            return False
        if now - self._planned.get(statement, -PLAN_AGAIN_S) < PLAN_AGAIN_S:
            return False
        self._planned[statement] = now
        self._planned.move_to_end(statement)
        if len(self._planned) > PLANS_REMEMBERED:
            self._planned.popitem(last=False)
        return True

    async def _plan(self, ran: Ran, role: str, statement: str) -> None:
        from tenants.explain import explain  # noqa: PLC0415 - only where something is slow

        try:
            lines = await explain(self._conninfo, ran.text, role, ran.parameters)
        except Exception as error:  # the database has enough to do as it is; the next time, perhaps
            logger.info("no plan for statement %s: %s", statement, type(error).__name__)
            return
        plan = "\n".join(without_strings(line) for line in lines)
        fields = {"statement": statement, "operation": ran.asked.operation, "site": ran.asked.site, "plan": plan}
        shown = {name: value for name, value in fields.items() if value is not None}
        logger.warning("the plan of a slow statement", extra={"fields": shown})
