"""graphql-core on naive resolvers: what the compiled answer is held against, and how the two are compared.

Promises: null propagation, partial results, merging, conditions, coercion and error paths are graphql-core's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import (
    REMOVE,
    DirectiveDefinitionNode,
    DirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NonNullTypeNode,
    Visitor,
    build_ast_schema,
    execute_sync,
    parse,
    print_schema,
    visit,
)

from schema.directives import NAMES as LATER
from schema.errors import PleinError
from schema.root import graphql_schema
from tests.oracle import (  # noqa: F401 - each answers its fields
    answers_from_root,
    answers_on_accounts,
    answers_on_audit,
    answers_on_items,
    answers_on_sites,
    answers_to_gateways,
)
from tests.oracle.things import Asked, Thing, answer

Path = tuple[str | int, ...]
Fault = tuple[Path, str, str | None]
"""Where, which code, and the field that bad input names."""


@dataclass(frozen=True)
class Expected:
    """The answer that graphql-core gives. `possible`: every fault there could be, were there no nulls to climb."""

    data: Any
    faults: frozenset[Fault]
    possible: frozenset[Fault]


@cache
def oracle_schema() -> GraphQLSchema:
    """The schema as anybody would build it from its text."""
    return build_ast_schema(_text())


def _text() -> DocumentNode:
    """The schema's text without `@defer` and `@stream`: with them, graphql-core refuses to give one answer."""
    read = parse(print_schema(graphql_schema()))
    others = [
        each
        for each in read.definitions
        if not (isinstance(each, DirectiveDefinitionNode) and each.name.value in LATER)
    ]
    return DocumentNode(definitions=tuple(others))


def _undivided(document: DocumentNode) -> DocumentNode:
    """The document without them: they change when an answer comes, not what it is."""

    class Whole(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
            return REMOVE if node.name.value in LATER else None

    return visit(document, Whole())  # type: ignore[no-any-return]


@cache
def all_nullable() -> GraphQLSchema:
    """The same with every field nullable, so that each failing field fails for itself."""

    class Loosen(Visitor):
        def leave_field_definition(self, node: FieldDefinitionNode, *_: Any) -> Any:
            kind = node.type.type if isinstance(node.type, NonNullTypeNode) else node.type
            return FieldDefinitionNode(name=node.name, arguments=node.arguments, type=kind, directives=[])

    return build_ast_schema(visit(_text(), Loosen()), assume_valid=True)


def expect(document: DocumentNode, variables: Mapping[str, Any], asked: Asked) -> Expected:
    """What a document must answer."""
    data, errors = _run(oracle_schema(), document, variables, asked)
    faults = frozenset(map(_fault, errors))
    if not faults:
        return Expected(data, faults, faults)
    _, possible = _run(all_nullable(), document, variables, asked)
    return Expected(data, faults, frozenset(map(_fault, possible)))


def _run(
    schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any], asked: Asked
) -> tuple[Any, list[GraphQLError]]:
    result = execute_sync(
        schema,
        _undivided(document),
        Thing("Query", {}),
        context_value=asked,
        variable_values=dict(variables),
        field_resolver=lambda source, info, **args: answer(info.context, source, info.field_name, args),
        type_resolver=lambda value, *_: value.type,
    )
    return result.data, result.errors or []


def _fault(error: GraphQLError) -> Fault:
    cause = error.original_error
    assert isinstance(cause, PleinError), f"the oracle itself failed: {error!r} {cause!r}"
    return tuple(error.path or ()), cause.code.value, cause.field


def differences(expected: Expected, body: bytes) -> list[str]:
    """What a compiled answer does otherwise; empty where the two agree."""
    answered = json.loads(body, object_pairs_hook=_unique)
    found = []
    if _dump(expected.data) != _dump(answered.get("data")):
        path, wanted, got = _first_difference(expected.data, answered.get("data"), ())
        found.append(f"at {path}\n  expected {_dump(wanted)[:2000]}\n  answered {_dump(got)[:2000]}")
    faults = {
        (tuple(error.get("path", ())), error["extensions"].get("code"), error["extensions"].get("field"))
        for error in answered.get("errors", ())
    }
    if faults - expected.possible:
        found.append(f"errors that nobody expects: {sorted(map(str, faults - expected.possible))}")
    places, expected_places = (
        {nulled(expected.data, each[0]) for each in these} for these in (faults, expected.faults)
    )
    if places != expected_places:
        found.append(f"errors expected for {sorted(map(str, expected.faults))}, answered {sorted(map(str, faults))}")
    if "errors" in answered and not answered["errors"]:
        found.append("an empty list of errors")
    return found


def _dump(data: Any) -> str:
    """Data as text, in its own order."""
    return json.dumps(data, ensure_ascii=False)


def _first_difference(wanted: Any, got: Any, path: Path) -> tuple[Path, Any, Any]:
    """Where two values first differ, the order of keys included."""
    steps: list[Any] = []
    if isinstance(wanted, dict) and isinstance(got, dict) and list(wanted) == list(got):
        steps = list(wanted)
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        steps = list(range(len(wanted)))
    for step in steps:
        if _dump(wanted[step]) != _dump(got[step]):
            return _first_difference(wanted[step], got[step], (*path, step))
    return path, wanted, got


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    assert len(made) == len(pairs), f"a key stands twice: {pairs}"
    return made


def nulled(data: Any, path: Path) -> Path:
    """The position in the data where the null of an error at this path stands."""
    for length, step in enumerate(path):
        if data is None:
            return path[:length]
        data = data[step]
    return path
