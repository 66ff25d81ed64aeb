"""What one subscription follows: a topic on a site or within a thing, and what is to be told of each event.

Promises: a subscription that cannot be followed (no such site, not to be seen, a foreign cursor) is refused at the
start with a coded error. Whether a viewer may see an event is not decided here: it is asked again at every event.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from graphql import (
    FieldNode,
    GraphQLObjectType,
    VariableNode,
    Visitor,
    get_named_type,
    visit,
)

from auth.assurance import ADMITTED
from auth.scopes import Scope
from auth.viewer import Viewer
from gateway.context import Square
from gateway.documents import Document, Operation, Prepared
from gateway.execute.plans import Plans
from gateway.execute.run import Plan, Run
from gateway.execute.splice import suspended
from gateway.limits import limit_exceeded
from schema.bind import Made, Subscribed
from schema.compiler.audience import entrance
from schema.compiler.part import Call
from schema.compiler.selection import Selected, collect
from schema.errors import ErrorCode, PleinError, bad_input, not_found, out_of_scope, step_up_required
from schema.events import Topic
from schema.relay import PLATFORM_ID, CursorKey, cursor_key, decode_cursor, decode_id, encode_cursor
from tenants.outbox import KEPT, Event, Position
from tenants.registry import TenantRef

SITE = "S"
SINCE = "since"


@dataclass(frozen=True, eq=False)
class Question:
    """What is followed. Those with an equal `key` follow the same and are told the same, as far as they are alike."""

    key: tuple[object, ...]
    plan: Plan
    variables: Mapping[str, Any]
    selected: Selected
    binding: Subscribed
    tenant: TenantRef
    within_id: UUID | None
    kinds: frozenset[str] | None
    fields: tuple[tuple[Selected, str | None], ...]
    """The payload's fields, each with the name of what it tells; None for `__typename`."""

    def asks_for(self, event: Event) -> bool:
        """Whether an event on this topic and site is one that is followed."""
        return (self.within_id is None or event.within_id == self.within_id) and (
            self.kinds is None or event.kind in self.kinds
        )


def read_question(square: Square, plans: Plans, prepared: Prepared, viewer: Viewer) -> Asked:
    """What an operation of type subscription asks for. Raises PleinError where it asks for nothing there can be."""
    document, operation, variables, _ = prepared
    narrowing = viewer.narrowing
    if narrowing is not None and not narrowing.allows(Scope.READ):
        raise out_of_scope(Scope.READ)
    plan = plans.find(square, document, operation, variables, narrowing)
    most, nodes = square.settings.limits.nodes, plan.cost.nodes(variables)
    if nodes > most:
        raise limit_exceeded("nodes", most, asked=nodes)
    if len(plan.selected) != 1:
        raise PleinError(ErrorCode.BAD_USER_INPUT, "A subscription selects exactly one field.")
    selected = plan.selected[0]
    binding = plan.compiler.catalogue.bindings.get((selected.parent.name, selected.name))
    if not isinstance(binding, Subscribed):
        raise PleinError(ErrorCode.BAD_USER_INPUT, f"`{selected.name}` cannot be followed.")
    given = {name: value.read(variables) for name, value in plan.arguments(selected).items()}
    kinds = given.get("kinds")
    return Asked(
        plan,
        variables,
        selected,
        binding,
        str(given[binding.at]),
        None if kinds is None else frozenset(each.name if hasattr(each, "name") else str(each) for each in kinds),
        given.get(SINCE),
        (operation, narrowing, *_alike(document, operation, variables)),
    )


@dataclass(frozen=True, eq=False)
class Asked:
    """What an operation asks to follow, before it is known whether the viewer may."""

    plan: Plan
    variables: Mapping[str, Any]
    selected: Selected
    binding: Subscribed
    at: str
    kinds: frozenset[str] | None
    since: str | None
    alike: tuple[object, ...]

    async def enter(self, square: Square, viewer: Viewer) -> Question:
        """The question, if this viewer may ask it now. Raises NOT_FOUND and SITE_SUSPENDED."""
        binding = self.binding
        node = decode_id(self.at)
        if node is None or node.tag != binding.at_tag or (node.tag == SITE and node.tenant_id != PLATFORM_ID):
            raise not_found(binding.at)
        tenant = await square.registry.by_id(node.key if node.tag == SITE else node.tenant_id)
        if tenant is None or not viewer.reaches(tenant.id):
            raise not_found(binding.at)
        run = run_as(square, self.plan, self.variables, viewer.account_id)
        run.call.wanted[node.tag, tenant.id] = [node.key]
        part = self.plan.parts.get("entrance")
        if part is None:
            part = self.plan.parts["entrance"] = entrance(self.plan.compiler, node.tag)
        rows = await run.rows(part, tenant)
        if not rows:
            raise not_found(binding.at)
        if rows[0][0] != b"ACTIVE" and binding.topic != Topic.SITE:
            raise suspended()
        if rows[0][1] != b"true":
            raise not_found(binding.at)
        require_known(square, tenant, viewer)
        within_id = None if node.tag == SITE else node.key
        key = (*self.alike, self.selected.name, tenant.id, within_id, self.kinds)
        fields = _payload_fields(self.plan, self.selected)
        return Question(key, self.plan, self.variables, self.selected, binding, tenant, within_id, self.kinds, fields)


