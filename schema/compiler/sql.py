"""Selections as SQL: one statement that gives the JSON of everything selected from one place.

A `Draft` is one statement while it is written: it walks the selection along the bindings, adds the policy wherever a
table comes in, and binds every value. Promises: a table never enters without a policy; a caller's value never enters
the text; the number of statements does not depend on rows, page sizes or depth.
Never talks to a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from graphql import GraphQLNamedType, GraphQLObjectType, GraphQLOutputType, SelectionSetNode, get_named_type
from sqlalchemy import (
    JSON,
    ColumnElement,
    FromClause,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
    true,
)
from sqlalchemy.types import TypeEngine

from auth.policy import ISSUER, ME, SECOND_FACTOR, SESSION, SITES, Row, Uses, terms
from auth.viewer import Narrowing
from schema.bind import (
    Binding,
    Column,
    Connected,
    Either,
    Expression,
    Given,
    GlobalId,
    Listed,
    One,
    Place,
    Source,
)
from schema.catalogue import Catalogue, UnboundError
from schema.compiler.connection import connection_json, node_type
from schema.compiler.json import EMPTY_LIST, Json, json_object
from schema.compiler.part import Call, Getter, OfSite, Path, Rejected, RejectedError
from schema.compiler.selection import Operation, Selected, collect
from schema.compiler.slices import breathe
from schema.compiler.trail import Trail, levels, under
from schema.errors import PleinError, out_of_scope
from schema.relay import PLATFORM_ID, id_prefix

Late = Mapping[Path, Mapping[str, int]]
ALL_NOW: Late = {}
ASIDE = "~"
"""What is late stands beside the fields of its object, under this and the number of its group."""

ON_PLATFORM = "SA"
"""Letters of the types whose ids name no site: sites themselves, and accounts."""


OF_VIEWER: dict[str, Getter] = {
    ME: lambda call, tenant_id: None if tenant_id in call.strange else call.viewer_id,
    SITES: lambda call, _: call.sites,
    SECOND_FACTOR: lambda call, _: b"true" if call.assurance.has_second_factor else b"false",
    ISSUER: lambda call, _: call.assurance.issuer.encode(),
    SESSION: lambda call, _: call.session,
}
"""What a statement is told of whoever asks. On a site that does not know them, they are a visitor."""


class Draft:
    """One statement while it is written. `slots` are the fields that sites in a list answer themselves."""

    def __init__(
        self,
        operation: Operation,
        catalogue: Catalogue,
        place: Place,
        rejected: Mapping[Path, PleinError],
        narrowing: Narrowing | None,
        late: Late = ALL_NOW,
    ) -> None:
        """`late`: which fields come later than their object, by its path, and in which group."""
        self.operation = operation
        self.narrowing = narrowing
        self.catalogue = catalogue
        self.place = place
        self.rejected = rejected
        has_sites = narrowing is not None and narrowing.has_sites and place is Place.PLATFORM
        self.terms = terms(has_sites=has_sites)
        self.late = late
        self.uncounted = replace(self.terms, uses=Uses())
        self.getters: dict[str, Getter] = dict(OF_VIEWER)
        self.slots: list[tuple[Path, Trail, tuple[Selected, ...]]] = []
        self.enclosing: list[FromClause] = []
        self.shared: dict[object, ColumnElement[Any]] = {}
        self.given: tuple[object, ColumnElement[Any]] = (None, cast(null(), JSON))
        """What was sent along with references, and the row that it was sent along with."""

    def parameter(self, getter: Getter, type_: TypeEngine[Any], path: Path) -> ColumnElement[Any]:
        """A parameter of the statement; if it cannot be read, the field at `path` answers as the error."""

        if isinstance(getter, OfSite):
            return self._read_by(getter, type_)

        def guarded(call: Call, tenant_id: UUID) -> bytes | None:
            try:
                return getter(call, tenant_id)
            except PleinError as error:
                raise RejectedError(path, error) from error

        return self._read_by(guarded, type_)

    def _read_by(self, getter: Getter, type_: TypeEngine[Any]) -> ColumnElement[Any]:
        name = f"p{len(self.getters) - len(OF_VIEWER) + 1}"
        self.getters[name] = getter
        return cast(bindparam(name, type_=type_), type_)

    def shared_text(self, key: object, getter: Getter, path: Path) -> ColumnElement[Any]:
        """A text parameter that every place with this key shares."""
        if key not in self.shared:
            self.shared[key] = self.parameter(getter, Text(), path)
        return self.shared[key]

    @contextmanager
    def inside(self, rows: FromClause) -> Iterator[None]:
        """While the selection under these rows is built: subqueries refer to them."""
        self.enclosing.append(rows)
        yield
        self.enclosing.pop()

    def scalar(self, value: ColumnElement[Any], rows: FromClause, *conditions: ColumnElement[bool]) -> Json:
        """A subquery for one value over rows of its own, within the rows that enclose it."""
        return self._within(select(value).select_from(rows).where(*conditions))

    def summary(self, value: ColumnElement[Any], rows: FromClause) -> Json:
        """A subquery for one value over all of these rows together, also where it says nothing of any of them."""
        return self._within(select(value).select_from(rows).having(true()))

    def _within(self, query: Select[Any]) -> Json:
        return (query.correlate(*self.enclosing) if self.enclosing else query).scalar_subquery()

    def row_json(
        self,
        types: Sequence[GraphQLObjectType],
        selection_sets: Iterable[SelectionSetNode],
        row: Row | None,
        trail: Trail,
        path: Path,
    ) -> Json:
        """The JSON of one row that is of one of these types: kinds with equal selections share one expression."""
        groups: dict[Any, tuple[list[GraphQLObjectType], tuple[Selected, ...]]] = {}
        for type_ in types:
            selected = collect(self.operation, type_, selection_sets)
            signature = tuple((item.key, item.nodes) for item in selected)
            groups.setdefault(signature, ([], selected))[0].append(type_)
        if len(groups) == 1:
            ((group, selected),) = groups.values()
            return self._object(group, selected, row, trail, path)
        kind = self._discriminator(types[0], row)
        whens = []
        for group, selected in groups.values():
            words = [type_.name.upper() for type_ in group]
            whens.append((kind.in_(words), self._object(group, selected, row, trail, path)))
        return case(*whens)

    def types_over(self, named: GraphQLNamedType, source: object) -> list[GraphQLObjectType]:
        """The concrete types of a type that are made of the rows of this source."""
        if isinstance(named, GraphQLObjectType):
            return [named]
        possible = self.operation.schema.get_possible_types(named)  # type: ignore[arg-type]
        return [type_ for type_ in possible if self.catalogue.sources[type_.name] is source]

    def table(self, source: Source) -> FromClause:
        """A fresh alias of the source's table here. Raises FORBIDDEN where the viewer's credential is not for it."""
        needed = source.needs.get(self.place)
        if self.narrowing is not None and needed is not None and not self.narrowing.allows(needed):
            raise out_of_scope(needed)
        if self.place not in source.tables:
            raise UnboundError(f"{source.tag} has no table on the {self.place}.")
        return source.tables[self.place].alias()

    def within(self, source: Source, row: Row) -> list[ColumnElement[bool]]:
        """That a row is of a site that the viewer's credential is for, where it is not for all."""
        return self.terms.within(row.c[source.site]) if source.site and self.place is Place.PLATFORM else []

    def _object(
        self,
        types: Sequence[GraphQLObjectType],
        selected: tuple[Selected, ...],
        row: Row | None,
        trail: Trail,
        path: Path,
    ) -> Json:
        pairs: list[tuple[str, Json]] = []
        answered_by_site = [item for item in selected if self.is_of_site(types[0], item)]
        if answered_by_site and row is not None:
            number = len(self.slots)
            self.slots.append((path, trail, tuple(answered_by_site)))
        for item in selected:
            if item.name == "__typename":
                pairs.append((item.key, self._typename(types, row)))
            elif item in answered_by_site and row is not None:
                pairs.append((item.key, self._slot(number, answered_by_site.index(item), row)))
            else:
                pairs.append((item.key, self.field(item, row, trail, (*path, item.key))))
        return self.object_json(pairs, path)

    def object_json(self, pairs: Sequence[tuple[str, Json]], path: Path) -> Json:
        """The JSON of the object at this path with these fields; those that are late are put aside."""
        late = self.late.get(path)
        if late is None:
            return json_object(pairs)
        now = [pair for pair in pairs if pair[0] not in late]
        for number in dict.fromkeys(late.values()):
            aside = [pair for pair in pairs if late.get(pair[0]) == number]
            now.append((f"{ASIDE}{number}", json_object(aside)))
        return json_object(now)

    def field(self, selected: Selected, row: Any, trail: Trail, path: Path) -> Json:
        """The value of a field; a coded error in its arguments becomes a mark that the error stands in for."""
        breathe()
        type_ = selected.output
        here = under(trail, type_)
        try:
            if path in self.rejected:
                raise self.rejected[path]
            return null() if self._is_of_platform(selected) else self._bound(selected, row, type_, here, path)
        except PleinError as error:
            fault = Rejected(error, levels(here), selected.nodes[0])
            return self.parameter(lambda call, _: call.mark(fault).encode(), Text(), path)

    def _bound(self, selected: Selected, row: Any, type_: GraphQLOutputType, here: Trail, path: Path) -> Json:
        binding = self.catalogue.bindings[selected.parent.name, selected.name]
        match binding:
            case Column(name):
                return row.c[name]  # type: ignore[no-any-return]
            case Expression(build):
                return build(row, self.terms)
            case Given(build):
                sent_with, given = self.given
                return build(row, given if sent_with is row else cast(null(), JSON))
            case GlobalId():
                return self._global_id(selected.parent, row, path)
            case Connected():
                return connection_json(self, selected, binding, row, here, path)
        return self._nested(selected, binding, row, type_, here, path)

    def _nested(
        self, selected: Selected, binding: Binding, row: Any, type_: GraphQLOutputType, here: Trail, path: Path
    ) -> Json:
        """Fields with a selection of their own, other than connections."""
        named = get_named_type(type_)
        match binding:
            case One():
                return self.one(binding, named, self.catalogue.source(named.name), selected, row, here, path)
            case Either(when, first, other):
                one, another = (self._either(edge, named, selected, row, here, path) for edge in (first, other))
                return case((when(row), one), else_=another)
            case Listed(rows):
                return self._listed(rows(row, self.terms), named, selected, under(here, None, type_), path)
        raise UnboundError(f"{selected.parent.name}.{selected.name} ({binding}) is not compiled.")

    def one(
        self, edge: One, named: GraphQLNamedType, source: Source, selected: Selected, row: Any, here: Trail, path: Path
    ) -> Json:
        """The JSON of the row at the other end of an edge, or null."""
        target = self.table(source)
        conditions = (
            edge.join(row, target, self.terms),
            (edge.policy or source.policy)(target, self.terms),
            *self.within(source, target),
        )
        with self.inside(target):
            value = self.row_json(self.types_over(named, source), selected.selection_sets, target, here, path)
        return self.scalar(value, target, *conditions)

    def _either(
        self, edge: tuple[str, One], named: GraphQLNamedType, selected: Selected, row: Any, here: Trail, path: Path
    ) -> Json:
        type_name, one = edge
        return self.one(one, named, self.catalogue.source(type_name), selected, row, here, path)

    def _listed(self, rows: FromClause, named: GraphQLNamedType, selected: Selected, here: Trail, path: Path) -> Json:
        with self.inside(rows):
            value = self.row_json([named], selected.selection_sets, rows, here, path)  # type: ignore[list-item]
        return self.scalar(func.coalesce(func.json_agg(value), EMPTY_LIST), rows)

    def _global_id(self, parent: GraphQLObjectType, row: Any, path: Path) -> Json:
        source = self.catalogue.source(parent.name)
        tag = source.tag

        def prefix(tenant_id: UUID) -> bytes:
            return id_prefix(tag, PLATFORM_ID if tag in ON_PLATFORM else tenant_id).encode()

        key = func.replace(cast(row.c[source.key], Text), "-", "")
        return self.shared_text(("id", tag), OfSite(prefix), path).concat(key)

    def _typename(self, types: Sequence[GraphQLObjectType], row: Row | None) -> Json:
        if len(types) == 1:
            return literal(types[0].name, Text)
        kind = self._discriminator(types[0], row)
        return case({type_.name.upper(): literal(type_.name, Text) for type_ in types}, value=kind)

    def _discriminator(self, type_: GraphQLObjectType, row: Row | None) -> ColumnElement[Any]:
        assert row is not None
        return row.c[self.catalogue.source(type_.name).discriminator]

    def is_of_site(self, type_: GraphQLObjectType, selected: Selected) -> bool:
        """Whether a field of a row of the register needs the site's own tables."""
        if self.place is not Place.PLATFORM or selected.definition is None:
            return False
        match self.catalogue.bindings[type_.name, selected.name]:
            case Expression(place=place):
                return place is Place.SITE
            case One() | Listed():
                return self._lives_on_site(get_named_type(selected.output))
            case Connected():
                return self._lives_on_site(node_type(selected.output))
        return False

    def _is_of_platform(self, selected: Selected) -> bool:
        """Whether a field leads from a row of a site to what is on the platform only: there it is null."""
        binding = self.catalogue.bindings[selected.parent.name, selected.name]
        if self.place is not Place.SITE or not isinstance(binding, Connected | One):
            return False
        named = node_type(selected.output) if isinstance(binding, Connected) else get_named_type(selected.output)
        source = self.catalogue.sources[named.name]
        return isinstance(source, Source) and Place.SITE not in source.tables

    def _lives_on_site(self, named: GraphQLNamedType) -> bool:
        source = self.catalogue.sources[named.name]
        return isinstance(source, Source) and Place.PLATFORM not in source.tables

    def _slot(self, number: int, column: int, row: Row) -> Json:
        nonce = cast(bindparam("nonce", type_=Text), Text)
        self.getters["nonce"] = lambda call, _: call.nonce.encode()
        return nonce.concat(f":S:{number}:{column}:").concat(cast(row.c.id, Text))
