"""The bindings of the finished schema by type and field: what the compiler looks things up in.

Promises: made once, when the schema is built; a field without a binding or a type without a source stops it there.
Never changes afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import cast

from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, is_introspection_type

from schema.bind import METADATA, AnySource, Binding, Place, Source
from schema.relay import Connection, Edge, Node, PageInfo

PAGING = (Connection, Edge, PageInfo)
"""Types whose fields the pagination makes itself."""


class UnboundError(Exception):
    """The schema has a field or a type of which nobody said where it lives."""


@dataclass(frozen=True)
class Catalogue:
    """Sources by type name, bindings by type and field name, and the type of each letter in global ids."""

    schema: GraphQLSchema
    sources: Mapping[str, AnySource]
    bindings: Mapping[tuple[str, str], Binding]
    tags: Mapping[str, str]
    on_platform: frozenset[str]
    """Letters of types whose ids name no site: accounts, and what hangs on them. (Sites are found in their own way.)"""

    def source(self, type_name: str) -> Source:
        """The source of a type that has rows."""
        source = self.sources[type_name]
        if not isinstance(source, Source):
            raise UnboundError(f"{type_name} has no rows of its own.")
        return source


def catalogue(schema: GraphQLSchema) -> Catalogue:
    """Reads the bindings of every field of every type, and refuses what is not bound."""
    sources: dict[str, AnySource] = {}
    bindings: dict[tuple[str, str], Binding] = {}
    tags: dict[str, str] = {}
    for name, type_ in schema.type_map.items():
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) or is_introspection_type(type_):
            continue
        definition = type_.extensions["strawberry-definition"]
        origin = (definition.concrete_of or definition).origin
        if origin in PAGING or origin is Node:
            continue
        source = getattr(origin, "__source__", None)
        if source is None:
            raise UnboundError(f"{name} has no source.")
        sources[name] = source
        if isinstance(source, Source) and source.tag:
            tags.setdefault(source.tag, _widest(type_).name)
        for field_name, field in type_.fields.items():
            bindings[name, field_name] = _binding(name, field_name, field)
    on_platform = {
        tag
        for tag, name in tags.items()
        if isinstance(source := sources[name], Source) and Place.PLATFORM in source.tables and tag != "S"
    }
    return Catalogue(schema, sources, bindings, tags, frozenset(on_platform))


def _binding(type_name: str, field_name: str, field: GraphQLField) -> Binding:
    metadata = field.extensions["strawberry-definition"].metadata
    if METADATA not in metadata:
        raise UnboundError(f"{type_name}.{field_name} has no binding.")
    binding: Binding = metadata[METADATA]
    return binding


def _widest(type_: GraphQLObjectType | GraphQLInterfaceType) -> GraphQLObjectType | GraphQLInterfaceType:
    """The interface that stands for all types over the same rows, or the type itself."""
    for interface in type_.interfaces:
        if interface.extensions["strawberry-definition"].origin is not Node:
            return cast("GraphQLInterfaceType", interface)
    return type_


@cache
def catalogue_of(schema: GraphQLSchema) -> Catalogue:
    """The catalogue of a schema, made once."""
    return catalogue(schema)
