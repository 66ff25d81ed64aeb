"""What an operation selects: fields collected by type, with fragments, merging and conditions done.

Follows the GraphQL specification's CollectFields. Promises: pure; knows neither bindings nor SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    ObjectValueNode,
    SelectionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    value_from_ast,
)

Variables = Mapping[str, Any]


@dataclass(frozen=True)
class Operation:
    """One operation of a document with coerced variables, as the compiler sees it."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Variables


@dataclass(frozen=True)
class Value:
    """An argument's value: what it is now, and how to read it from the variables of another call of the same shape."""

    current: Any
    read: Callable[[Variables], Any]

    def child(self, name: str) -> Value | None:
        """A field of an input object; None if it was not given."""
        if self.current is None or name not in self.current:
            return None
        read = self.read

        def read_child(variables: Variables) -> Any:
            return read(variables)[name]

        return Value(self.current[name], read_child)

    @property
    def given(self) -> bool:
        """Whether there is a value other than null."""
        return self.current is not None


@dataclass(frozen=True)
class Selected:
    """A field selected on an object type; several nodes under one response key are merged."""

    key: str
    nodes: tuple[FieldNode, ...]
    parent: GraphQLObjectType
    definition: GraphQLField | None
    """None for `__typename`."""

    @property
    def name(self) -> str:
        """The field's name in the schema."""
        return self.nodes[0].name.value

    @property
    def output(self) -> GraphQLOutputType:
        """The field's type. Not for `__typename`, which every type has."""
        if self.definition is None:
            raise TypeError(f"{self.name} has no definition on {self.parent.name}.")
        return self.definition.type

    @property
    def selection_sets(self) -> tuple[SelectionSetNode, ...]:
        """The selection sets under the field, of all merged nodes."""
        return tuple(node.selection_set for node in self.nodes if node.selection_set)


def collect(
    operation: Operation, type_: GraphQLObjectType, selection_sets: Iterable[SelectionSetNode]
) -> tuple[Selected, ...]:
    """The fields selected on an object of this type, in the order of the response."""
    grouped: dict[str, list[FieldNode]] = {}
    visited: set[str] = set()
    for selection_set in selection_sets:
        _collect(operation, type_, selection_set, grouped, visited)
    return tuple(
        Selected(key, tuple(nodes), type_, type_.fields.get(nodes[0].name.value)) for key, nodes in grouped.items()
    )


def _collect(
    operation: Operation,
    type_: GraphQLObjectType,
    selection_set: SelectionSetNode,
    grouped: dict[str, list[FieldNode]],
    visited: set[str],
) -> None:
    for node in selection_set.selections:
        if not included(node, operation.variables):
            continue
        if isinstance(node, FieldNode):
            key = node.alias.value if node.alias else node.name.value
            grouped.setdefault(key, []).append(node)
        elif isinstance(node, InlineFragmentNode):
            if applies(operation.schema, type_, node.type_condition.name.value if node.type_condition else None):
                _collect(operation, type_, node.selection_set, grouped, visited)
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in visited:
            visited.add(node.name.value)
            fragment = operation.fragments[node.name.value]
            if applies(operation.schema, type_, fragment.type_condition.name.value):
                _collect(operation, type_, fragment.selection_set, grouped, visited)


def applies(schema: GraphQLSchema, type_: GraphQLObjectType, condition: str | None) -> bool:
    """Whether a fragment on this type applies to objects of that one."""
    if condition is None or condition == type_.name:
        return True
    abstract = schema.type_map[condition]
    return isinstance(abstract, GraphQLInterfaceType | GraphQLUnionType) and schema.is_sub_type(abstract, type_)


def included(node: SelectionNode, variables: Variables) -> bool:
    """Whether `@skip` and `@include` let it be."""
    for directive in node.directives or ():
        if directive.name.value in ("skip", "include"):
            (argument,) = directive.arguments or ()
            condition = argument.value
            value = (
                variables.get(condition.name.value)
                if isinstance(condition, VariableNode)
                else cast("Any", condition).value
            )
            if value is (directive.name.value == "skip"):
                return False
    return True


def arguments(operation: Operation, selected: Selected) -> dict[str, Value]:
    """The arguments that were given, by name in the schema; an absent one without a default is left out."""
    definition = selected.definition
    if definition is None:
        return {}
    written = {argument.name.value: argument.value for argument in selected.nodes[0].arguments or ()}
    values: dict[str, Value] = {}
    for name, argument in definition.args.items():
        value = _value(operation, written[name], argument.type) if name in written else None
        if value is None and argument.default_value is not Undefined:
            value = _constant(argument.default_value)
        if value is not None:
            values[name] = value
    return values


def _value(operation: Operation, node: ValueNode, type_: GraphQLInputType) -> Value | None:
    variables = operation.variables
    if isinstance(node, VariableNode):
        name = node.name.value
        return Value(variables[name], lambda given: given[name]) if name in variables else None
    current = value_from_ast(node, type_, dict(variables))
    if not _mentions_variable(node):
        return _constant(current)
    return Value(current, lambda given: value_from_ast(node, type_, dict(given)))


def _constant(value: Any) -> Value:
    return Value(value, lambda _: value)


def _mentions_variable(node: ValueNode) -> bool:
    if isinstance(node, VariableNode):
        return True
    if isinstance(node, ObjectValueNode):
        return any(_mentions_variable(field.value) for field in node.fields)
    return any(_mentions_variable(item) for item in getattr(node, "values", ()) or ())


def shape(value: Any) -> Any:
    """What of a variable's value may change the compiled SQL: everything but texts and the items of lists.

    Two calls of one operation whose variables have the same shape share one compiled form.
    """
    if isinstance(value, dict):
        return tuple([(name, str if type(item) is str else shape(item)) for name, item in value.items()])
    if isinstance(value, list):
        return list
    if value is None or isinstance(value, bool | int | Enum):
        return value
    return type(value)


def skeleton(value: Any) -> Any:
    """A value of the same shape without its texts and items: what a compiled form may keep of the call it came from."""
    if isinstance(value, dict):
        return {name: skeleton(item) for name, item in value.items()}
    if isinstance(value, list):
        return []
    return "" if isinstance(value, str) else value
