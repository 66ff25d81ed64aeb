"""Documents: examined once, kept within bounds, with their operations and the coercion of variables."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import OperationDefinitionNode
from graphql.execution.values import get_variable_values
from hypothesis import given
from hypothesis import strategies as st

from gateway import documents as documents_module
from gateway.documents import Documents
from gateway.errors import Rejected
from gateway.limits import Limits
from gateway.variables import coerce_variables
from schema.errors import PleinError
from tests.gateway.small_square import SCHEMA


@pytest.fixture
def documents() -> Documents:
    return Documents(SCHEMA, Limits())


def errors_of(documents: Documents, text: str) -> tuple[dict[str, Any], ...]:
    with pytest.raises(Rejected) as caught:
        documents.get(text)
    return caught.value.errors


def test_a_document_is_examined_once(documents: Documents) -> None:
    first = documents.get("{ me }")
    assert documents.get("".join(["{ ", "me }"])) is first
    assert documents.get("{me}") is not first
    assert len(first.hash) == 64
    long = "{ me }" + " " * 20_000
    assert documents.get(long) is documents.get(long)


def test_a_verdict_is_kept_but_not_its_exception(documents: Documents) -> None:
    caught = []
    for _ in range(2):
        with pytest.raises(Rejected) as info:
            documents.get("{ nothing }")
        caught.append(info.value)
    assert caught[0].errors is caught[1].errors
    assert caught[0] is not caught[1]


def test_what_is_kept_is_bounded_by_number_and_by_size(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents_module, "KEPT_DOCUMENTS", 3)
    kept = {name: documents.get(f"query {name} {{ me }}") for name in "ABC"}
    documents.get("query A { me }")
    documents.get("query D { me }")
    assert documents.get("query A { me }") is kept["A"]
    assert documents.get("query B { me }") is not kept["B"]
    monkeypatch.setattr(documents_module, "KEPT_TOKENS", 30)
    a = documents.get("query A { me }")
    documents.get("{ me" + " here" * 19 + "}")
    documents.get("{ me" + " here" * 18 + "}")
    assert documents.get("query A { me }") is not a


def test_syntax_errors_have_their_place(documents: Documents) -> None:
    (error,) = errors_of(documents, "{\n  me(\n}")
    assert error["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}
    assert error["locations"] == [{"line": 3, "column": 1}]
    for text in ("", "   ", "{}", "{ node2 { } }", "query"):
        assert errors_of(documents, text)[0]["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}


def test_validation_errors_come_together_and_are_capped(documents: Documents) -> None:
    errors = errors_of(documents, "{ ech nodes2 }")
    assert [error["locations"] for error in errors] == [[{"line": 1, "column": 3}], [{"line": 1, "column": 7}]]
    assert {error["extensions"]["code"] for error in errors} == {"GRAPHQL_VALIDATION_FAILED"}
    assert "Did you mean 'echo'?" in errors[0]["message"]
    many = errors_of(documents, "{ node2 {" + " ".join(f"x{number}" for number in range(100)) + "} }")
    assert len(many) == 21
    hidden = errors_of(Documents(SCHEMA, Limits(), hide_suggestions=True), "{ ech }")
    assert hidden[0]["message"] == "Cannot query field 'ech' on type 'Query'."


def test_type_definitions_are_no_request(documents: Documents) -> None:
    assert errors_of(documents, "type Query { a: Int }")[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    document = documents.get("{ me }")
    assert document.fragments == {}


def test_the_operation_is_chosen_by_name(documents: Documents) -> None:
    one = documents.get("query A { me }")
    for name in (None, "", "A"):
        assert one.operation(name).name == "A"
    two = documents.get("query A { me } mutation B { write }")
    assert two.operation("B").type.value == "mutation"
    assert two.sole is None
    for document, name in ((one, "B"), (two, None), (two, "C"), (documents.get("{ me }"), "A")):
        with pytest.raises(PleinError) as caught:
            document.operation(name)
        assert caught.value.extensions == {"code": "BAD_USER_INPUT", "field": "operationName"}


VARIABLES = """query(
    $string: String, $id: ID!, $int: Int, $boolean: Boolean, $default: Int = 7, $list: [Int!], $input: Range
) { me }"""
# Not every variable is used in the document, so it is parsed without validation: coercion does not mind.
NODES = documents_module.parse(VARIABLES).definitions[0]
assert isinstance(NODES, OperationDefinitionNode)
DECLARED = documents_module.variables_of(SCHEMA, NODES)

scalars = st.sampled_from(
    [None, True, False, 0, 1, -5, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 1.0, 1.5, "", "1", "é"]
)
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.sampled_from(["from", "to", "x"]), scalars)


@given(st.fixed_dictionaries({}, optional={each.name: scalars | values for each in DECLARED} | {"other": scalars}))
def test_variables_are_coerced_exactly_as_graphql_core_does(given_values: dict[str, Any]) -> None:
    expected = get_variable_values(SCHEMA, NODES.variable_definitions, given_values, max_errors=20)
    if isinstance(expected, list):
        with pytest.raises(Rejected) as caught:
            coerce_variables(SCHEMA, DECLARED, given_values, hide_suggestions=False)
        assert [error["message"] for error in caught.value.errors] == [error.message for error in expected]
    else:
        coerced = coerce_variables(SCHEMA, DECLARED, given_values, hide_suggestions=False)
        assert coerced == expected.coerced
        assert [*map(type, coerced.values())] == [*map(type, (expected.coerced[name] for name in coerced))]


@pytest.mark.parametrize(
    ("given_values", "field"),
    [
        ({}, "id"),
        ({"id": None}, "id"),
        ({"id": []}, "id"),
        ({"id": "1", "int": "x"}, "int"),
        ({"id": "1", "list": [1, None]}, "list[1]"),
        ({"id": "1", "input": {"from": "x"}}, "input.from"),
        ({"id": "1", "input": {"from": 1, "inner": {"from": None}}}, "input.inner.from"),
        ({"id": "1", "input": {"from": 1, "nothing": 1}}, "input"),
    ],
)
def test_a_bad_value_is_named_by_its_variable_and_place(given_values: dict[str, Any], field: str) -> None:
    with pytest.raises(Rejected) as caught:
        coerce_variables(SCHEMA, DECLARED, given_values, hide_suggestions=False)
    (error,) = caught.value.errors
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}
    assert error["locations"]


def test_values_nested_too_deeply_are_an_error_like_any_other() -> None:
    deep: dict[str, Any] = {"from": 1}
    for _ in range(900):
        deep = {"from": 1, "inner": deep}
    with pytest.raises(Rejected, match="nested too deeply"):
        coerce_variables(SCHEMA, DECLARED, {"id": "1", "input": deep}, hide_suggestions=False)
