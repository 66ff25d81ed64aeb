"""The directives `@defer` and `@stream`: what a client may have later than the rest of an answer.

They are declared here and read here; what is gained by them is decided in `compiler.stages`. Promises: a fragment or a
list whose `if` is false is an ordinary one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DirectiveLocation,
    DirectiveNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLDirective,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLString,
    InlineFragmentNode,
    Undefined,
    value_from_ast,
)

from schema.errors import bad_input

LABEL = GraphQLArgument(GraphQLString, description="A name to know it by in the answer; unique in the document.")
INITIAL_COUNT = "initialCount"

DEFER = GraphQLDirective(
    name="defer",
    description=(
        "What is in this fragment may come later than the rest, if the client takes answers in parts. "
        "What comes from the same place as the rest comes with it."
    ),
    locations=[DirectiveLocation.FRAGMENT_SPREAD, DirectiveLocation.INLINE_FRAGMENT],
    args={
        "if": GraphQLArgument(GraphQLNonNull(GraphQLBoolean), True, description="Later when true; else with the rest."),
        "label": LABEL,
    },
)
STREAM = GraphQLDirective(
    name="stream",
    description=(
        "The things of this list may come later than the rest, one after the other, if the client takes answers in "
        "parts. What comes from the same place as the rest comes with it."
    ),
    locations=[DirectiveLocation.FIELD],
    args={
        "if": GraphQLArgument(GraphQLNonNull(GraphQLBoolean), True, description="Later when true; else with the rest."),
        "label": LABEL,
        INITIAL_COUNT: GraphQLArgument(GraphQLInt, 0, description="How many come with the rest all the same."),
    },
)
NAMES = frozenset({DEFER.name, STREAM.name})


@dataclass(frozen=True)
class Deferred:
    """What a fragment's `@defer` says."""

    label: str | None


@dataclass(frozen=True)
class Streamed:
    """What a list's `@stream` says."""

    label: str | None
    initial_count: int


def is_later(directive: DirectiveNode) -> bool:
    """Whether this is one of the two, on a node of any kind."""
    return directive.name.value in NAMES


def deferred(node: FragmentSpreadNode | InlineFragmentNode, variables: Mapping[str, Any]) -> Deferred | None:
    """What `@defer` on this fragment says; None where there is none, or it is switched off."""
    values = _values(DEFER, node, variables)
    return None if values is None else Deferred(values.get("label"))


def streamed(node: FieldNode, variables: Mapping[str, Any]) -> Streamed | None:
    """What `@stream` on this field says; None where there is none, or it is switched off. Raises BAD_USER_INPUT."""
    values = _values(STREAM, node, variables)
    if values is None:
        return None
    count = values[INITIAL_COUNT]
    if count is None or count < 0:
        raise bad_input(INITIAL_COUNT, f"Give 0 or more, not {'null' if count is None else count}.")
    return Streamed(values.get("label"), count)


def _values(directive: GraphQLDirective, node: Any, variables: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments of a directive on this node by name; None where it is not there, or its `if` is false."""
    for found in node.directives or ():
        if found.name.value == directive.name:
            values = {
                name: each.default_value for name, each in directive.args.items() if each.default_value is not Undefined
            }
            for given in found.arguments or ():
                name = given.name.value
                value = value_from_ast(given.value, directive.args[name].type, dict(variables))
                if value is not Undefined:
                    values[name] = value
            return None if values["if"] is False else values
    return None
