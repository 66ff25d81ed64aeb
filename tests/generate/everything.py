"""Documents that ask for everything: made from the schema, so that a new field is in them from the day it exists.

Promises: valid for every schema; deterministic; lists inside lists are short, so that answers stay small.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_introspection_type,
    is_leaf_type,
)

from schema.catalogue import catalogue_of
from tests.generate.values import REFERRED

WRAPPING = ("edges", "node", "pageInfo")
"""Fields that only lead to the things of a list: they cost no depth."""


@dataclass(frozen=True)
class Place:
    """A field of a type, and how its type is reached: a root field, or the nodes of the type."""

    owner: GraphQLObjectType
    name: str
    definition: GraphQLField

    def __str__(self) -> str:
        return f"{self.owner.name}.{self.name}"

    def ask(self, arguments: str, below: str) -> str:
        """The selection of this field, as it stands on its owner."""
        return f"{self.name}{f'({arguments})' if arguments else ''} {below}"


def node_types(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    """Every type that has global ids."""
    node = schema.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    return sorted(schema.get_possible_types(node), key=lambda each: each.name)


def places(schema: GraphQLSchema) -> Iterator[Place]:
    """Every field of the root, of the viewer and of every node type."""
    viewer, query = schema.type_map["Viewer"], schema.query_type
    for owner in (query, viewer, *node_types(schema)):
        assert isinstance(owner, GraphQLObjectType)
        for name, definition in owner.fields.items():
            yield Place(owner, name, definition)


def lists(schema: GraphQLSchema) -> list[Place]:
    """Every field that is a list with pages."""
    return [place for place in places(schema) if "after" in place.definition.args]


def everything(schema: GraphQLSchema, type_: GraphQLNamedType, depth: int, first: int = 3) -> str:
    """A selection set with every field of a type, and everything below it to this depth."""
    return "{ " + " ".join(["__typename", *_parts(schema, type_, depth, first)]) + " }"


def _parts(schema: GraphQLSchema, type_: GraphQLNamedType, depth: int, first: int) -> Iterator[str]:
    if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
        common = set(getattr(type_, "fields", {}))
        yield from _fields(schema, type_, depth, first, set())
        for each in schema.get_possible_types(type_):
            parts = list(_fields(schema, each, depth, first, common))
            if parts:
                yield f"... on {each.name} {{ {' '.join(parts)} }}"
    else:
        yield from _fields(schema, type_, depth, first, set())


def _fields(schema: GraphQLSchema, type_: GraphQLNamedType, depth: int, first: int, known: set[str]) -> Iterator[str]:
    for name, definition in getattr(type_, "fields", {}).items():
        if name in known or any(isinstance(each.type, GraphQLNonNull) for each in definition.args.values()):
            continue
        named = get_named_type(definition.type)
        # The same name may lead to different types on different kinds of things.
        key = f"{name}Of{type_.name}: " if not is_leaf_type(named) and depth < 99 and name not in WRAPPING else ""
        arguments = f"(first: {first})" if "first" in definition.args else ""
        if is_leaf_type(named):
            yield f"{_leaf_key(type_, name)}{name}"
        elif depth > 0 or name in WRAPPING:
            below = everything(schema, named, depth if name in WRAPPING else depth - 1, first)
            yield f"{key}{name}{arguments} {below}"


def _leaf_key(type_: GraphQLNamedType, name: str) -> str:
    """Leaves of one name differ in whether they may be null; an alias by type keeps them apart."""
    is_paging = type_.name.endswith(("Connection", "Edge")) or type_.name == "PageInfo"
    return "" if is_paging or name in ("id", "version") else f"{name}Of{type_.name}: "


def id_arguments(schema: GraphQLSchema) -> Iterator[tuple[Place, str]]:
    """Every argument below the root that takes a global id, as text with `$id` in its place."""
    for place in places(schema):
        needed = [name for name, each in place.definition.args.items() if isinstance(each.type, GraphQLNonNull)]
        for name, each in place.definition.args.items():
            if needed in ([], [name]):
                for text in _with_id(str(each.type), get_named_type(each.type)):
                    yield place, f"{name}: {text}"


def _with_id(written: str, named: GraphQLNamedType) -> Iterator[str]:
    listed = written.startswith("[")
    if named.name == "_Any":
        yield from (f'[{{__typename: "{type_}", id: $id}}]' for type_ in REFERRED)
        yield '[{__typename: "Content", id: $id}, {__typename: "Member", site: {id: $id}, account: {id: $id}}]'
    elif named.name == "ID":
        yield "[$id]" if listed else "$id"
    elif isinstance(named, GraphQLInputObjectType):
        for name, each in named.fields.items():
            for text in _with_id(str(each.type), get_named_type(each.type)):
                yield f"[{{{name}: {text}}}]" if listed else f"{{{name}: {text}}}"


def composite_types(schema: GraphQLSchema) -> list[str]:
    """The names of all types with fields that a query can reach, for counting."""
    return [
        name for name, each in schema.type_map.items() if hasattr(each, "fields") and not is_introspection_type(each)
    ]


def tag_of(schema: GraphQLSchema, type_: GraphQLObjectType) -> str:
    """The letter of a type in global ids."""
    return catalogue_of(schema).source(type_.name).tag
