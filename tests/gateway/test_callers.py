"""Limits on callers: how much at once, how much in a minute, and who counts as one caller."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from auth.viewer import ANONYMOUS, Viewer
from gateway.callers import ACCOUNT, ADDRESS, KEY, Caller, caller_of, payers_of
from gateway.limits import Limits
from gateway.over_http import GraphQLOverHTTP
from tests.gateway.small_square import make_square

NEAR = ("10.0.0.9", 4000)


@pytest.mark.parametrize(
    ("client", "forwarded", "proxies", "name"),
    [
        (NEAR, None, 0, "10.0.0.9"),
        (NEAR, b"203.0.113.7", 0, "10.0.0.9"),  # anybody can write this header
        (NEAR, b"203.0.113.7", 1, "203.0.113.7"),
        (NEAR, b"1.1.1.1, 203.0.113.7", 1, "203.0.113.7"),
        (NEAR, b"1.1.1.1, 203.0.113.7, 10.0.0.8", 2, "203.0.113.7"),
        (NEAR, b"203.0.113.7", 5, "203.0.113.7"),
        (NEAR, None, 1, "10.0.0.9"),
        (("::ffff:203.0.113.7", 1), None, 0, "203.0.113.7"),
        (("2001:db8:1:2:3:4:5:6", 1), None, 0, "20010db800010002"),
        (("2001:db8:1:2:ffff::1%eth0", 1), None, 0, "20010db800010002"),
        (NEAR, b"nonsense", 1, "unknown"),
        (None, None, 0, "unknown"),
    ],
)
def test_an_address_is_that_of_the_client_and_not_what_it_says(client, forwarded, proxies: int, name: str) -> None:
    assert caller_of(ANONYMOUS, client, forwarded, proxies) == Caller(ADDRESS, name)


def test_an_account_is_one_caller_wherever_it_calls_from() -> None:
    viewer = Viewer(UUID(int=7))
    assert caller_of(viewer, NEAR, None, 0) == caller_of(viewer, None, b"1.1.1.1", 1) == Caller(ACCOUNT, 7)


def test_a_key_runs_as_its_account_and_pays_for_itself_too() -> None:
    viewer = Viewer(UUID(int=7), key_id=UUID(int=8))
    caller = caller_of(viewer, NEAR, None, 0)
    assert caller == Caller(ACCOUNT, 7)
    assert payers_of(viewer, caller) == (Caller(KEY, 8), caller)
    assert payers_of(Viewer(UUID(int=7)), caller) == (caller,)


def http_for(limits: Limits | None = None, **environ: str) -> httpx.AsyncClient:
    square = replace(make_square(limits, **environ), weigh=lambda *_: 4)
    transport = httpx.ASGITransport(GraphQLOverHTTP(square))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://plein.example")


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_a_caller_who_costs_too_much_is_told_when_to_come_back(accept: str) -> None:
    async with http_for(PLEIN_RATE_ADDRESS="100", PLEIN_LIMIT_NODES="50") as http:
        first = await http.post("/graphql", json={"query": "{ count }"}, headers={"accept": accept})
        assert first.headers["ratelimit-policy"] == '"address";q=100;w=60'
        assert first.headers["ratelimit"].startswith('"address";r=95;t=')
        nonsense = await http.post("/graphql", json={"query": "{ nothing }"}, headers={"accept": accept})
        assert "errors" in nonsense.json()
        batch = await http.post("/graphql", json=[{"query": "{ count }"}] * 2, headers={"accept": accept})
        left = re.fullmatch(r'"address";r=(\d+);t=\d+', batch.headers["ratelimit"])
        assert left is not None
        assert 84 <= int(left[1]) <= 90  # 1 for the nonsense, 2 times 5; some is refilled meanwhile
        signed_in = await http.post("/graphql", json={"query": "{ me }"}, headers={"authorization": "Bearer operator"})
        assert signed_in.status_code == 200
    async with http_for(PLEIN_RATE_ADDRESS="6", PLEIN_LIMIT_NODES="5") as http:
        assert (await http.post("/graphql", json={"query": "{ count }"}, headers={"accept": accept})).status_code == 200
        refused = await http.post("/graphql", json={"query": "{ count }"}, headers={"accept": accept})
    assert refused.status_code == 429
    assert refused.json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED"}
    assert int(refused.headers["retry-after"]) > 20
    assert refused.headers["ratelimit"].startswith('"address";r=')


async def test_a_caller_runs_so_many_requests_at_once_and_no_more() -> None:
    async with http_for(Limits(concurrency=2, time_ms=300)) as http:
        slow = [asyncio.create_task(http.post("/graphql", json={"query": "{ slow }"})) for _ in range(2)]
        await asyncio.sleep(0.05)
        refused = await http.post("/graphql", json={"query": "{ count }"})
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert refused.json()["errors"][0] == {
            "message": "Limit `concurrency` exceeded: at most 2 requests of one caller at once.",
            "extensions": {"code": "RATE_LIMITED"},
        }
        other = await http.post("/graphql", json={"query": "{ me }"}, headers={"authorization": "Bearer operator"})
        assert other.status_code == 429  # an operator without an account is told apart by address only
        await asyncio.gather(*slow)
        assert (await http.post("/graphql", json={"query": "{ count }"})).status_code == 200


async def test_the_cost_is_told_to_those_who_ask() -> None:
    async with http_for() as http:
        plain = await http.post("/graphql", json={"query": "{ count }"})
        assert plain.json() == {"data": {"count": 3}}
        told = await http.post("/graphql", json={"query": "{ count }"}, headers={"plein-cost": "1"})
        assert told.json() == {"data": {"count": 3}, "extensions": {"cost": {"nodes": 4}}}
        batch = await http.post("/graphql", json=[{"query": "{ count }"}] * 2, headers={"plein-cost": "1"})
        assert [each["extensions"]["cost"]["nodes"] for each in batch.json()] == [4, 4]
