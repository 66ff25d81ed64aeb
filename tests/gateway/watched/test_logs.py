"""Log lines: what a line tells of a request, in which form, and what it never tells."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.telemetry.logs import JsonLines, TextLines
from tests.conftest import ProvisionSite
from tests.gateway.watched.square import QUERY, watched

LOGGER = "plein.request"


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The lines about requests, as they would be written in production."""
    written = [JsonLines(None).format(record) for record in caplog.records if record.name == LOGGER]
    assert all("\n" not in line for line in written)
    return [orjson.loads(line) for line in written]


async def test_a_line_tells_what_was_asked_and_what_it_took(
    square_database: str, provision_site: ProvisionSite, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    site = await provision_site()
    async with watched(square_database, tmp_path, PLEIN_LOG_REQUESTS="all") as square:
        answer = await square.ask(slug=site.slug, headers={"x-request-id": "from-the-proxy"})
        document = square.gateway.square.documents.get(QUERY)
    (line,) = lines(caplog)
    assert answer.status_code == 200
    assert line["request_id"] == answer.headers["x-request-id"] == "from-the-proxy"
    assert (line["operation"], line["type"], line["status"], line["site"]) == ("Front", "query", 200, site.slug)
    assert line["document"] == document.hash
    assert line["statements"] >= 1
    assert 0 < line["database_ms"] <= line["duration_ms"]
    assert line["level"] == "info"
    assert "codes" not in line


async def test_an_answer_in_parts_is_told_of_when_the_last_one_is_there(
    square_database: str, provision_site: ProvisionSite, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    slugs = [(await provision_site()).slug for _ in range(2)]
    late = "sites(filter: {slugs: $slugs}) { edges { node { ... @defer { memberCount } } } }"
    query = f"query Late($slugs: [String!]) {{ {late} }}"
    async with watched(square_database, tmp_path, PLEIN_LOG_REQUESTS="all") as square:
        answer = await square.ask(query, {"accept": "multipart/mixed"}, slugs=slugs)
    (line,) = lines(caplog)
    assert answer.content.count(b"Content-Type") >= 2
    assert (line["operation"], line["type"], line["status"]) == ("Late", "query", 200)
    assert line["statements"] >= 3
    assert 0 < line["database_ms"] <= line["duration_ms"]


async def test_nothing_that_somebody_put_in_is_told(
    square_database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with watched(square_database, tmp_path, PLEIN_LOG_REQUESTS="all", PLEIN_SLOW_QUERY_MS="1") as square:
        await square.ask(slug="hidden-variable")
        await square.ask('query Literal { site(slug: "hidden-literal") { name } }')
        await square.ask(slug="none", headers={"authorization": "Bearer hidden-token"})
        await square.ask('{ site(slug: "hidden-broken") { nothing(of: "hidden-kind") } }')
        await square.ask("{ viewer { id } hidden_alias: }")
    written = [form.format(record) for form in (JsonLines(None), TextLines()) for record in caplog.records]
    assert len([line for line in lines(caplog) if line["message"] == "request"]) == 5
    assert [line for line in written if "hidden" in line and '"logger":"httpx"' not in line] == []


@pytest.mark.parametrize(("which", "told"), [("off", 0), ("failed", 2), ("all", 3)])
async def test_which_requests_get_a_line(
    which: str, told: int, square_database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    async with watched(square_database, tmp_path, PLEIN_LOG_REQUESTS=which) as square:
        await square.ask("{ __typename }")
        await square.ask("{ nothing }")
        await square.http.request("PATCH", "/graphql")
    assert len(lines(caplog)) == told
    codes = [line["codes"] for line in lines(caplog) if "codes" in line]
    assert codes == [["GRAPHQL_VALIDATION_FAILED"], ["BAD_USER_INPUT"]][:told]


async def test_each_operation_of_a_batch_gets_a_line_of_the_same_request(
    square_database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    async with watched(square_database, tmp_path, PLEIN_LOG_REQUESTS="all") as square:
        batch = [{"query": f"query Q{number} {{ __typename }}"} for number in range(3)]
        assert len((await square.http.post("/graphql", json=batch)).json()) == 3
    found = lines(caplog)
    assert {line["operation"] for line in found} == {"Q0", "Q1", "Q2"}
    assert len({line["request_id"] for line in found}) == 1


async def test_a_field_that_failed_is_told_by_its_code(
    square_database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    async with watched(square_database, tmp_path, PLEIN_LOG_REQUESTS="failed") as square:
        answer = await square.ask('query Wide { nodes(ids: ["' + '", "'.join("x" * 101) + '"]) { id } }')
        code = answer.json()["errors"][0]["extensions"]["code"]
    assert [line["codes"] for line in lines(caplog)] == [[code]]


def test_a_line_holds_an_exception_and_the_number_of_the_worker() -> None:
    out = io.StringIO()
    logger = logging.Logger("anything")
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines(3))
    logger.addHandler(handler)
    try:
        _ = {}["inside"]
    except KeyError:
        logger.warning("it %s", "failed", extra={"fields": {"request_id": "r"}}, exc_info=sys.exc_info())
    line = orjson.loads(out.getvalue())
    assert (line["message"], line["worker"], line["request_id"], line["level"]) == ("it failed", 3, "r", "warning")
    assert "KeyError: 'inside'" in line["exception"]
    assert out.getvalue().count("\n") == 1


def test_a_line_to_read_has_the_fields_behind_it() -> None:
    record = logging.LogRecord("plein.request", logging.INFO, "", 0, "request", (), None)
    record.fields = {"status": 200, "codes": ["A", "B"], "sql": "SELECT 1\nFROM x", "site": None}
    assert TextLines().format(record).endswith('plein.request: request status=200 codes=A,B sql="SELECT 1\\nFROM x"')
