"""The schema as text: as clients read it, and as a gateway composes it with other services.

Promises: both are the same schema; what only federation needs is in the second and nowhere in the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from graphql import (
    REMOVE,
    DirectiveDefinitionNode,
    DirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    GraphQLSchema,
    SchemaDefinitionNode,
    Visitor,
    build_ast_schema,
    parse,
    print_ast,
    print_schema,
    specified_directives,
    visit,
)
from strawberry import Schema

from schema.directives import DEFER, STREAM

SPECIFIED = frozenset(each.name for each in specified_directives)


DECLARED = "declared"
"""Where a served schema keeps the one that strawberry declares, with directives."""


def served(declared: Schema, kinds: Iterable[str] = ()) -> GraphQLSchema:
    """The schema that documents are asked of. Its introspection tells of no directive that a document cannot use.

    `kinds` are the types that are met through their interface only.
    """
    schema = declared._schema
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    types = [schema.type_map[each] for each in kinds]
    directives = (*specified_directives, DEFER, STREAM)
    return GraphQLSchema(*roots, types=types, directives=directives, extensions={DECLARED: declared})


@cache
def federation_sdl(schema: GraphQLSchema) -> str:
    """The subgraph's schema: with `@link`, keys and the other directives, without the fields every subgraph has."""
    declared: Schema = schema.extensions[DECLARED]
    return print_ast(visit(parse(declared.as_str()), _WithoutMachinery()))


@cache
def plain_sdl(schema: GraphQLSchema) -> str:
    """The schema for clients: without anything of federation."""
    plain = build_ast_schema(visit(parse(federation_sdl(schema)), _WithoutFederation()))
    plain.directives = (*plain.directives, DEFER, STREAM)
    return print_schema(plain)


class _WithoutMachinery(Visitor):
    """Takes out `_service`, `_entities` and their types: a composer adds them itself."""

    def enter(self, node: Any, *_: Any) -> Any:
        name = getattr(node, "name", None)
        is_defined = isinstance(node, FieldDefinitionNode) or node.kind.endswith("_type_definition")
        return REMOVE if is_defined and name is not None and name.value.startswith("_") else None


class _WithoutFederation(Visitor):
    """Takes out directives that GraphQL itself does not know, and the definition of the schema that only they need."""

    def enter_document(self, node: DocumentNode, *_: Any) -> Any:
        theirs = (SchemaDefinitionNode, DirectiveDefinitionNode)
        return DocumentNode(definitions=tuple(each for each in node.definitions if not isinstance(each, theirs)))

    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return None if node.name.value in SPECIFIED else REMOVE
