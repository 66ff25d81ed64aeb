"""Connections as SQL: `edges`, `pageInfo` and `totalCount`, each only if selected.

Promises: one subquery for the page and one for the total, whatever the page size; see `paginate` for how a page is cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from graphql import GraphQLNamedType, GraphQLObjectType, GraphQLOutputType, get_named_type
from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Text,
    Uuid,
    and_,
    case,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.types import TypeEngine

from schema.bind import Connected, Order, Source
from schema.compiler import paginate
from schema.compiler.filters import given
from schema.compiler.json import EMPTY_LIST
from schema.compiler.paginate import CUT, NUMBER, Page
from schema.compiler.part import Call, Getter, Path
from schema.compiler.selection import Selected, Value, arguments, collect
from schema.compiler.trail import Trail, under
from schema.relay import CursorKey, cursor_key, decode_cursor

if TYPE_CHECKING:
    from schema.compiler.sql import Draft

CASTS: Mapping[str, TypeEngine[Any]] = {
    "text": Text(),
    "text[]": ARRAY(Text),
    "uuid": Uuid(),
    "timestamptz": DateTime(timezone=True),
    "int": Integer(),
}
"""The types that filters may cast their parameter to."""


@dataclass(frozen=True)
class Stretch:
    """A list while it is compiled: its nodes' source, its page and order, and how the key of its cursors is read."""

    source: Source
    page: Page
    order: Order
    seal_key: Getter

    @property
    def key(self) -> str:
        """The name of the nodes' key column."""
        return self.source.key


def connection_json(
    draft: Draft, selected: Selected, binding: Connected, row: Any, trail: Trail, path: Path
) -> ColumnElement[Any]:
    """The JSON of a connection hanging on `row` (None at the root)."""
    given_arguments = arguments(draft.operation, selected)
    type_ = object_type(selected.output)
    source = draft.catalogue.source(node_type(type_).name)
    fields = collect(draft.operation, type_, selected.selection_sets)
    stretch = _stretch(draft, selected, binding, source, given_arguments)
    conditions = _Conditions(draft, binding, source, given_arguments, row, path)
    rows = _rows(draft, stretch, conditions, fields, path)
    pairs: list[tuple[str, ColumnElement[Any]]] = []
    for item in fields:
        if item.name == "__typename":
            pairs.append((item.key, literal(type_.name, Text)))
        elif item.name == "totalCount":
            pairs.append((item.key, _total(draft, conditions)))
        elif item.name == "pageInfo":
            pairs.append((item.key, _page_info(draft, stretch, item, rows, (*path, item.key))))
        else:
            edges_trail = under(trail, item.output)
            pairs.append((item.key, _edges(draft, stretch, item, rows, edges_trail, (*path, item.key))))
    value = draft.object_json(pairs, path)
    return draft.summary(value, rows) if rows is not None else _once_read(draft, stretch, value, path)


def _once_read(draft: Draft, stretch: Stretch, value: ColumnElement[Any], path: Path) -> ColumnElement[Any]:
    """The value, once the cursors are read: a wrong one fails the list, whether or not its page is asked for."""
    read = [_position(draft, stretch, cursor, name, path)[1].is_not(None) for cursor, _, name in _bounds(stretch.page)]
    return case((and_(*read), value)) if read else value


def _bounds(page: Page) -> list[tuple[Value, bool, str]]:
    """The cursors that were given: each with whether the page lies after it, and its argument's name."""
    bounds = ((page.after, True, "after"), (page.before, False, "before"))
    return [(cursor, after, name) for cursor, after, name in bounds if cursor is not None]


class _Conditions:
    """Which rows are in the list: the way from the parent, the policy, the filters. Each use takes a fresh alias."""

    def __init__(
        self, draft: Draft, binding: Connected, source: Source, values: Mapping[str, Value], row: Any, path: Path
    ) -> None:
        self.binding, self.source, self.row = binding, source, row
        self.policy = binding.policy or source.policy
        self.filters = [
            (filter_, draft.parameter(getter, CASTS[filter_.cast], path))
            for _, filter_, getter in given(values.get("filter"), binding.filters)
        ]

    def on(self, draft: Draft, target: FromClause) -> list[ColumnElement[bool]]:
        """The conditions on an alias of the node's table."""
        terms = draft.terms
        return [
            self.binding.join(self.row, target, terms),
            self.policy(target, terms),
            *draft.within(self.source, target),
            *(filter_.build(target, parameter, terms) for filter_, parameter in self.filters),
        ]


def _stretch(
    draft: Draft, selected: Selected, binding: Connected, source: Source, values: Mapping[str, Value]
) -> Stretch:
    order_name, order = paginate.order_of(values, binding.orders)
    parent = draft.catalogue.sources[selected.parent.name]
    owner = parent.tag if isinstance(parent, Source) else selected.parent.name

    def seal_key(call: Call, tenant_id: UUID) -> bytes:
        return cursor_key(call.secret, tenant_id, f"{owner}.{selected.name}", order_name).encode()

    return Stretch(source, paginate.page_of(values), order, seal_key)


