"""Parts from selections: what each kind of root field compiles to.

Promises: pure and deterministic; the caller keeps what is made here by document and shape of variables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLObjectType, SelectionSetNode, get_named_type
from sqlalchemy import ARRAY, Text, Uuid, cast, func, literal, select, union_all

from auth.viewer import Narrowing
from schema.bind import Connected, Place
from schema.catalogue import Catalogue
from schema.compiler.dialect import render
from schema.compiler.json import Json
from schema.compiler.part import Getter, Part, Path, Slots
from schema.compiler.selection import Operation, Selected, collect
from schema.compiler.sql import ALL_NOW, Draft, Late
from schema.compiler.trail import Trail, under
from schema.errors import PleinError

Rejections = Mapping[Path, PleinError]
NONE: Rejections = {}
UUIDS = ARRAY(Uuid)
SelectionSets = tuple[SelectionSetNode, ...]


@dataclass(frozen=True)
class Compiler:
    """Compiles the root fields of one operation, for variables of one shape and credentials that are narrowed alike."""

    operation: Operation
    catalogue: Catalogue
    narrowing: Narrowing | None = None
    late: Late = field(default_factory=dict)
    """What comes later than the object it is on, if the answer is delivered in parts."""

    def draft(self, place: Place, rejected: Rejections, late: Late = ALL_NOW) -> Draft:
        """A new statement there, for a credential that is narrowed so."""
        return Draft(self.operation, self.catalogue, place, rejected, self.narrowing, late)

    def platform(self, selected: Selected) -> Part:
        """A root field read from the platform's tables: `viewer`, `sites`. One row, one column: its JSON."""
        type_ = get_named_type(selected.output)
        binding = self.catalogue.bindings[selected.parent.name, selected.name]
        path, trail = (selected.key,), under((), selected.output)

        def build(rejected: Rejections) -> Part:
            draft = self.draft(Place.PLATFORM, rejected, self.late)
            json: Json
            if isinstance(binding, Connected):
                json = func.to_json(draft.field(selected, None, (), path))
            else:
                json = draft.row_json(draft.types_over(type_, None), selected.selection_sets, None, trail, path)
            return self.part(draft, select(json), rejected, build)

        return build(NONE)

    def site(self, selection_sets: SelectionSets, path: Path, trail: Trail) -> Part:
        """A site by itself: one row, its state and its JSON; none if the viewer may not find it."""
        type_ = self._site_type()

        def build(rejected: Rejections) -> Part:
            draft = self.draft(Place.SITE, rejected)
            source = self.catalogue.source(type_.name)
            row = draft.table(source)
            with draft.inside(row):
                json = draft.row_json([type_], selection_sets, row, trail, path)
            query = select(row.c.state, json).where(source.policy(row, draft.uncounted))
            return self.part(draft, query, rejected, build)

        return build(NONE)

    def site_fields(self, selection_sets: SelectionSets, path: Path) -> tuple[Path, ...]:
        """The paths of the fields right under a site that only the site's own tables can answer."""
        type_ = self._site_type()
        draft = self.draft(Place.PLATFORM, NONE)
        fields = collect(self.operation, type_, selection_sets)
        return tuple((*path, item.key) for item in fields if draft.is_of_site(type_, item))

    def rows(
        self,
        tags: tuple[str, ...],
        selection_sets: SelectionSets,
        trail: Trail,
        path: Path,
        keys: Callable[[str], Getter],
        place: Place = Place.SITE,
    ) -> Part:
        """Rows by key, of the types with these letters: for each one found, its letter, its key and its JSON.

        `keys` gives the parameter with the wanted keys (a uuid array) for each letter.
        """

        def build(rejected: Rejections) -> Part:
            draft = self.draft(place, rejected)
            queries = []
            for tag in tags:
                named = self.operation.schema.type_map[self.catalogue.tags[tag]]
                source = self.catalogue.source(named.name)
                row = draft.table(source)
                wanted = draft.parameter(keys(tag), UUIDS, path)
                with draft.inside(row):
                    json = draft.row_json(draft.types_over(named, source), selection_sets, row, trail, path)
                visible = (
                    row.c[source.key] == func.any(wanted),
                    source.policy(row, draft.uncounted),
                    *draft.within(source, row),
                )
                columns = (literal(tag, Text), cast(row.c[source.key], Text), cast(json, Text))
                queries.append(select(*columns).where(*visible))
            query = queries[0] if len(queries) == 1 else union_all(*queries)
            return self.part(draft, query, rejected, build)

        return build(NONE)

    def _site_type(self) -> GraphQLObjectType:
        type_ = self.operation.schema.type_map["Site"]
        assert isinstance(type_, GraphQLObjectType)
        return type_

    def _slots(self, path: Path, trail: Trail, fields: tuple[Selected, ...]) -> Slots:
        """The part by which each site answers its own fields: one row, its state and a column for each field."""

        def build(rejected: Rejections) -> Part:
            draft = self.draft(Place.SITE, rejected)
            row = draft.table(self.catalogue.source(self._site_type().name))
            with draft.inside(row):
                columns = [
                    cast(func.to_json(draft.field(item, row, trail, (*path, item.key))), Text) for item in fields
                ]
            return self.part(draft, select(row.c.state, *columns), rejected, build)

        return Slots(path, trail, fields, build(NONE))

    def part(self, draft: Draft, query: Any, rejected: Rejections, build: Callable[[Rejections], Part]) -> Part:
        """The finished part: text, parameters in order, slots."""
        text, names = render(query)
        slots = tuple(self._slots(*slot) for slot in draft.slots)
        getters = tuple(draft.getters[name] for name in names)
        return Part(text, getters, slots, rejected, build, uses=draft.terms.uses)
