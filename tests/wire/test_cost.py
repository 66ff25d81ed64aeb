"""The limit on nodes: an operation that asks for too many is refused before it runs."""

from __future__ import annotations

import httpx
import pytest

ASKED = "query($n: Int) { sites(first: $n) { edges { node { content(first: 100) { edges { node { id } } } } } } }"


@pytest.fixture
async def http(gateway_url: str):
    async with httpx.AsyncClient(base_url=gateway_url) as client:
        yield client


async def test_an_answer_that_may_hold_too_many_nodes_is_refused_with_the_number(http: httpx.AsyncClient) -> None:
    within = await http.post("/graphql", json={"query": ASKED, "variables": {"n": 99}})
    codes = {each["extensions"]["code"] for each in within.json().get("errors", ())}
    assert "LIMIT_EXCEEDED" not in codes  # a site on the shared square may be suspended
    beyond = await http.post("/graphql", json={"query": ASKED, "variables": {"n": 100}})
    assert beyond.json() == {
        "errors": [
            {
                "message": "Limit `nodes` exceeded: at most 10000 nodes in an answer. This one asks for 10100.",
                "extensions": {"code": "LIMIT_EXCEEDED"},
            }
        ]
    }
