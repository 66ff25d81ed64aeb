"""What is written in the pages is true, as far as it can be checked without running a gateway.

Every request parses and validates, with its variables; every answer has the shape that its request gives; every
command, error code and link exists. Pages about decisions tell of a moment and are not held to today's schema.
"""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from gateway.cli import make_parser
from gateway.errors import STATUSES
from schema.errors import ErrorCode
from schema.root import graphql_schema
from schema.sdl import plain_sdl
from tests.examples import BLOCK, Request, blocks, requests

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted((DOCS / "errors").glob("*.md"))]
WITH_LINKS = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((DOCS / "decisions").glob("*.md"))]
BY_RUN_PY = frozenset({"test", "bench"})
"""What `run.py` does itself; all else are commands of the gateway."""
UNFIT = frozenset({ErrorCode.GRAPHQL_PARSE_FAILED, ErrorCode.GRAPHQL_VALIDATION_FAILED})
"""The codes whose examples cannot fit the schema."""


REQUESTS = [request for page in PAGES for request in requests(page)]


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return graphql_schema()


def faults_shown(request: Request) -> list[dict[str, Any]]:
    """The errors that are shown for a document that is none, or none of this schema."""
    errors = (request.answer or {}).get("errors", ())
    return [error for error in errors if error["extensions"]["code"] in UNFIT]


def messages(schema: GraphQLSchema, text: str) -> list[str]:
    """What is wrong with a document."""
    try:
        return [error.message for error in validate(schema, parse(text))]
    except GraphQLError as error:
        return [error.message]


def operation_of(document: DocumentNode) -> OperationDefinitionNode:
    (operation,) = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return operation


def test_there_are_requests_for_every_kind_of_reader() -> None:
    names = {request.at.page.name for request in REQUESTS}
    assert {"README.md", "frontend.md", "admins.md", "analysts.md"} <= names
    assert sum(request.answer is not None for request in REQUESTS) > 15


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: str(each.at))
def test_a_request_fits_the_schema(schema: GraphQLSchema, request_: Request) -> None:
    if faults_shown(request_):
        return
    document = parse(request_.document)
    assert validate(schema, document) == []
    if request_.variables is not None:
        declared = operation_of(document).variable_definitions
        assert set(request_.variables) <= {each.variable.name.value for each in declared or ()}
        values = get_variable_values(schema, declared or (), request_.variables)
        assert not isinstance(values, list), values


@pytest.mark.parametrize("request_", [each for each in REQUESTS if each.answer], ids=lambda each: str(each.at))
def test_an_answer_has_the_shape_of_its_request(schema: GraphQLSchema, request_: Request) -> None:
    assert request_.answer is not None
    if faults := faults_shown(request_):
        assert [error["message"] for error in faults] == messages(schema, request_.document)
        return
    document = parse(request_.document)
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    selected = operation_of(document).selection_set
    if request_.answer.get("data") is not None:
        assert differences(request_.answer["data"], [selected], fragments, "data") == []
    for error in request_.answer.get("errors", ()):
        assert error["extensions"]["code"] in set(ErrorCode)
        assert "path" not in error or error["path"][0] in request_.answer["data"]


