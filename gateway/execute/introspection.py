"""Root fields about the schema itself: `__schema`, `__type`, answered by graphql-core."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from graphql import (
    DocumentNode,
    GraphQLField,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SchemaMetaFieldDef,
    SelectionSetNode,
    TypeMetaFieldDef,
    execute_sync,
)

from auth.viewer import Viewer
from gateway.documents import Document, Operation
from gateway.settings import Introspection
from schema.compiler.selection import Selected
from schema.errors import ErrorCode, PleinError

META_FIELDS: Mapping[str, GraphQLField] = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}
"""The fields about the schema, which the query type has without declaring them."""


def require_introspection(policy: Introspection, viewer: Viewer) -> None:
    """Raises PleinError where this viewer may not ask for the schema."""
    if policy is Introspection.EVERYONE or (policy is Introspection.ACCOUNTS and viewer.account_id is not None):
        return
    if policy is Introspection.ACCOUNTS:
        raise PleinError(ErrorCode.UNAUTHENTICATED, "Sign in to ask for the schema.")
    raise PleinError(ErrorCode.FORBIDDEN, "The schema is not told here.")


def introspection_field(
    schema: GraphQLSchema, document: Document, operation: Operation, selected: Selected, variables: dict[str, object]
) -> bytes:
    """The JSON of an introspection field. Its errors cannot be: the schema is valid and always there."""
    node = OperationDefinitionNode(
        operation=OperationType.QUERY,
        variable_definitions=operation.node.variable_definitions,
        selection_set=SelectionSetNode(selections=selected.nodes),
        name=None,
        directives=(),
    )
    asked = DocumentNode(definitions=(node, *document.fragments.values()))
    result = execute_sync(schema, asked, variable_values=dict(variables))
    assert result.data is not None, result.errors
    return orjson.dumps(result.data[selected.key])
