"""The executor: finds or makes the plan of an operation, runs its root fields, and gives the response's body.

Promises: query fields run at the same time, mutation fields one after the other, each in its own transaction; plans are
kept by operation and shape of variables, within a bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from functools import partial
from typing import Any

import orjson
from graphql import OperationType

from auth.audit import Client
from auth.scopes import Scope
from auth.viewer import PlatformRole, Viewer
from gateway.context import NOWHERE, Payload, Square
from gateway.documents import Document, Operation, Prepared
from gateway.execute.across import feed_field, guarded, search_field
from gateway.execute.federation import entities_field, service_field
from gateway.execute.incremental.delivery import deliver
from gateway.execute.incremental.fields import StagedRun, staged_field, with_asides
from gateway.execute.incremental.sources import Sources, Values
from gateway.execute.incremental.tree import Tree
from gateway.execute.introspection import META_FIELDS, require_introspection
from gateway.execute.mutation import mutation_field
from gateway.execute.nodes import node_field, nodes_field
from gateway.execute.plans import Plans
from gateway.execute.run import EVERYWHERE, Plan, Run, RunField
from gateway.execute.sites import platform_field, site_field
from gateway.execute.splice import body
from gateway.execute.strangers import Strangers, keep_findable
from gateway.federated_trace import Spans, current_spans, timed
from gateway.limits import limit_exceeded
from schema.bind import Binding, Connected, Mutates, Root, Rooted, needs_of
from schema.compiler.part import Call
from schema.compiler.selection import Selected
from schema.compiler.trail import levels, under
from schema.errors import ErrorCode, PleinError, out_of_scope
from tenants.registry import Registry

FIELDS = {
    Root.VIEWER: platform_field,
    Root.SITE: site_field,
    Root.NODE: node_field,
    Root.NODES: nodes_field,
    Root.FEED: feed_field,
    Root.SEARCH: search_field,
    Root.ENTITIES: entities_field,
    Root.SERVICE: service_field,
}


class Executor:
    """Runs operations; one per process. It keeps compiled plans and answers about the schema, and nothing else."""

    def __init__(self) -> None:
        self._plans = Plans()

    @property
    def plans_kept(self) -> int:
        """How many compiled operations are kept."""
        return self._plans.kept

    async def execute(
        self, square: Square, prepared: Prepared, viewer: Viewer, here: str | None, client: Client = NOWHERE
    ) -> bytes:
        """The whole body of the response; raises where the request as a whole fails."""
        document, operation, variables, _ = prepared
        if operation.type is OperationType.SUBSCRIPTION:
            raise PleinError(ErrorCode.BAD_USER_INPUT, "Subscribe over WebSocket, or with `Accept: text/event-stream`.")
        plan = self._plans.find(square, document, operation, variables, viewer.narrowing)
        _weighed(square, plan, variables)
        if not plan.fields:
            plan.fields = tuple(_field_of(plan, document, operation, selected) for selected in plan.selected)
        call, registry = _call(square, variables, viewer), _registry(square, viewer)
        run = Run(square, plan, call, viewer, here, square.reader.fetch, registry, client)
        if len(plan.fields) == 1:
            selected = plan.selected[0]
            try:
                pairs = plan.openings[0] + await plan.fields[0](run, selected)
            except Exception as error:  # as in `_field`, without one more coroutine on the way of most requests
                pairs = plan.openings[0] + _failed(run, selected, error)
        else:
            values = await (_serially if operation.type is OperationType.MUTATION else _together)(run, current_spans())
            pairs = b",".join(map(b"".join, zip(plan.openings, values, strict=True)))
        if call.strange:
            await keep_findable(run)
        return body(call, b"{" + pairs + b"}")

    async def deliver(
        self, square: Square, prepared: Prepared, viewer: Viewer, here: str | None, client: Client = NOWHERE
    ) -> AsyncGenerator[Payload | bytes]:
        """The response to a query in parts; or its one body, where nothing is gained. Raises before the first part."""
        document, operation, variables, _ = prepared
        plan = self._plans.find(square, document, operation, variables, viewer.narrowing).staged
        if plan is None:
            yield await self.execute(square, prepared, viewer, here, client)
            return
        assert plan.stages is not None
        _weighed(square, plan, variables)
        if not plan.fields:
            plan.fields = tuple(_field_of(plan, document, operation, selected) for selected in plan.selected)
        call, registry = _call(square, variables, viewer), _registry(square, viewer)
        sources = Sources(call.nonce, square.reader.load.connections)
        given = (square, plan, call, viewer, here, square.reader.fetch, registry, client)
        run = StagedRun(*given, stages=plan.stages, sources=sources)
        strangers, values = Strangers(run), {}
        for selected, field in zip(plan.selected, plan.fields, strict=True):
            read = partial(_staged_field, run, selected, field)
            values[selected.key] = sources.mark(sources.add(read))
        tree = Tree(call, plan.stages, sources, with_asides(run, (), values))
        async with aclosing(deliver(tree, sources, square.settings.limits.time_ms)) as payloads:
            async for payload in payloads:
                if call.strange:
                    await strangers.tell(payload)
                yield payload if "hasNext" in payload else orjson.dumps(payload)

    def weigh(self, square: Square, document: Document, operation: Operation, variables: dict[str, Any]) -> int:
        """How many nodes the answer can hold at the most. Raises PleinError if they are too many. Nothing is run."""
        return _weighed(square, self._plans.find(square, document, operation, variables), variables)


def _call(square: Square, variables: dict[str, Any], viewer: Viewer) -> Call:
    secret = square.settings.secret.encode()
    return Call(variables, viewer.key, secret, viewer.site_keys, viewer.assurance, viewer.session_key)


def _registry(square: Square, viewer: Viewer) -> Registry:
    """The register, as far as the viewer's credential reaches."""
    return square.registry if viewer.sites is None else square.registry.narrowed(viewer.sites)


