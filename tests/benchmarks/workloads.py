"""What is asked: documents that Plein and plain strawberry both answer, with the same data.

Promises: pure. A workload names its document once; only cursors, which each server writes in its own way, differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import get_introspection_query

from tests.benchmarks.servers import HELLO, PROTOCOL
from tests.benchmarks.square import Estate

AUTHOR = "author { account { name } }"
ITEM = f"id title publishedAt {AUTHOR}"
PAGE = 100  # the most a page holds


@dataclass(frozen=True, slots=True)
class Workload:
    """A document and its variables. `cursor_of`: the document that gives the variable `after` first.

    `is_compared`: whether pgbench runs the same statement; `writes`: whether it changes something; `same_schema`:
    whether plain strawberry serves Plein's own schema, not one of its own; `beside`: who else takes part.
    """

    name: str
    document: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    cursor_of: str = ""
    is_compared: bool = True
    writes: bool = False
    same_schema: bool = False
    beside: tuple[str, ...] = ()

    def with_cursor(self, data: Any) -> Mapping[str, Any]:
        """The variables, with the cursor that the answer to `cursor_of` holds."""
        return {**self.variables, "after": data["site"]["content"]["pageInfo"]["endCursor"]}


def workloads(estate: Estate) -> tuple[Workload, ...]:
    """All of them, on these sites."""
    largest = estate.sites[0]
    slug = {"slug": largest.ref.slug}
    one = f"node(id: $id) {{ id ... on Content {{ kind title body publishedAt {AUTHOR} }} }}"
    comments = f"comments(first: 5) {{ edges {{ node {{ id body createdAt {AUTHOR} }} }} }}"
    halves = f"a: {_content(PAGE, ITEM)} b: {_content(PAGE, ITEM, after=True)}"
    end = f"content(first: {PAGE}) {{ pageInfo {{ endCursor }} }}"
    sites = f"viewer {{ sites(first: 10) {{ edges {{ node {{ slug name {_content(5, ITEM)} }} }} }} }}"
    added = f"addComment(input: $input) {{ comment {{ body {AUTHOR} }} }}"
    said = {"subject": estate.sites[1].item_id, "body": "Een goed voorstel, dank."}
    return (
        Workload("item by id", f"query ($id: ID!) {{ {one} }}", {"id": largest.item_id}, beside=(HELLO,)),
        Workload("20 items + author", _on_site(_content(20, ITEM)), slug, beside=(PROTOCOL,)),
        Workload("+ 5 comments each with author", _on_site(_content(20, f"{ITEM} {comments}")), slug),
        Workload(
            "200 items + author",
            f"query ($slug: String!, $after: String!) {{ site(slug: $slug) {{ {halves} }} }}",
            slug,
            cursor_of=_on_site(end),
        ),
        Workload("10 sites x 5 items + author", f"{{ {sites} }}", is_compared=False),
        Workload(
            "mutation: add a comment",
            f"mutation ($input: AddCommentInput!) {{ {added} }}",
            {"input": said},
            is_compared=False,
            writes=True,
        ),
        Workload("introspection", get_introspection_query(), is_compared=False, same_schema=True),
    )


def _on_site(selection: str) -> str:
    return f"query ($slug: String!) {{ site(slug: $slug) {{ {selection} }} }}"


def _content(first: int, selection: str, *, after: bool = False) -> str:
    arguments = f"first: {first}, after: $after" if after else f"first: {first}"
    return f"content({arguments}) {{ edges {{ node {{ {selection} }} }} }}"
