"""The cost of an operation: known before it runs, never less than what the answer holds."""

from __future__ import annotations

import time
from typing import Any

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse

from schema.catalogue import catalogue_of
from schema.compiler.cost import Cost, cost_of
from schema.compiler.selection import Operation, collect, skeleton
from schema.root import graphql_schema


def cost(text: str, **variables: Any) -> int:
    return compiled(text, variables).nodes(variables)


def compiled(text: str, variables: dict[str, Any]) -> Cost:
    schema, document = graphql_schema(), parse(text)
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    node = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    operation, root = Operation(schema, fragments, skeleton(variables)), schema.get_root_type(node.operation)
    assert root is not None
    return cost_of(operation, catalogue_of(schema), collect(operation, root, (node.selection_set,)))


COMMENTS = "comments(first: 5) { edges { node { id author { ... on Member { id } } } } }"


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("{ __typename }", 0),
        ("{ __schema { types { name } } }", 0),
        ("{ viewer { __typename } }", 0),
        ("{ viewer { account { name } } }", 1),
        ('{ site(slug: "a") { name } }', 1),
        ('{ a: site(slug: "a") { name } b: site(slug: "b") { name } }', 2),
        ("{ site { content { edges { node { id } } } } }", 1 + 20),
        ("{ site { content(first: 50) { edges { node { id author { ... on Member { id } } } } } } }", 1 + 50 * 2),
        (f"{{ site {{ content(last: 10) {{ edges {{ node {{ id {COMMENTS} }} }} }} }} }}", 1 + 10 * (1 + 5 * 2)),
        ("{ site { content(first: 7) { totalCount } } }", 1 + 1),
        ("{ site { content(first: 7) { pageInfo { hasNextPage } } } }", 1 + 7),
        ("{ site { content(first: 7) { edges { cursor } } } }", 1 + 7),
        ("{ site { content(first: 7) { edges { a: node { id } b: node { id } } } } }", 1 + 14),
        ("{ site { content(first: 101) { edges { node { id } } } } }", 1),
        ("{ viewer { sites(first: 3) { edges { node { content(first: 4) { edges { node { id } } } } } } } }", 3 * 5),
        (f"{{ feed(first: 30) {{ edges {{ node {{ id {COMMENTS} }} }} }} }}", 30 * 11),
        ('{ search(query: "plein", first: 6) { totalCount edges { node { id } } } }', 6 + 1),
        ('{ node(id: "x") { id } }', 1),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
        # of the types that are possible, the one that costs most
        (f'{{ node(id: "x") {{ ... on Blog {{ id }} ... on News {{ id {COMMENTS} }} }} }}', 11),
        ("{ site { ...F ...F } } fragment F on Site { content(first: 2) { edges { node { id } } } }", 1 + 2),
        (
            'mutation { createSite(input: {slug: "a", name: "A"}) '
            "{ site { content(first: 3) { edges { node { id } } } } } }",
            1 + 3,
        ),
    ],
)
def test_page_sizes_are_multiplied_along_the_tree(text: str, nodes: int) -> None:
    assert cost(text) == nodes


def test_variables_count_as_they_are() -> None:
    text = "query($n: Int, $yes: Boolean!) { site { content(first: $n) @include(if: $yes) { edges { node { id } } } } }"
    assert cost(text, n=40, yes=True) == 41
    assert cost(text, yes=True) == 21
    assert cost(text, n=40, yes=False) == 1


def test_one_compiled_cost_serves_lists_of_any_length() -> None:
    made = compiled("query($ids: [ID!]!) { nodes(ids: $ids) { id } site { id } }", {"ids": ["a"]})
    assert [made.nodes({"ids": ["x"] * count}) for count in (0, 1, 100)] == [1, 2, 101]


def test_a_tree_of_full_pages_costs_what_it_could_bring() -> None:
    page = "content(first: 100) { edges { node { group { %s } } } }"
    assert cost("{ site { " + page % (page % "id") + " } }") == 1 + 100 * (2 + 100 * 2)


def test_the_cost_of_a_tree_made_to_be_slow_is_found_in_milliseconds() -> None:
    schema = graphql_schema()
    kinds = [each.name for each in schema.get_possible_types(schema.type_map["Content"])]  # type: ignore[arg-type]
    tree = "id"
    for _ in range(3):  # as deep as the limit on depth lets lists hang in each other
        page = f"group {{ content(first: 1) {{ edges {{ node {{ {tree} }} }} }} }}"
        tree = page + "".join(f" ... on {kind} {{ a{number}: title }}" for number, kind in enumerate(kinds))
    began = time.process_time()
    assert cost(f"{{ site {{ content(first: 1) {{ edges {{ node {{ {tree} }} }} }} }} }}") == 2 + 3 * 2
    assert time.process_time() - began < 0.5