def _weighed(square: Square, plan: Plan, variables: dict[str, Any]) -> int:
    most, nodes = square.settings.limits.nodes, plan.cost.nodes(variables)
    if nodes > most:
        raise limit_exceeded("nodes", most, asked=nodes)
    return nodes


async def _together(run: Run, spans: Spans | None) -> list[bytes]:
    """Queries at the same time."""
    fields = zip(run.plan.selected, run.plan.fields, strict=True)
    return await asyncio.gather(*(_one_of(run, *each, spans) for each in fields))


async def _serially(run: Run, spans: Spans | None) -> list[bytes]:
    """Mutations in order. What was done is told, even when the database is gone before the next."""
    values: list[bytes] = []
    for selected, field in zip(run.plan.selected, run.plan.fields, strict=True):
        try:
            values.append(await _one_of(run, selected, field, spans))
        except EVERYWHERE as error:
            if not values:
                raise
            values.append(run.mark(error, levels(under((), selected.output)), selected.nodes[0]))
    return values


def _one_of(run: Run, selected: Selected, field: RunField, spans: Spans | None) -> Awaitable[bytes]:
    """One of several root fields, timed where somebody asked for it."""
    one = _field(run, selected, field)
    return one if spans is None else timed(spans, selected.key, one)


async def _field(run: Run, selected: Selected, field: RunField) -> bytes:
    """The JSON of a root field, or the mark of its error."""
    try:
        return await field(run, selected)
    except Exception as error:
        return _failed(run, selected, error)


def _failed(run: Run, selected: Selected, error: Exception) -> bytes:
    """The mark of a root field's error: its fault is not the others'. What concerns all of them is raised again."""
    meta = META_FIELDS.get(selected.name)
    output = selected.output if meta is None else meta.type
    return run.fail(error, levels(under((), output)), selected.nodes[0])


async def _staged_field(run: StagedRun, selected: Selected, plain: RunField) -> Values:
    """The value of a root field, with gaps where something is still to be read, or the mark of its error."""
    binding = run.plan.compiler.catalogue.bindings.get((selected.parent.name, selected.name))
    field = None if _lacking(run.plan, binding) else staged_field(run, selected)
    if field is None:
        return [await _field(run, selected, plain)]
    try:
        if isinstance(binding, Connected) and binding.only is not None:
            _require_role(run, binding.only)
        return [await guarded(run, selected, field)]
    except Exception as error:  # as in `_field`
        return [run.fail(error, levels(under((), selected.output)), selected.nodes[0])]


def _field_of(plan: Plan, document: Document, operation: Operation, selected: Selected) -> RunField:
    """How a root field is run."""
    if selected.name == "__typename":
        return _typename
    if selected.name in META_FIELDS:
        return _about_schema(document, operation)
    binding = plan.compiler.catalogue.bindings[selected.parent.name, selected.name]
    lacking = _lacking(plan, binding)
    return _bound_field(binding) if lacking is None else _out_of_scope(lacking)


def _bound_field(binding: Binding) -> RunField:
    match binding:
        case Rooted(root):
            return FIELDS[root]
        case Connected(only=role) if role is not None:
            return partial(_reserved_field, role=role)
        case Connected():
            return platform_field
        case Mutates():
            return partial(mutation_field, mutates=binding)
    raise TypeError(f"this binds no root field: {binding}")


async def _reserved_field(run: Run, selected: Selected, *, role: PlatformRole) -> bytes:
    """A list for accounts with a role on the platform."""
    _require_role(run, role)
    return await platform_field(run, selected)


def _require_role(run: Run, role: PlatformRole) -> None:
    if run.viewer.platform_role < role:
        raise PleinError(ErrorCode.FORBIDDEN, f"Only {role.name.lower()}s of the square can read this.")


def _lacking(plan: Plan, binding: Binding | None) -> Scope | None:
    """The scope that the viewer's credential would need for a root field and does not have."""
    narrowing = plan.compiler.narrowing
    needed = needs_of(binding)
    return None if narrowing is None or narrowing.allows(needed) else needed


def _out_of_scope(needed: Scope) -> RunField:
    """A field that the viewer's credential is not for."""

    async def field(_run: Run, _selected: Selected) -> bytes:
        raise out_of_scope(needed)

    return field


async def _typename(_run: Run, selected: Selected) -> bytes:
    return b'"' + selected.parent.name.encode() + b'"'


def _about_schema(document: Document, operation: Operation) -> RunField:
    """A field about the schema; several in one operation share what may be told."""

    async def field(run: Run, selected: Selected) -> bytes:
        settings, plan = run.square.settings, run.plan
        require_introspection(settings.introspection, run.viewer)
        share = settings.limits.introspection // sum(each.name in META_FIELDS for each in plan.selected)
        variables = dict(run.call.variables)
        return plan.introspections.field(run.square.schema, document, operation, selected, variables, share)

    return field
