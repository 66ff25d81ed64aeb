"""What of an operation may come later: which fragments and lists are delivered in parts, decided when it is compiled.

A fragment is delivered later only where it waits for something that the rest does not wait for: a root field, or what a
site answers itself while the platform's part is there. Whatever comes from a statement that is needed anyway comes with
it. So an operation never costs more statements than it does without `@defer` and `@stream`.
Promises: pure. Follows the specification's draft on incremental delivery: a field that stands outside a fragment as
well is not late, one in several fragments comes once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
)

from schema.bind import Connected, One, Place, Root, Rooted, Source
from schema.catalogue import Catalogue
from schema.compiler.connection import node_type, object_type
from schema.compiler.part import Path
from schema.compiler.selection import Operation, Selected, applies, included
from schema.compiler.sql import Draft
from schema.directives import Streamed, deferred, streamed

ACROSS = frozenset({Root.FEED, Root.SEARCH})


@dataclass(frozen=True, eq=False)
class Fragment:
    """A deferred fragment where it is spread; `parent` is the one around it. Compared by identity."""

    label: str | None
    parent: Fragment | None


Together = frozenset[Fragment]
"""The fragments that a field is in and that it waits for; none: it is not late."""


@dataclass(frozen=True)
class Stages:
    """What is late, by where it stands: paths are response keys from the root, without list indices.

    `late` gives the number of the group that a field of an object is in, `groups` each group's fragments; `spread` the
    fragments on an object, outer ones first; `streams` the lists that may come thing by thing.
    """

    late: Mapping[Path, Mapping[str, int]]
    groups: tuple[Together, ...]
    spread: Mapping[Path, tuple[Fragment, ...]]
    streams: Mapping[Path, Streamed]


def stages_of(operation: Operation, catalogue: Catalogue, selection_set: SelectionSetNode) -> Stages | None:
    """The stages of a query; None if nothing is gained by any. Raises BAD_USER_INPUT for a wrong `initialCount`."""
    root = operation.schema.query_type
    assert root is not None
    surveyor = _Surveyor(operation, catalogue)
    surveyor.root(root, selection_set)
    return surveyor.result()


@dataclass(frozen=True)
class _Level:
    """The fields of one object: their nodes, each with the fragment it stands in, and what each waits for.

    Fields with the same `waits_for` come from one statement; those without come with the object itself.
    """

    path: Path
    above: tuple[_Level, str] | None
    fields: Mapping[str, tuple[tuple[FieldNode, Fragment | None], ...]]
    fragments: tuple[Fragment, ...]
    waits_for: dict[str, object] = field(default_factory=dict)


Part = tuple[SelectionSetNode, Fragment | None]
"""A selection set, and the fragment it stands in."""


class _Surveyor:
    """Walks the levels above the sites, then says what is late."""

    def __init__(self, operation: Operation, catalogue: Catalogue) -> None:
        self._operation = operation
        self._catalogue = catalogue
        self._draft = Draft(operation, catalogue, Place.PLATFORM, {}, None)
        self._levels: list[_Level] = []
        self._streams: dict[Path, Streamed] = {}
        self._honoured: set[Fragment] = set()

    def root(self, type_: GraphQLObjectType, selection_set: SelectionSetNode) -> None:
        """The root fields: each has statements of its own."""
        level = self._level(type_, ((selection_set, None),), (), None)
        for item in self._selected(level, type_):
            binding = self._catalogue.bindings.get((type_.name, item.name))
            if binding is not None:
                level.waits_for[item.key] = item.key
            if isinstance(binding, Rooted) and binding.root in ACROSS:
                self._across(item, level)
            elif isinstance(binding, Rooted) and binding.root is Root.NODES:
                self._stream(item, level)
            elif isinstance(binding, Rooted) and binding.root is Root.VIEWER:
                self._platform(object_type(item.output), item, level)
            elif isinstance(binding, Connected):
                self._connection(item, level)

    def result(self) -> Stages | None:
        """What came out of it."""
        for level in self._levels:
            self._gains(level)
        late: dict[Path, dict[str, int]] = {}
        spread: dict[Path, tuple[Fragment, ...]] = {}
        numbers: dict[tuple[Path, Together], int] = {}
        kept: dict[Fragment, Fragment] = {}
        for level in self._levels:
            for each in level.fragments:
                if each in self._honoured:
                    kept[each] = Fragment(each.label, kept.get(each.parent) if each.parent else None)
                elif each.parent in kept:
                    kept[each] = kept[each.parent]
            declared = tuple(kept[each] for each in level.fragments if each in self._honoured)
            if declared:
                spread[level.path] = declared
        base: dict[Path, Together] = {}
        for level in self._levels:
            around = base_of(level, base)
            for key, nodes in level.fields.items():
                together = _together(kept.get(each) if each else None for _, each in nodes)
                base[(*level.path, key)] = together
                if together != around:
                    number = numbers.setdefault((level.path, together), len(numbers))
                    late.setdefault(level.path, {})[key] = number
        if not late and not self._streams:
            return None
        return Stages(late, tuple(each for _, each in numbers), spread, self._streams)

    def _gains(self, level: _Level) -> None:
        """Notes the fragments that wait for something here that nothing delivered before them waits for."""
        sets = {key: _together(each for _, each in nodes) for key, nodes in level.fields.items()}
        around = frozenset() if level.above is None else _together(e for _, e in level.above[0].fields[level.above[1]])
        for key, needed in level.waits_for.items():
            own = sets[key]
            if not own:
                continue
            earlier = any(
                other == around or _before(other, own)
                for name, other in sets.items()
                if level.waits_for.get(name) == needed and other != own
            )
            if not earlier:
                self._honoured |= own

    def _platform(self, type_: GraphQLObjectType, selected: Selected, above: _Level) -> None:
        """An object read from the platform's tables: what only its site knows is one statement on the site."""
        level = self._below(type_, selected, above)
        for item in self._selected(level, type_):
            if item.definition is None:
                continue
            binding = self._catalogue.bindings[type_.name, item.name]
            named = get_named_type(item.output)
            if self._draft.is_of_site(type_, item):
                level.waits_for[item.key] = Place.SITE
            elif isinstance(binding, Connected):
                self._connection(item, level)
            elif isinstance(binding, One) and isinstance(named, GraphQLObjectType):
                self._platform(named, item, level)

    def _connection(self, selected: Selected, above: _Level) -> None:
        """A list read from the platform's tables."""
        named = node_type(selected.output)
        source = self._catalogue.sources.get(named.name)
        if not isinstance(named, GraphQLObjectType) or not isinstance(source, Source):
            return
        type_ = object_type(selected.output)
        level = self._below(type_, selected, above)
        for item in self._selected(level, type_):
            if item.name == "edges":
                for each, edge in self._edge(item, level):
                    if each.name == "node":
                        self._platform(named, each, edge)
            elif item.name == "pageInfo":
                self._below(object_type(item.output), item, level)

    def _across(self, selected: Selected, above: _Level) -> None:
        """A list over many sites: which things are on the page, how many there are, and the things themselves."""
        type_ = object_type(selected.output)
        level = self._below(type_, selected, above)
        for item in self._selected(level, type_):
            if item.name in ("edges", "pageInfo"):
                level.waits_for[item.key] = "page"
            elif item.name == "totalCount":
                level.waits_for[item.key] = "total"
            if item.name == "edges":
                for each, edge in self._edge(item, level):
                    if each.name == "node":
                        edge.waits_for[each.key] = each.key
            elif item.name == "pageInfo":
                self._below(object_type(item.output), item, level)

    def _edge(self, selected: Selected, above: _Level) -> Iterable[tuple[Selected, _Level]]:
        self._stream(selected, above)
        type_ = object_type(selected.output)
        level = self._below(type_, selected, above)
        return [(item, level) for item in self._selected(level, type_)]

    def _stream(self, selected: Selected, above: _Level) -> None:
        for node in selected.nodes:
            found = streamed(node, self._operation.variables)
            if found is not None:
                self._streams.setdefault((*above.path, selected.key), found)

    def _below(self, type_: GraphQLObjectType, selected: Selected, above: _Level) -> _Level:
        parts = [(node.selection_set, each) for node, each in above.fields[selected.key] if node.selection_set]
        return self._level(type_, parts, (*above.path, selected.key), (above, selected.key))

    def _level(
        self, type_: GraphQLObjectType, parts: Iterable[Part], path: Path, above: tuple[_Level, str] | None
    ) -> _Level:
        fields: dict[str, list[tuple[FieldNode, Fragment | None]]] = {}
        fragments: list[Fragment] = []
        visited: set[tuple[str, Fragment | None]] = set()
        for selection_set, around in parts:
            self._collect(type_, selection_set, around, (fields, fragments, visited))
        level = _Level(path, above, {key: tuple(nodes) for key, nodes in fields.items()}, tuple(fragments))
        self._levels.append(level)
        return level

    def _collect(
        self, type_: GraphQLObjectType, selection_set: SelectionSetNode, around: Fragment | None, into: _Into
    ) -> None:
        """As `selection.collect` does, with the fragment that each node stands in."""
        fields, fragments, visited = into
        operation = self._operation
        for node in selection_set.selections:
            if not included(node, operation.variables):
                continue
            if isinstance(node, FieldNode):
                fields.setdefault((node.alias or node.name).value, []).append((node, around))
                continue
            assert isinstance(node, FragmentSpreadNode | InlineFragmentNode)
            definition = operation.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            condition = definition.type_condition
            if not applies(operation.schema, type_, condition.name.value if condition else None):
                continue
            found = deferred(node, operation.variables)
            if isinstance(node, FragmentSpreadNode) and found is None:
                if (node.name.value, around) in visited:
                    continue
                visited.add((node.name.value, around))
            inside = around
            if found is not None:
                inside = Fragment(found.label, around)
                fragments.append(inside)
            self._collect(type_, definition.selection_set, inside, into)

    def _selected(self, level: _Level, type_: GraphQLObjectType) -> list[Selected]:
        return [
            Selected(key, tuple(node for node, _ in nodes), type_, type_.fields.get(nodes[0][0].name.value))
            for key, nodes in level.fields.items()
        ]


_Into = tuple[dict[str, list[tuple[FieldNode, Fragment | None]]], list[Fragment], set[tuple[str, Fragment | None]]]


def base_of(level: _Level, base: Mapping[Path, Together]) -> Together:
    """What the object itself is delivered with."""
    return base[level.path] if level.above is not None else frozenset()


def _together(fragments: Iterable[Fragment | None]) -> Together:
    """What a field with nodes in these fragments waits for: nothing if one stands outside, else the outer ones."""
    found = set(fragments)
    if None in found:
        return frozenset()
    inner = {each for each in found if each is not None and any(above in found for above in _around(each))}
    return frozenset(each for each in found if each is not None and each not in inner)


def _before(one: Together, other: Together) -> bool:
    """Whether what waits for the one is delivered before what waits for the other."""
    return all(any(above in one for above in _around(each)) for each in other)


def _around(fragment: Fragment) -> Iterable[Fragment]:
    parent = fragment.parent
    while parent is not None:
        yield parent
        parent = parent.parent
