"""Federated tracing: told to gateways that ask, in Apollo's format, and read back by Apollo's own library."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.app import create_app
from gateway.settings import load_settings
from tests.federation.conftest import PACKAGES
from tests.gateway.live.running import Running
from tests.wire.conftest import listening
from tests.wire.node import require_packages, run_script

ASK = {"apollo-federation-include-trace": "ftv1"}
PAIR = '{ first: site(slug: "niets-hier") { name } node(id: "x") { id } __typename feed(first: 0) { totalCount } }'


async def ask(url: str, query: str, **headers: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=url) as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer: dict[str, Any] = (await client.post("/graphql", json={"query": query}, headers=named)).json()
    return answer


async def test_a_trace_is_told_to_who_asks_for_it(plein: Running) -> None:
    assert await ask(plein.url, "{ __typename }") == {"data": {"__typename": "Query"}}
    assert "extensions" not in await ask(plein.url, "{ __typename }", **{"apollo-federation-include-trace": "v2"})
    told = await ask(plein.url, "{ __typename }", **ASK)
    assert told["data"] == {"__typename": "Query"}
    assert list(told["extensions"]) == ["ftv1"]
    both = await ask(plein.url, "{ __typename }", plein_cost="1", **ASK)
    assert both["extensions"]["cost"] == {"nodes": 0}
    assert isinstance(both["extensions"]["ftv1"], str)


async def test_a_trace_says_what_was_asked_and_what_failed(plein: Running) -> None:
    home = require_packages("federation", PACKAGES)
    before = time.time()
    answer = await ask(plein.url, PAIR, **ASK)
    one = await ask(plein.url, '{ again: site(slug: "niets-hier") { name } }', **ASK)
    after = time.time()
    texts = [each["extensions"]["ftv1"] for each in (answer, one)]
    trace, of_one = await run_script(home, Path(__file__).with_name("trace.mjs"), *texts)
    assert before - 1 <= trace["startTime"]["seconds"] <= trace["endTime"]["seconds"] <= after
    nodes = trace["root"]["child"]
    assert [each["responseName"] for each in nodes] == ["first", "node", "__typename", "feed"]
    assert [each["type"] for each in nodes] == ["Site", "Node", "String!", "ContentConnection"]
    assert {each["parentType"] for each in nodes} == {"Query"}
    assert nodes[0]["originalFieldName"] == "site"
    for node in nodes:
        assert 0 <= node["startTime"] <= node["endTime"] <= trace["durationNs"]
    assert [len(each.get("error", ())) for each in nodes] == [0, 0, 0, 1]
    (error,) = nodes[3]["error"]
    assert error["message"] == answer["errors"][0]["message"]
    assert json.loads(error["json"]) == answer["errors"][0]
    assert error["location"] == [{"line": 1, "column": answer["errors"][0]["locations"][0]["column"]}]
    (node,) = of_one["root"]["child"]
    assert (node["responseName"], node["originalFieldName"], node["endTime"]) == ("again", "site", of_one["durationNs"])


@pytest.mark.parametrize(("timing", "is_told"), [("off", False), ("asked", True), ("on", True)])
async def test_it_is_told_where_times_are(timing: str, is_told: bool, square_database: str, tmp_path: Path) -> None:
    environ = {"PLEIN_DATABASE_URL": square_database, "PLEIN_DATA_DIR": str(tmp_path), "PLEIN_MODE": "development"}
    settings = load_settings({**environ, "PLEIN_SERVER_TIMING": timing})
    async with listening(create_app(settings)) as url:
        assert ("extensions" in await ask(url, "{ __typename }", **ASK)) is is_told
