"""Root fields about the schema itself: `__schema`, `__type`, answered by graphql-core once and then from memory.

Promises: who may ask is looked at every time; an answer is kept as bytes, by document, operation and variables, within
a bounded number and size; a question with too long an answer is given up in milliseconds, as a limit. Never tells
anything but the schema, which is the same for everybody and for as long as the process lives.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SchemaMetaFieldDef,
    SelectionSetNode,
    TypeMetaFieldDef,
    experimental_execute_incrementally,
)
from graphql.execution import Executor

from auth.viewer import Viewer
from gateway.documents import Document, Operation
from gateway.limits import limit_exceeded
from gateway.settings import Introspection
from schema.compiler.selection import Selected
from schema.errors import ErrorCode, PleinError

META_FIELDS: Mapping[str, GraphQLField] = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}
"""The fields about the schema, which the query type has without declaring them."""

KEPT_ANSWERS = 200
KEPT_BYTES = 16_000_000  # the whole schema takes 150 kB

Key = tuple[str, str | None, str, str]


def require_introspection(policy: Introspection, viewer: Viewer) -> None:
    """Raises PleinError where this viewer may not ask for the schema."""
    if policy is Introspection.EVERYONE or (policy is Introspection.ACCOUNTS and viewer.account_id is not None):
        return
    if policy is Introspection.ACCOUNTS:
        raise PleinError(ErrorCode.UNAUTHENTICATED, "Sign in to ask for the schema.")
    raise PleinError(ErrorCode.FORBIDDEN, "The schema is not told here.")


class Introspections:
    """The answers about the schema that were given lately; one per executor."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._bytes = 0

    @property
    def kept(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def field(
        self,
        schema: GraphQLSchema,
        document: Document,
        operation: Operation,
        selected: Selected,
        variables: dict[str, Any],
        most: int,
    ) -> bytes:
        """The JSON of an introspection field, which may hold so many fields. Raises PleinError where it holds more."""
        key = (document.hash, operation.name, selected.key, repr(variables) if variables else "")
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        made = _answer(schema, document, operation, selected, variables, most)
        self._keep(key, made)
        return made

    def _keep(self, key: Key, answer: bytes) -> None:
        self._kept[key] = answer
        self._bytes += _size(key, answer)
        while len(self._kept) > KEPT_ANSWERS or self._bytes > KEPT_BYTES:
            self._bytes -= _size(*self._kept.popitem(last=False))


def _size(key: Key, answer: bytes) -> int:
    return len(answer) + 4 * len(key[3])  # a character takes four bytes at the most


def _answer(
    schema: GraphQLSchema,
    document: Document,
    operation: Operation,
    selected: Selected,
    variables: dict[str, Any],
    most: int,
) -> bytes:
    """Ask graphql-core. Its errors cannot be: the schema is valid and always there."""
    node = OperationDefinitionNode(
        operation=OperationType.QUERY,
        variable_definitions=operation.node.variable_definitions,
        selection_set=SelectionSetNode(selections=selected.nodes),
        name=None,
        directives=(),
    )
    asked = DocumentNode(definitions=(node, *document.fragments.values()))
    budget = _Budget(most)
    # The way that the schema with `@defer` asks for. This executor knows of no parts: all comes in one answer.
    result = experimental_execute_incrementally(
        schema, asked, context_value=budget, variable_values=dict(variables), executor_class=_BoundedExecutor
    )
    if budget.left < 0:
        raise limit_exceeded("introspection", most)
    assert isinstance(result, ExecutionResult), result
    assert result.data is not None, result.errors
    return orjson.dumps(result.data[selected.key])


@dataclass(slots=True)
class _Budget:
    """How many fields may still be told."""

    left: int


class _BoundedExecutor(Executor[None]):
    """graphql-core's executor, which from some point on finds every object empty, so that it comes to its end."""

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Any,
        grouped_field_set: Any,
        position_context: None,
    ) -> Any:
        """The fields of one object."""
        budget: _Budget = self.context_value
        budget.left -= len(grouped_field_set)
        if budget.left < 0:
            return {}
        return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
