"""The limits on documents: each is hit by a test, is let alone one short of it, and is cheap to check."""

from __future__ import annotations

import time

import pytest
from graphql import get_introspection_query

from gateway.documents import Documents
from gateway.errors import Rejected
from gateway.limits import Limits
from tests.gateway.small_square import SCHEMA

LIMITS = Limits()


def examine(text: str, limits: Limits = LIMITS) -> None:
    Documents(SCHEMA, limits).get(text)


def refused(text: str, limits: Limits = LIMITS) -> dict:
    with pytest.raises(Rejected) as caught:
        examine(text, limits)
    assert len(caught.value.errors) == 1
    return caught.value.errors[0]


def nested(levels: int) -> str:
    """Fields `levels` deep, the innermost in a fragment of its own."""
    fragment = "fragment Leaf on Node { id }"
    return "{ node2 " + "{ child " * (levels - 2) + "{ ...Leaf }" + "}" * (levels - 1) + fragment


# For each limit: a document that is just within it, and one just beyond.
AT_THE_LIMIT = {
    "tokens": ("{" + "#\n" * (LIMITS.tokens - 4) + "count }", "{" + "#\n" * LIMITS.tokens + "count }"),
    "depth": (nested(LIMITS.depth), nested(LIMITS.depth + 1)),
    "aliases": tuple(
        "{ node2 {" + " ".join(f"a{number}: id" for number in range(count)) + "} }"
        for count in (LIMITS.aliases, LIMITS.aliases + 1)
    ),
    "root_fields": tuple(
        "query A { ...Q ... { here } } fragment Q on Query {" + "me " * (count - 1) + "} query B { " + "me " * 15 + "}"
        for count in (LIMITS.root_fields, LIMITS.root_fields + 1)
    ),
    "directives": tuple(
        "query($yes: Boolean = true) {"
        + " me @skip(if: $yes) @include(if: $yes)" * 19
        + "".join(" ... @include(if: $yes) { here }" for _ in range(count - 38)).replace("here", "__typename", 1)
        + "}"
        for count in (LIMITS.directives, LIMITS.directives + 1)
    ),
    "definitions": tuple(
        " ".join(f"query Q{number} {{ me }}" for number in range(count))
        for count in (LIMITS.definitions, LIMITS.definitions + 1)
    ),
    "fields": tuple(
        "{ node2 { "
        + "...Ten " * 199
        + "id " * (count - 1991)
        + "} }"
        + "fragment Ten on Node { "
        + " ".join(["id"] * 10)
        + " }"
        for count in (LIMITS.fields, LIMITS.fields + 1)
    ),
    "merges": tuple("{ node2 { " + "id " * count + "} }" for count in (141, 142)),  # 141 * 140 / 2 = 9,870
}


@pytest.mark.parametrize("name", AT_THE_LIMIT)
def test_a_limit_lets_through_what_is_within_and_names_itself_for_what_is_not(name: str) -> None:
    within, beyond = AT_THE_LIMIT[name]
    limits = Limits(root_fields=100) if name == "directives" else LIMITS
    examine(within, limits)
    error = refused(beyond, limits)
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED"}
    assert error["message"].startswith(f"Limit `{name}` exceeded: at most {getattr(LIMITS, name)} ")


def test_the_standard_introspection_query_is_within_all_limits() -> None:
    examine(get_introspection_query(input_value_deprecation=True, specified_by_url=True, schema_description=True))


def test_limits_count_what_a_fragment_holds_wherever_it_is_spread() -> None:
    fragments = "fragment A on Node { a: id b: id }"
    assert "aliases" in refused("{ node2 { ...A child { ...A } } }" + fragments, Limits(aliases=3))["message"]
    examine("{ node2 { ...A child { ...A } } }" + fragments, Limits(aliases=4))


def test_fragments_that_nothing_reaches_count_as_well() -> None:
    unused = "{ me } fragment A on Node { " + "id " * 150 + "}"
    assert "merges" in refused(unused)["message"]
    shadow = "{ node2 { ...A } } fragment A on Node { id } fragment A on Node { " + "id " * 150 + "}"
    assert "merges" in refused(shadow)["message"]


