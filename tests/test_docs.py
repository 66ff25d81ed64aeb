"""What is written in the pages is true, as far as it can be checked without running a gateway.

Every request parses and validates, with its variables; every answer has the shape that its request gives; every
command, error code and link exists. Pages about decisions tell of a moment and are not held to today's schema.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
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

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
WITH_LINKS = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((DOCS / "decisions").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BY_RUN_PY = frozenset({"test", "bench"})
"""What `run.py` does itself; all else are commands of the gateway."""


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins, what it is, and what it says."""

    page: Path
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


@dataclass(frozen=True)
class Request:
    """A request in a page, with its variables and the answer that is shown for it, if any."""

    at: Block
    document: str
    variables: dict[str, Any] | None = None
    answer: dict[str, Any] | None = None


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    return [Block(page, text[: each.start()].count("\n") + 1, each[1], each[2]) for each in BLOCK.finditer(text)]


def requests(page: Path) -> Iterator[Request]:
    """The requests of a page. JSON that follows one is its variables, or its answer if it has data or errors."""
    last: Request | None = None
    for block in blocks(page):
        if block.kind == "json" and last is not None:
            told = json.loads(block.text)
            is_answer = bool({"data", "errors"} & set(told))
            last = Request(
                last.at, last.document, last.variables if is_answer else told, told if is_answer else last.answer
            )
            continue
        if last is not None:
            yield last
        last = None
        if block.kind == "graphql":
            last = Request(block, block.text)
        elif block.kind == "bash":
            for last in in_shell(block):  # noqa: B007 - an answer belongs to the last one
                pass
    if last is not None:
        yield last


def in_shell(block: Block) -> Iterator[Request]:
    """The requests that curl sends in a block for the shell; those put together by a program are not seen."""
    words = shlex.split(block.text) if "/graphql" in block.text else []
    for option, value in pairwise(words):
        if option == "--data-urlencode" and value.startswith("query="):
            yield Request(block, value.removeprefix("query="))
        if option == "-d" and value.startswith("{"):
            body = json.loads(value)
            yield Request(block, body["query"], body.get("variables"))


REQUESTS = [request for page in PAGES for request in requests(page)]


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return graphql_schema()


def operation_of(document: DocumentNode) -> OperationDefinitionNode:
    (operation,) = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return operation


def test_there_are_requests_for_every_kind_of_reader() -> None:
    names = {request.at.page.name for request in REQUESTS}
    assert {"README.md", "frontend.md", "admins.md", "analysts.md"} <= names
    assert sum(request.answer is not None for request in REQUESTS) > 15


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: str(each.at))
def test_a_request_fits_the_schema(schema: GraphQLSchema, request_: Request) -> None:
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
    document = parse(request_.document)
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    selected = operation_of(document).selection_set
    if request_.answer.get("data") is not None:
        assert differences(request_.answer["data"], [selected], fragments, "data") == []
    for error in request_.answer.get("errors", ()):
        assert error["extensions"]["code"] in set(ErrorCode)
        assert error["path"][0] in request_.answer["data"]


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


def test_every_error_code_has_a_section_and_every_section_a_code() -> None:
    sections = re.findall(r"^## (.+)$", (DOCS / "errors.md").read_text(), re.MULTILINE)
    assert sections == [code.value for code in ErrorCode]


def test_the_table_of_error_codes_tells_their_status() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\d{3})", (DOCS / "frontend.md").read_text(), re.MULTILINE)
    assert dict(rows) == {code.value: str(STATUSES.get(code, 400)) for code in ErrorCode}


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