def differences(
    value: Any, selection_sets: list[SelectionSetNode], fragments: dict[str, FragmentDefinitionNode], path: str
) -> list[str]:
    """Where an answer has a key that was not asked for, or lacks one that was."""
    if isinstance(value, list):
        return [each for item in value for each in differences(item, selection_sets, fragments, path)]
    if value is None or not selection_sets:
        return [f"{path}: nothing was selected of it"] if isinstance(value, dict) else []
    certain: dict[str, list[FieldNode]] = {}
    possible: dict[str, list[FieldNode]] = {}
    stack = [(each, True) for each in selection_sets]
    while stack:
        selection_set, always = stack.pop()
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                key = (selection.alias or selection.name).value
                possible.setdefault(key, []).append(selection)
                if always:
                    certain.setdefault(key, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                stack.append((selection.selection_set, always and selection.type_condition is None))
            elif isinstance(selection, FragmentSpreadNode):
                stack.append((fragments[selection.name.value].selection_set, False))
    if not isinstance(value, dict):
        return [f"{path}: no object"]
    found = [f"{path}.{key}: not asked for" for key in value if key not in possible]
    found += [f"{path}.{key}: missing" for key in certain if key not in value]
    for key, nodes in possible.items():
        below = [each.selection_set for each in nodes if each.selection_set]
        found += differences(value.get(key), below, fragments, f"{path}.{key}")
    return found


def test_the_check_of_answers_sees_what_it_should() -> None:
    selected = [operation_of(parse("{ a b: c { d } ... on X { e } }")).selection_set]
    assert differences({"a": 1, "b": [{"d": 1}]}, selected, {}, "data") == []
    assert differences({"a": 1, "b": None, "e": 2}, selected, {}, "data") == []
    assert differences({"b": {"f": 1}, "c": 1}, selected, {}, "data") == [
        "data.c: not asked for",
        "data.a: missing",
        "data.b.f: not asked for",
        "data.b.d: missing",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_json_is_json_and_programs_compile(page: Path) -> None:
    for block in blocks(page):
        assert block.kind in {"", "bash", "graphql", "html", "js", "json", "python", "sql", "text", "toml", "ts"}, str(
            block
        )
        if block.kind == "json":
            json.loads(block.text)
        if block.kind == "toml":
            tomllib.loads(block.text)
        if block.kind == "python":
            compile(block.text, str(block), "exec")
            for document in re.findall(r'QUERY = """(.*?)"""', block.text, re.DOTALL):
                assert validate(graphql_schema(), parse(document)) == [], str(block)


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    actions = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    return dict(actions[0].choices) if actions else {}


@pytest.mark.parametrize("page", WITH_LINKS, ids=lambda page: page.name)
def test_a_command_exists(page: Path) -> None:
    for line in re.findall(r"python3 run\.py (\S[^\n`|>]*)", page.read_text()):
        words = re.sub(r"(?<!\\)[;,.)].*| {2,}.*|…", "", line).split()
        parser, depth = make_parser(), 0
        if words[0] in BY_RUN_PY:
            continue
        while depth < len(words) and (below := commands(parser)):
            assert words[depth] in below, f"{page.name}: {line}"
            parser, depth = below[words[depth]], depth + 1
        options = {option for action in parser._actions for option in action.option_strings}
        given = {word.split("=")[0] for word in words[depth:] if word.startswith("--")}
        assert given <= options, f"{page.name}: {line}"


def test_every_command_is_told() -> None:
    told = (DOCS / "running.md").read_text()
    assert [name for name in commands(make_parser()) if f"`python3 run.py {name}`" not in told] == []
    admins = (DOCS / "admins.md").read_text()
    actions = commands(commands(make_parser())["site"])
    assert [name for name in actions if not re.search(rf"`python3 run\.py site {name}\b", admins)] == []


def test_the_table_of_error_codes_tells_their_status() -> None:
    row = re.compile(r"^\| \[`([A-Z_]+)`\]\(errors/([A-Z_]+)\.md\) \| (\d{3})", re.MULTILINE)
    expected = [(code.value, code.value, str(STATUSES.get(code, 400))) for code in ErrorCode]
    assert row.findall((DOCS / "errors.md").read_text()) == expected


def test_every_mutation_is_told() -> None:
    mutations = re.search(r"^type Mutation \{(.*?)^\}", plain_sdl(graphql_schema()), re.MULTILINE | re.DOTALL)
    assert mutations is not None
    told = (DOCS / "mutations.md").read_text()
    assert [name for name in re.findall(r"^  (\w+)\(", mutations[1], re.MULTILINE) if f"`{name}`" not in told] == []


def headings(page: Path) -> set[str]:
    """The anchors of a page, as code hosts make them."""
    prose = BLOCK.sub("", page.read_text())
    titles = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", WITH_LINKS, ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Path) -> None:
    prose = BLOCK.sub("", page.read_text())
    for target, anchor in re.findall(r"\]\(([^)#\s:]*)(?:#([^)\s]+))?\)", prose):
        there = (page.parent / target) if target else page
        assert there.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in headings(there), f"{page.name}: {target}#{anchor}"


def test_a_wrong_document_would_be_seen(schema: GraphQLSchema) -> None:
    assert validate(schema, parse("{ nothing }"))
    with pytest.raises(GraphQLError):
        parse("{ sites( }")
