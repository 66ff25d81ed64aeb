"""The variables of an operation: from what the client sent to values of the declared types.

Promises: exactly what graphql-core's coercion gives; values that need none (a string for a String, an integer for an
Int) are passed without asking it, as this happens on every request. Never changes what the client sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    VariableDefinitionNode,
    type_from_ast,
)
from graphql.execution.values import get_variable_values

from gateway.errors import ErrorObject, Rejected, error_object
from schema.errors import ErrorCode

MAX_ERRORS = 20
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
UNCOERCED: dict[object, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool, GraphQLInt: int}
"""Scalars of the specification that leave a JSON value of this Python type as it is (an Int within 32 bits)."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A declared variable. `plain` is the Python type that needs no coercion, or None where there is none."""

    name: str
    node: VariableDefinitionNode
    plain: type | None
    required: bool
    has_default: bool


def variables_of(schema: GraphQLSchema, operation: OperationDefinitionNode) -> tuple[Variable, ...]:
    """The variables that a valid operation declares, in their order."""
    return tuple(_variable(schema, node) for node in operation.variable_definitions or ())


def coerce_variables(
    schema: GraphQLSchema, variables: tuple[Variable, ...], given: dict[str, Any], *, hide_suggestions: bool
) -> dict[str, Any]:
    """The values of the declared variables; absent ones without a default stay absent. Raises Rejected."""
    if not variables:
        return {}
    coerced: dict[str, Any] = {}
    for variable in variables:
        value: Any = given.get(variable.name, variable)  # the variable itself stands for: not given
        if value is variable:
            if variable.required or variable.has_default:
                break
        elif type(value) is variable.plain and (variable.plain is not int or _fits(value)):
            coerced[variable.name] = value
        elif value is None and not variable.required:
            coerced[variable.name] = None
        else:
            break
    else:
        return coerced
    nodes = [variable.node for variable in variables]
    values = get_variable_values(schema, nodes, given, max_errors=MAX_ERRORS, hide_suggestions=hide_suggestions)
    if isinstance(values, list):
        raise Rejected([_variable_error(error) for error in values])
    return values.coerced


def _fits(value: Any) -> bool:
    return bool(INT_MIN <= value <= INT_MAX)


def _variable(schema: GraphQLSchema, node: VariableDefinitionNode) -> Variable:
    declared = type_from_ast(schema, node.type)
    required = isinstance(declared, GraphQLNonNull)
    named = declared.of_type if isinstance(declared, GraphQLNonNull) else declared
    plain = UNCOERCED.get(named)
    return Variable(node.variable.name.value, node, plain, required, node.default_value is not None)


def _variable_error(error: GraphQLError) -> ErrorObject:
    """The error with the place of the bad value as its field: `input.tags[2]`, named after the variable."""
    field = None
    for node in error.nodes or ():
        if isinstance(node, VariableDefinitionNode):
            field = node.variable.name.value
            # graphql-core tells the path only in its sentence: Variable '$x' has invalid value at .a[0]: …
            place = error.message.removeprefix(f"Variable '${field}' has invalid value").split(": ", 1)[0]
            field += place.removeprefix(" at ") if place.startswith(" at ") else ""
    return error_object(ErrorCode.BAD_USER_INPUT, error.message, field=field, locations=error.locations)
