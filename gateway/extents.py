"""How much a document asks for: a parsed document is checked against the limits.

Promises: the check takes time in proportion to the document and runs before validation, so a document made to be slow
is refused in milliseconds; the error names the limit and its number. Never looks at the schema or at variables: what
depends on those (page sizes, nodes) is counted by the compiler.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
)

from gateway.limits import Limits, limit_exceeded

Definition = OperationDefinitionNode | FragmentDefinitionNode


@dataclass(slots=True)
class Extent:
    """How much a definition asks for; `spreads` are the fragments it names, each with the depth it is spread at."""

    depth: int = 0
    root_fields: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    spreads: list[tuple[str, int]] = field(default_factory=list)

    def include(self, other: Extent, depth: int) -> None:
        """Add a fragment spread at this depth (0: among the root fields)."""
        self.depth = max(self.depth, depth + other.depth)
        self.root_fields += other.root_fields if depth == 0 else 0
        self.aliases += other.aliases
        self.directives += other.directives
        self.fields += other.fields


def check_document(document: DocumentNode, limits: Limits) -> None:
    """Raises PleinError for the first limit the document exceeds, GraphQLError for a circle of fragments.

    Depth and root fields hold for each operation, the others for the document as a whole.
    """
    _check("definitions", len(document.definitions), limits.definitions)
    extents = [(each, _own_extent(each)) for each in document.definitions if isinstance(each, Definition)]
    fragments: dict[str, FragmentDefinitionNode] = {}
    known: dict[str, Extent] = {}
    for definition, extent in extents:
        if isinstance(definition, FragmentDefinitionNode):
            fragments.setdefault(definition.name.value, definition)
            known.setdefault(definition.name.value, extent)
    spread = {name for _, extent in extents for name, _ in extent.spreads}
    reached = {id(known[name]) for name in spread if name in known}
    for name in _order(known, fragments):
        _add_spreads(known[name], known)
    summed = {id(extent) for extent in known.values()}
    # Fragments that nothing reaches, or that share a name, are validated all the same: they count as well.
    roots = [(definition, extent) for definition, extent in extents if id(extent) not in reached]
    total = Extent()
    for definition, extent in roots:
        if id(extent) not in summed:
            _add_spreads(extent, known)
        _check("depth", extent.depth, limits.depth)
        if isinstance(definition, OperationDefinitionNode):
            _check("root_fields", extent.root_fields, limits.root_fields)
        total.include(extent, 0)
    _check("aliases", total.aliases, limits.aliases)
    _check("directives", total.directives, limits.directives)
    _check("fields", total.fields, limits.fields)
    _check("merges", sum(_merges([root.selection_set], fragments) for root, _ in roots), limits.merges)


def _check(name: str, value: int, most: int) -> None:
    if value > most:
        raise limit_exceeded(name, most)


def _own_extent(definition: Definition) -> Extent:
    """The extent of a definition without the fragments it spreads."""
    extent = Extent(directives=len(definition.directives or ()))
    if isinstance(definition, OperationDefinitionNode):
        extent.directives += sum(len(each.directives or ()) for each in definition.variable_definitions or ())
    stack = [(definition.selection_set, 0)]
    while stack:
        selection_set, depth = stack.pop()
        for selection in selection_set.selections:
            extent.directives += len(selection.directives or ())
            if isinstance(selection, FragmentSpreadNode):
                extent.spreads.append((selection.name.value, depth))
            elif not isinstance(selection, FieldNode):
                stack.append((selection.selection_set, depth))  # type: ignore[attr-defined]
            else:
                extent.fields += 1
                extent.aliases += selection.alias is not None
                extent.root_fields += depth == 0
                extent.depth = max(extent.depth, depth + 1)
                if selection.selection_set:
                    stack.append((selection.selection_set, depth + 1))
    return extent


def _add_spreads(extent: Extent, known: Mapping[str, Extent]) -> None:
    for name, depth in extent.spreads:
        if name in known:  # validation has a better message for a fragment that is not there
            extent.include(known[name], depth)


def _order(known: Mapping[str, Extent], fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[str]:
    """Each fragment after those it spreads. Raises GraphQLError on a circle.

    Walks without recursion, as a chain of fragments may be longer than the stack.
    """
    done: set[str] = set()
    for root in known:
        path = {} if root in done else {root: iter(known[root].spreads)}
        while path:
            name = next(reversed(path))
            following = next((each for each, _ in path[name] if each in known and each not in done), None)
            if following is None:
                del path[name]
                done.add(name)
                yield name
            elif following in path:
                raise GraphQLError(f"Cannot spread fragment '{following}' within itself.", fragments[following])
            else:
                path[following] = iter(known[following].spreads)


def _merges(selection_sets: list[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]) -> int:
    """How many pairs of fields have the same name in the same place. Recurses once per level of fields."""
    groups: dict[str, list[FieldNode]] = {}
    visited: set[str] = set()
    stack = list(selection_sets)
    while stack:
        for selection in stack.pop().selections:
            if isinstance(selection, FieldNode):
                groups.setdefault((selection.alias or selection.name).value, []).append(selection)
            elif not isinstance(selection, FragmentSpreadNode):
                stack.append(selection.selection_set)  # type: ignore[attr-defined]
            elif selection.name.value in fragments and selection.name.value not in visited:
                visited.add(selection.name.value)
                stack.append(fragments[selection.name.value].selection_set)
    pairs = 0
    for group in groups.values():
        pairs += len(group) * (len(group) - 1) // 2
        below = [each.selection_set for each in group if each.selection_set]
        pairs += _merges(below, fragments) if below else 0
    return pairs