def require_known(square: Square, tenant: TenantRef, viewer: Viewer) -> None:
    """Raise STEP_UP_REQUIRED for somebody whom the site does not know by how they signed in."""
    if tenant.demand is not None and viewer.account_id is not None and not viewer.assurance.meets(tenant.demand):
        raise step_up_required(tenant.slug, square.settings.base_url)


def run_as(square: Square, plan: Plan, variables: Mapping[str, Any], account_id: UUID | None) -> Run:
    """A run of the plan as this account, or as a visitor; whether the site knows them was looked at before."""
    viewer = Viewer(account_id, assurance=ADMITTED)
    call = Call(variables, viewer.key, square.settings.secret.encode())
    return Run(square, plan, call, viewer, None, square.reader.fetch, square.registry)


def write_cursor(secret: bytes, tenant_id: UUID, event: Event) -> str:
    """The public form of an event's place: sealed, with its time."""
    value = f"{event.position.xid}|{int(event.happened_at.timestamp())}"
    return encode_cursor(_seal(secret, tenant_id), event.position.id, value)


def read_cursor(secret: bytes, tenant_id: UUID, text: str) -> Position:
    """The place in a cursor. Raises BAD_USER_INPUT for a foreign one, and for one from before what is kept."""
    id_, value = decode_cursor(_seal(secret, tenant_id), text, SINCE)
    xid, _, seconds = value.partition("|")
    if int(seconds) < time.time() - KEPT.total_seconds():
        raise bad_input(SINCE, f"What happened is kept for {KEPT.days} days: read the list again, then follow it.")
    return Position(int(xid), id_)


@lru_cache(maxsize=4096)
def _seal(secret: bytes, tenant_id: UUID) -> CursorKey:
    assert tenant_id != PLATFORM_ID
    return cursor_key(secret, tenant_id, "Subscription", SINCE)


def _payload_fields(plan: Plan, selected: Selected) -> tuple[tuple[Selected, str | None], ...]:
    type_ = get_named_type(selected.output)
    assert isinstance(type_, GraphQLObjectType)
    fields: list[tuple[Selected, str | None]] = []
    for item in collect(plan.compiler.operation, type_, selected.selection_sets):
        binding = None if item.definition is None else plan.compiler.catalogue.bindings[type_.name, item.name]
        fields.append((item, binding.name if isinstance(binding, Made) else None))
    return tuple(fields)


def _alike(document: Document, operation: Operation, variables: Mapping[str, Any]) -> tuple[object, ...]:
    """What of the variables makes a difference to what is told: all, but for one that only says since when."""
    own = _since_variable(document, operation)
    counted = {name: value for name, value in variables.items() if name != own}
    return (orjson.dumps(counted, default=str, option=orjson.OPT_SORT_KEYS),)


class _Uses(Visitor):
    """Counts where variables stand, and finds the one that is given as `since`."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.since: str | None = None

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Look at the arguments of a field."""
        for argument in node.arguments or ():
            if argument.name.value == SINCE and isinstance(argument.value, VariableNode):
                self.since = argument.value.name.value

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        """Count a variable."""
        self.counts[node.name.value] = self.counts.get(node.name.value, 0) + 1


@lru_cache(maxsize=1000)
def _since_variable(document: Document, operation: Operation) -> str | None:
    """The variable that stands as `since` and nowhere else: in its declaration and there."""
    uses = _Uses()
    for node in (operation.node, *document.fragments.values()):
        visit(node, uses)
    return uses.since if uses.since and uses.counts[uses.since] == 2 else None
