"""schemathesis asks whatever the schema lets it, and what it does not: nothing is answered with a 5xx or its like.

An ordinary run asks the same few hundred requests each time; with `PLEIN_NIGHTLY=1` it asks thousands of new ones.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLScalarType, build_schema, graphql_sync, specified_scalar_types

from schema.root import graphql_schema
from tests.clients.conftest import Place, make_place
from tests.gateway.live.running import Running
from tests.wire.conftest import listening
from tests.wire.node import run

NIGHTLY = os.environ.get("PLEIN_NIGHTLY") == "1"
EXAMPLES = 300 if NIGHTLY else 4
"""For each field of Query and Mutation; then as many again in which one request uses what another one gave."""

PATIENCE_S = 3600 if NIGHTLY else 300
VALUES = Path(__file__).with_name("drawn_values.py")
OF_FEDERATION = {"Query._service", "Query._entities"}
"""What schemathesis passes over, as clients do."""

CURSORS = "query ($slug: String!) { site(slug: $slug) { content { edges { cursor node { author { id } } } } } }"


async def test_nothing_is_answered_with_a_fault(running: Running, tmp_path: Path) -> None:
    """Asked by the owner of two sites, so that some things work even after one of them was suspended."""
    owner = await running.person()
    places = [await make_place(running, owner), await make_place(running, owner)]
    known: dict[str, list[str]] = {"ids": [], "texts": []}
    for place in places:
        answer = await running.ask(place.owner, CURSORS, slug=place.site.slug)
        edges = answer["data"]["site"]["content"]["edges"]
        known["ids"] += [place.id, *place.items.values(), edges[0]["node"]["author"]["id"]]
        known["texts"] += [place.site.slug, edges[0]["cursor"], edges[-1]["cursor"], "tekst"]
    report, tally = await schemathesis(f"{running.url}/graphql", places[0], tmp_path, known)
    assert report["failures"] == []
    assert report["exit_code"] == 0
    schema = graphql_schema()
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    fields = {f"{each}.{name}" for each in (schema.query_type, schema.mutation_type) for name in each.fields}
    assert {line.split()[0] for line in tally} == fields - OF_FEDERATION
    assert len({line.split()[0] for line in tally if line.endswith(" answered")}) > 5, "hardly anything was reached"


async def test_a_fault_would_be_seen(tmp_path: Path, place: Place) -> None:
    schema = build_schema("type Query { a: Int b: Int }")
    fault = b'{"errors": [{"message": "?", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}], "data": null}'

    async def app(_scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        query = json.loads((await receive())["body"])["query"]
        introspected = json.dumps({"data": graphql_sync(schema, query).data}).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": introspected if "__schema" in query else fault})

    async with listening(app, lifespan="off") as url:
        report, _ = await schemathesis(url, place, tmp_path, {"ids": ["x"], "texts": ["x"]})
    assert report["exit_code"] == 1
    assert report["failures"][0]["operations"] == ["Query.a", "Query.b"]


async def schemathesis(
    url: str, place: Place, directory: Path, known: dict[str, list[str]]
) -> tuple[dict[str, Any], Counter[str]]:
    """Its report, and how often each field was answered in which way."""
    report, tally = directory / "report.json", directory / "tally"
    command = [
        *(Path(sys.executable).with_name("schemathesis"), "run", url),
        *("--checks", "no_fault_of_ours", "--max-examples", str(EXAMPLES), "--warnings", "off"),
        *("--header", f"Authorization: Bearer {place.owner.token}"),
        *("--report", "json", "--report-json-path", str(report)),
        *(() if NIGHTLY else ("--seed", "1")),
    ]
    scalars = [name for name, each in graphql_schema().type_map.items() if isinstance(each, GraphQLScalarType)]
    known = known | {"scalars": [name for name in scalars if name not in specified_scalar_types]}
    environ = {"SCHEMATHESIS_HOOKS": str(VALUES), "KNOWN_VALUES": json.dumps(known), "TALLY": str(tally)}
    said = await run(*command, cwd=directory, environ=os.environ | environ, may_fail=True, patience_s=PATIENCE_S)
    if not report.exists():
        pytest.fail(said)
    lines = tally.read_text().splitlines() if tally.exists() else []
    return json.loads(report.read_text()), Counter(lines)
