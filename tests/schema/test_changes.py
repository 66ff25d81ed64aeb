"""The schema keeps its word: nothing that breaks a client lands without a line, and a reason, in docs/."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import GraphQLObjectType

from schema.changes import Change, Effect, NotASchema, find_changes
from schema.root import graphql_schema
from schema.sdl import plain_sdl

ROOT = Path(__file__).resolve().parents[2]
RELEASED = (ROOT / "docs" / "schema.graphql").read_text()
BEFORE = """
type Query { site(slug: String): Site, sites(first: Int = 20): [Site!]! }
type Site implements Node { id: ID!, name: String!, mood: Mood }
interface Node { id: ID! }
enum Mood { CALM LOUD }
input Filter { name: String }
type Mutation { find(filter: Filter): Site }
"""
CASES = [  # what is written differently, and what that is
    ("name: String!, ", "", Effect.BREAKING, "Field Site.name was removed."),
    ("name: String!", "name: String", Effect.BREAKING, "Field Site.name changed type from String! to String."),
    ("CALM LOUD", "CALM", Effect.BREAKING, "Enum value Mood.LOUD was removed."),
    ("(slug: String)", "(slug: String!)", Effect.BREAKING, "changed type from String to String!"),
    ("{ name: String }", "{ name: String, age: Int! }", Effect.BREAKING, "required field Filter.age was added"),
    (" implements Node", "", Effect.BREAKING, "Site no longer implements interface Node."),
    ("CALM LOUD", "CALM LOUD SAD", Effect.DANGEROUS, "Enum value Mood.SAD was added."),
    ("= 20", "= 30", Effect.DANGEROUS, "has changed defaultValue"),
    ("mood: Mood", "mood: Mood!", Effect.SAFE, "Field Site.mood changed type from Mood to Mood!."),
    ("mood: Mood", "mood: Mood, age: Int", Effect.SAFE, "Field Site.age was added."),
]


def allowed() -> dict[str, tuple[str, str]]:
    """The lines of the page: change to reason and way out."""
    page = (ROOT / "docs" / "breaking-changes.md").read_text()
    rows = re.findall(r"^\| `(.+)` \| (.*) \| (.*) \|$", page, re.MULTILINE)
    assert len(rows) == len(re.findall(r"^\| `", page, re.MULTILINE)), (
        "a line is not of the form | `change` | why | what |"
    )
    return {change: (reason, instead) for change, reason, instead in rows}


def test_nothing_breaks_without_a_line_and_a_reason() -> None:
    changes = find_changes(RELEASED, plain_sdl(graphql_schema()))
    breaking = {each.what for each in changes if each.effect is Effect.BREAKING}
    assert breaking - set(allowed()) == set(), "a client breaks: add it in another way, or see CONTRIBUTING.md"
    assert set(allowed()) - breaking == set(), "a line for a change that is not, or is no longer, there"
    assert [each for each, (reason, instead) in allowed().items() if not reason.strip() or not instead.strip()] == []


def test_a_release_keeps_its_schema() -> None:
    """On top of the changelog stands a version only when it is released, and then docs/ has its schema."""
    top = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert top is not None
    if top[1] != "Unreleased":
        assert find_changes(RELEASED, plain_sdl(graphql_schema())) == [], "make docs/schema.graphql anew"


@pytest.mark.parametrize(("old", "new", "effect", "what"), CASES, ids=str)
def test_what_a_change_does(old: str, new: str, effect: Effect, what: str) -> None:
    assert old in BEFORE
    (change,) = find_changes(BEFORE, BEFORE.replace(old, new))
    assert change.effect is effect
    assert what in change.what


def test_what_breaks_comes_first() -> None:
    after = BEFORE.replace("CALM LOUD", "CALM SAD").replace("mood: Mood", "mood: Mood, age: Int")
    assert [each.effect for each in find_changes(BEFORE, after)] == list(Effect)


def test_another_text_of_the_same_schema_is_no_change() -> None:
    assert find_changes(BEFORE, "# a comment\n" + BEFORE.replace("{ id: ID! }", "{\n  id: ID!\n}")) == []
    assert find_changes(BEFORE, BEFORE.replace("mood:", '"How it is." mood:'))[0].effect is Effect.SAFE


def test_directives_of_others_are_passed_over() -> None:
    """As a subgraph of a federation has them: used, and defined elsewhere."""
    linked = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])\n'
    assert (
        find_changes(
            BEFORE, linked + BEFORE.replace("type Site implements Node", 'type Site implements Node @key(fields: "id")')
        )
        == []
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type Query {", "Expected Name, found <EOF>. (line 1)"),
        ("type Query { a: Lost }", "Unknown type: 'Lost'"),
        ("", "Unexpected <EOF>"),
    ],
)
def test_what_is_no_schema_is_refused(text: str, said: str) -> None:
    with pytest.raises(NotASchema) as refused:
        find_changes(text, BEFORE)
    assert said in str(refused.value)


def test_only_what_can_be_found_by_its_id_has_one() -> None:
    """Clients that keep things by id, as Relay and Apollo Client do, take whatever has the field `id` for a Node."""
    types = [each for each in graphql_schema().type_map.values() if isinstance(each, GraphQLObjectType)]
    nodes = {each.name for each in types if "Node" in {interface.name for interface in each.interfaces}}
    assert {each.name for each in types if "id" in each.fields} == nodes
    assert len(nodes) > 10


def test_a_change_is_told_in_one_line() -> None:
    changes = find_changes("type Query { a: Int }", plain_sdl(graphql_schema()))
    assert Change(Effect.BREAKING, "Field Query.a was removed.") in changes
    assert [each for each in changes if "\n" in each.what] == []
