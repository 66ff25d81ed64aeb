"""What an operation costs, known before it runs: how many nodes its answer can hold at the most.

A node is a row of its own: a site, an item, a person, a group, a comment; and each `totalCount`, as it is as much work.
Page sizes are multiplied along the tree. What is inside a row (options, reactions) and what only holds a list together
(connections, edges) counts for nothing. Promises: pure; never less than what the answer holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLNamedType, GraphQLObjectType, SelectionSetNode, get_named_type, is_leaf_type

from schema.bind import Connected, Root, Rooted, Source
from schema.catalogue import Catalogue
from schema.compiler.connection import node_type, object_type
from schema.compiler.paginate import page_of
from schema.compiler.selection import Operation, Selected, arguments, collect
from schema.errors import PleinError

Variables = Mapping[str, Any]
BY_REFERENCE: Mapping[Root, str] = {Root.NODES: "ids", Root.ENTITIES: "representations"}
"""Root fields that give as many things as an argument names, and that argument."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`fixed` nodes, and for each list of ids (read from the variables) so many per id."""

    fixed: int
    per_id: tuple[tuple[Callable[[Variables], list[Any]], int], ...] = ()
    fields: int = 0
    """How many fields were weighed: a measure of the work that compiling them takes."""

    def nodes(self, variables: Variables) -> int:
        """The most nodes that the answer to a call with these variables holds."""
        if not self.per_id:
            return self.fixed
        return self.fixed + sum(len(read(variables)) * each for read, each in self.per_id)


def cost_of(operation: Operation, catalogue: Catalogue, selected: Iterable[Selected]) -> Cost:
    """The cost of these root fields, for variables of the operation's shape."""
    weigher = _Weigher(operation, catalogue, _Count())
    fixed, per_id = 0, []
    for item in selected:
        binding = weigher.binding(item)
        if isinstance(binding, Rooted) and binding.root in BY_REFERENCE:
            ids = arguments(operation, item)[BY_REFERENCE[binding.root]]
            per_id.append((ids.read, weigher.row(get_named_type(item.output), item.selection_sets)))
        else:
            fixed += weigher.field(item)
    return Cost(fixed, tuple(per_id), weigher.seen.count)


@dataclass(slots=True)
class _Count:
    """How many fields were weighed so far."""

    count: int = 0


@dataclass(frozen=True, slots=True)
class _Weigher:
    """Walks a selection; every method gives a number of nodes."""

    operation: Operation
    catalogue: Catalogue
    seen: _Count

    def binding(self, item: Selected) -> object:
        """Where a field lives; None for those that every type has (`__typename`, `__schema`)."""
        return self.catalogue.bindings.get((item.parent.name, item.name))

    def field(self, item: Selected) -> int:
        """One field of one object."""
        self.seen.count += 1
        if item.definition is None or is_leaf_type(get_named_type(item.output)):
            return 0
        binding = self.binding(item)
        if binding is None:  # introspection: nothing is read for it
            return 0
        listed = isinstance(binding, Rooted) and binding.root in {Root.FEED, Root.SEARCH}
        if listed or isinstance(binding, Connected):
            return self.connection(item)
        return self.row(get_named_type(item.output), item.selection_sets)

    def row(self, named: GraphQLNamedType, selection_sets: tuple[SelectionSetNode, ...]) -> int:
        """One object of a type, whichever of the possible types costs most."""
        possible = [named] if isinstance(named, GraphQLObjectType) else self.operation.schema.get_possible_types(named)  # type: ignore[arg-type]
        selections: dict[object, tuple[GraphQLObjectType, tuple[Selected, ...]]] = {}
        for type_ in possible:
            fields = collect(self.operation, type_, selection_sets)
            selections.setdefault(tuple((item.key, item.nodes) for item in fields), (type_, fields))
        return max((self.object(*each) for each in selections.values()), default=0)

    def object(self, type_: GraphQLObjectType, fields: tuple[Selected, ...]) -> int:
        """One object with these fields; it counts itself where it has a row of its own."""
        own = isinstance(self.catalogue.sources.get(type_.name), Source)
        return own + sum(map(self.field, fields))

    def connection(self, item: Selected) -> int:
        """A page full of nodes, and the total."""
        try:
            size = page_of(arguments(self.operation, item)).size
        except PleinError:  # the field will answer with this error and hold nothing
            return 0
        fields = collect(self.operation, object_type(item.output), item.selection_sets)
        per_node = 0
        for edges in fields:
            if edges.name == "edges":
                edge = collect(self.operation, object_type(edges.output), edges.selection_sets)
                named = node_type(item.output)
                per_node += sum(self.row(named, field.selection_sets) for field in edge if field.name == "node")
        reads_page = any(field.name in {"edges", "pageInfo"} for field in fields)  # also where no node is asked for
        totals = sum(field.name == "totalCount" for field in fields)
        return size * max(per_node, int(reads_page)) + totals
