"""Compiled operations, kept for the next call of the same shape.

Promises: a plan is found by operation and by the shape of its variables, keeps none of their texts, and is shared by
all callers; how many are kept is bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from time import perf_counter
from typing import Any

from auth.viewer import Narrowing
from gateway.context import Square
from gateway.documents import Document, Operation
from gateway.execute.introspection import Introspections
from gateway.execute.run import Plan
from gateway.record import note_step
from schema.catalogue import catalogue_of
from schema.compiler.compile import Compiler
from schema.compiler.cost import cost_of
from schema.compiler.selection import Operation as Selection
from schema.compiler.selection import collect, shape, skeleton
from schema.compiler.stages import stages_of

PLANS_MOST = 2000
"""How many compiled operations are kept."""


class Plans:
    """The plans made lately."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], Plan] = OrderedDict()
        self._introspections = Introspections()

    @property
    def kept(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def find(
        self,
        square: Square,
        document: Document,
        operation: Operation,
        variables: dict[str, Any],
        narrowing: Narrowing | None = None,
    ) -> Plan:
        """The plan of an operation for variables of this shape and credentials narrowed so, made now if need be."""
        key: tuple[Any, ...] = (operation, operation.shape or shape(variables))
        if narrowing is not None:
            key = (*key, narrowing)
        plan = self._kept.get(key)
        if plan is not None:
            self._kept.move_to_end(key)
            return plan
        began = perf_counter()
        schema = square.schema
        selection = Selection(schema, document.fragments, skeleton(variables))
        root = schema.get_root_type(operation.type)
        assert root is not None
        catalogue, selected = catalogue_of(schema), collect(selection, root, (operation.node.selection_set,))
        cost = cost_of(selection, catalogue, selected)
        plan = Plan(Compiler(selection, catalogue, narrowing), selected, cost, self._introspections, operation.name)
        if operation.is_incremental:
            stages = stages_of(selection, catalogue, operation.node.selection_set)
            if stages is not None:
                compiler = Compiler(selection, catalogue, narrowing, stages.late)
                plan.staged = replace(plan, compiler=compiler, stages=stages, parts={}, given={}, fields=())
        note_step("plan", began)
        self._kept[key] = plan
        if len(self._kept) > PLANS_MOST:
            self._kept.popitem(last=False)
        return plan