def _rows(
    draft: Draft, stretch: Stretch, conditions: _Conditions, fields: tuple[Selected, ...], path: Path
) -> FromClause | None:
    """The page as a subquery; None if nobody asked for anything on it."""
    names = {item.name for item in fields}
    if not names & {"edges", "pageInfo"}:
        return None
    page, order, key = stretch.page, stretch.order, stretch.key
    target = draft.table(stretch.source)
    where = conditions.on(draft, target)
    for cursor, after, name in _bounds(page):
        bound = _position(draft, stretch, cursor, name, path)
        where.append(paginate.beyond(target, order, key, bound, after=after))
    query = select(target).where(*where)
    if draft.enclosing:
        query = query.correlate(*draft.enclosing)
    one_more = "pageInfo" in names
    rows = paginate.cut(query, target, order, key, page, one_more=one_more)
    return paginate.numbered(rows, order, key, page) if one_more or page.backward else rows


def _position(
    draft: Draft, stretch: Stretch, cursor: Value, name: str, path: Path
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The two values that a cursor stands for, as parameters."""

    def read(call: Call, tenant_id: UUID) -> tuple[UUID, str]:
        seal_key = CursorKey((stretch.seal_key(call, tenant_id) or b"").decode())
        return decode_cursor(seal_key, cursor.read(call.variables), name)

    def value(call: Call, tenant_id: UUID) -> bytes:
        return paginate.position(read(call, tenant_id)[1], stretch.order, name).encode()

    def key(call: Call, tenant_id: UUID) -> bytes:
        return str(read(call, tenant_id)[0]).encode()

    type_ = DateTime(timezone=True) if stretch.order.numeric else Text()
    return draft.parameter(value, type_, path), draft.parameter(key, Uuid(), path)


def _total(draft: Draft, conditions: _Conditions) -> ColumnElement[Any]:
    target = draft.table(conditions.source)
    return draft.scalar(func.count(), target, *conditions.on(draft, target))


def _edges(
    draft: Draft, stretch: Stretch, selected: Selected, rows: FromClause | None, trail: Trail, path: Path
) -> ColumnElement[Any]:
    assert rows is not None
    edge_type = object_type(selected.output)
    item_trail = under(trail, None, selected.output)
    pairs: list[tuple[str, ColumnElement[Any]]] = []
    with draft.inside(rows):
        for item in collect(draft.operation, edge_type, selected.selection_sets):
            if item.definition is None:
                value: ColumnElement[Any] = literal(edge_type.name, Text)
            elif item.name == "cursor":
                value = _cursor(draft, stretch, rows, path)
            else:
                types = draft.types_over(get_named_type(item.output), stretch.source)
                trail_of_node = under(item_trail, item.output)
                value = draft.row_json(types, item.selection_sets, rows, trail_of_node, (*path, item.key))
            pairs.append((item.key, value))
    edge = draft.object_json(pairs, path)
    numbered = NUMBER in rows.c
    edges = func.json_agg(aggregate_order_by(edge, rows.c[NUMBER].desc()) if stretch.page.backward else edge)
    kept = edges.filter(rows.c[NUMBER] <= stretch.page.size) if numbered else edges
    return func.coalesce(kept, EMPTY_LIST)


def _cursor(draft: Draft, stretch: Stretch, rows: FromClause, path: Path) -> ColumnElement[str]:
    seal_key = draft.shared_text(("cursor", stretch.seal_key), stretch.seal_key, path)
    return paginate.cursor_sql(rows, stretch.order, stretch.key, seal_key)


def _page_info(
    draft: Draft, stretch: Stretch, selected: Selected, rows: FromClause | None, path: Path
) -> ColumnElement[Any]:
    assert rows is not None
    page = stretch.page
    size = literal(page.size, Integer)
    cut = func.coalesce(func.max(rows.c[CUT]), 0)
    nearest, farthest = literal(1, Integer), func.least(rows.c[CUT], size)
    start, end = (farthest, nearest) if page.backward else (nearest, farthest)
    type_ = object_type(selected.output)
    pairs: list[tuple[str, ColumnElement[Any]]] = []
    for item in collect(draft.operation, type_, selected.selection_sets):
        more_ahead = (item.name == "hasNextPage") is not page.backward
        match item.name:
            case "__typename":
                value: ColumnElement[Any] = literal(type_.name, Text)
            case "hasNextPage" | "hasPreviousPage" if more_ahead:
                value = cut > size
            case "hasNextPage" | "hasPreviousPage":
                behind = page.before if page.backward else page.after
                value = literal(behind is not None, Boolean)
            case name:
                number = start if name == "startCursor" else end
                value = func.max(_cursor(draft, stretch, rows, path)).filter(rows.c[NUMBER] == number)
        pairs.append((item.key, value))
    return draft.object_json(pairs, path)


def object_type(type_: GraphQLOutputType) -> GraphQLObjectType:
    """The object type under non-null and list."""
    named = get_named_type(type_)
    assert isinstance(named, GraphQLObjectType)
    return named


def node_type(connection: GraphQLOutputType) -> GraphQLNamedType:
    """The type of a connection's nodes."""
    edge = object_type(object_type(connection).fields["edges"].type)
    named: GraphQLNamedType = get_named_type(edge.fields["node"].type)
    return named
