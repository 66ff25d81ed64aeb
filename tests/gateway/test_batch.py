"""Several requests in one body: each answers for itself, in order, and there is a limit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from gateway.limits import Limits
from gateway.over_http import GraphQLOverHTTP
from tests.gateway.small_square import make_square

MODERN = "application/graphql-response+json"


async def post(payload: Any, limits: Limits | None = None, accept: str = MODERN, **seams: Any) -> httpx.Response:
    transport = httpx.ASGITransport(GraphQLOverHTTP(replace(make_square(limits), **seams)))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://plein.example") as http:
        return await http.post("/graphql", json=payload, headers={"accept": accept})


@pytest.mark.parametrize("accept", [MODERN, "application/json"])
async def test_answers_come_in_the_order_of_the_requests(accept: str) -> None:
    response = await post(
        [{"query": "{ count }"}, {"query": "{ echo(text: $t) }"}, 1, {"query": "{ me }"}], accept=accept
    )
    assert response.status_code == 200
    first, invalid, refused, last = response.json()
    assert (first, last) == ({"data": {"count": 3}}, {"data": {"me": "nobody"}})
    assert invalid["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert refused["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_reads_run_at_the_same_time_and_writes_one_after_the_other() -> None:
    running = most = 0

    async def execute(*_: object) -> bytes:
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        import asyncio  # noqa: PLC0415

        await asyncio.sleep(0.005)
        running -= 1
        return b'{"data":{}}'

    await post([{"query": "{ count }"}] * 4, execute=execute)
    assert most == 4
    most = 0
    await post([{"query": "{ count }"}, {"query": "mutation { write }"}, {"query": "{ me }"}], execute=execute)
    assert most == 1


async def test_a_batch_that_is_too_long_is_refused_and_so_is_an_empty_one() -> None:
    assert len((await post([{"query": "{ count }"}] * 10)).json()) == 10
    beyond = await post([{"query": "{ count }"}] * 11)
    assert beyond.status_code == 400
    assert beyond.json()["errors"][0] == {
        "message": "Limit `batch` exceeded: at most 10 requests in one body.",
        "extensions": {"code": "LIMIT_EXCEEDED"},
    }
    assert (await post([])).status_code == 400
    assert len(orjson.dumps((await post([1] * 500_000)).json())) < 1000


async def test_a_fault_of_one_is_told_in_its_place_only() -> None:
    answers = (await post([{"query": '{ fail(how: "database") }'}, {"query": "{ count }"}])).json()
    assert answers[0]["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert answers[1] == {"data": {"count": 3}}