@pytest.mark.parametrize(
    "text",
    [
        "{ ...A } fragment A on Query { ...A }",
        "{ me } fragment A on Node { child { ...B } } fragment B on Node { ...C } "
        "fragment C on Node { child { ...A } }",
    ],
)
def test_a_circle_of_fragments_is_refused(text: str) -> None:
    error = refused(text)
    assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert error["message"] == "Cannot spread fragment 'A' within itself."
    assert error["locations"]


def chain(link: str, count: int, last: str = "id") -> str:
    """Fragments F0 to F<count>, each naming the one after it in place of NEXT."""
    links = (link.replace("NEXT", f"F{number + 1}") for number in range(count))
    return " ".join(f"fragment F{number} on Node {{ {each} }}" for number, each in enumerate([*links, last]))


FIRST = "{ node2 { ...F0 } }"
PATHOLOGICAL = {
    "a megabyte of brackets": "{a" * 500_000,
    "a megabyte of lists": "{ sum(numbers: " + "[" * 1_000_000,
    "a megabyte of objects": "{ sum(numbers: 1, input: " + "{inner:" * 140_000,
    "a megabyte of one name": "{ " + "a" * 1_000_000 + " }",
    "a megabyte of one string": '{ echo(text: "' + "a" * 1_000_000 + '") { id } }',
    "a megabyte of comments": "#\n" * 500_000 + "{ me }",
    "a megabyte of non-null types": "query($a: Int" + "!" * 1_000_000,
    "a long chain of fragments": FIRST + chain("...NEXT", 198, "nothing"),
    "a bomb of fragments": FIRST + chain("...NEXT ...NEXT", 190),
    "a bomb of fields": FIRST + chain("child { ...NEXT } child { ...NEXT }", 13),
    "a bomb of other fields": FIRST + chain("child { ...NEXT } children { ...NEXT }", 13),
    "a bomb of aliases": FIRST + chain("a: child { ...NEXT } b: child { ...NEXT }", 13),
    "a bomb of nothing": FIRST + chain("...NEXT ...NEXT", 190, "...Missing"),
    "a bomb that nothing reaches": "{ me }" + chain("child { ...NEXT } child { ...NEXT }", 13),
    "one field again and again": "{ " + "me " * 3_000 + "}",
    "one field below again and again": "{" + "node2 { id } " * 15 + "}" * 1,
    "inline fragments without end": "{ " + "... { " * 3_000 + "me " + "} " * 3_000 + "}",
    "many unused fragments": "{ me }" + " ".join(f"fragment F{n} on Node {{ id }}" for n in range(198)),
    "many unknown fields": "{ node2 {" + " ".join(f"x{n}" for n in range(1_900)) + "} }",
    "many operations over a chain": " ".join(f"query Q{n} {FIRST}" for n in range(99)) + chain("...NEXT", 99),
    "many variables": "query(" + " ".join(f"$v{n}: Int" for n in range(2_000)) + ") { me }",
    "many directives": "{ me " + "@skip(if: true) " * 1_500 + "}",
}  # fmt: skip


@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_what_is_made_to_be_slow_is_not(name: str) -> None:
    # The best of three: what else the machine does must not count.
    looks = [look_twice(PATHOLOGICAL[name]) for _ in range(3)]
    (_, errors), (_, again) = looks[0]
    assert min(first_ms for (first_ms, _), _ in looks) < 250
    assert min(again_ms for _, (again_ms, _) in looks) < 5
    assert again == errors
    assert len(str(errors)) < 25_000  # a megabyte that comes in does not go out


def look_twice(text: str) -> tuple[tuple[float, tuple[dict, ...]], tuple[float, tuple[dict, ...]]]:
    """A first look at this text and one that finds it kept."""
    documents = Documents(SCHEMA, LIMITS)
    return timed(documents, text), timed(documents, text)


def timed(documents: Documents, text: str) -> tuple[float, tuple[dict, ...]]:
    """How long a look at this text takes, in milliseconds of this thread, and its errors."""
    errors: tuple[dict, ...] = ()
    began = time.thread_time()
    try:
        documents.get(text)
    except Rejected as rejected:
        errors = rejected.errors
    return (time.thread_time() - began) * 1000, errors
