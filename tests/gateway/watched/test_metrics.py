"""Metrics: what Prometheus reads, that it is true, and that no name can make it grow."""

from __future__ import annotations

import logging
from pathlib import Path

import httpx
import pytest

from gateway.record import Record
from gateway.telemetry.metrics import Totals
from gateway.telemetry.tally import CANDIDATES_MOST, OPERATIONS_MOST, SITES_MOST, Known, Tally, added
from gateway.terminal import CommandError
from tenants.watch import Asked, Ran
from tests.conftest import ProvisionSite
from tests.gateway.watched.processes import Serving, free_port, serving
from tests.gateway.watched.square import QUERY, watched

COUNT = "plein_operation_duration_seconds_count"


@pytest.fixture(scope="module")
def running(square_database: str, tmp_path_factory: pytest.TempPathFactory) -> Serving:
    with serving(square_database, tmp_path_factory.mktemp("metrics")) as found:
        yield found


async def test_it_counts_operations_outcomes_sites_and_what_is_held(
    running: Serving, provision_site: ProvisionSite
) -> None:
    site = await provision_site()

    def ask() -> None:
        body = {"query": QUERY, "variables": {"slug": site.slug}}
        assert "errors" not in httpx.post(f"{running.url}/graphql", json=body).json()

    ask()
    running.metrics()  # from here on the operation and the site have numbers of their own
    before = running.metrics()
    for _ in range(3):
        ask()
    assert running.ask("{ nothing }").json()["errors"]
    after = running.metrics()

    def rise(*key: str) -> float:
        return after[key] - before.get(key, 0)

    assert rise(COUNT, "operation=Front", "type=query") == 3
    assert rise("plein_operation_duration_seconds_bucket", "le=+Inf", "operation=Front", "type=query") == 3
    assert rise("plein_operations_total", "code=OK", "type=query") == 3
    assert rise("plein_operations_total", "code=GRAPHQL_VALIDATION_FAILED", "type=none") == 1
    assert rise("plein_site_statements_total", f"site={site.slug}") == 3
    assert rise("plein_site_database_seconds_total", f"site={site.slug}") > 0
    assert after["plein_reader_connections", "worker=1"] == 1
    assert after["plein_plans_kept", "worker=1"] >= 1
    assert after["plein_documents_kept", "worker=1"] >= 2
    assert after["process_resident_memory_bytes", "worker=1"] > 20_000_000
    assert after["process_cpu_seconds_total", "worker=1"] > 0
    assert after["plein_worker_up", "worker=1"] == 1


def test_it_is_on_a_port_of_its_own_on_loopback_in_both_formats(running: Serving) -> None:
    url = f"http://127.0.0.1:{running.metrics_port}"
    assert httpx.get(f"{url}/metrics").headers["content-type"].startswith("text/plain")
    openmetrics = httpx.get(f"{url}/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
    assert openmetrics.text.endswith("# EOF\n")
    assert httpx.get(f"{url}/").status_code == 404
    assert httpx.get(f"{running.url}/metrics").status_code == 404


def test_a_port_that_is_taken_is_one_line(running: Serving, square_database: str, tmp_path: Path) -> None:
    taken = serving(square_database, tmp_path, PLEIN_METRICS_PORT=str(running.metrics_port))
    with pytest.raises(AssertionError, match="Cannot tell metrics") as told, taken:
        pass
    assert "Traceback" not in str(told.value)


def test_a_name_gets_its_own_numbers_only_when_it_is_among_the_busiest() -> None:
    known = Known(2)
    for name, times in (("rare", 1), ("busy", 9), ("usual", 5)):
        assert {known.name(name) for _ in range(times)} == {"other"}
    known.look()
    assert [known.name(name) for name in ("busy", "usual", "rare")] == ["busy", "usual", "other"]
    for _ in range(50):
        known.name("late")
    known.look()
    assert known.name("late") == "other"


def test_hostile_names_make_neither_the_metrics_nor_the_memory_grow() -> None:
    tally = Tally(dict)
    for number in range(5_000):
        record = Record("http")
        record.operation, record.type = f"Hostile{number}", "query"
        asked = Asked(None, record, 0.0, None, None, f"site{number}")  # type: ignore[arg-type]
        record.note(Ran("SELECT 1", 0, asked, 0.0, 0.1))
        record.finish()
        tally.add(record)
        if number % 1_000 == 0:
            snapshot = tally.snapshot()
    snapshot = tally.snapshot()
    assert len(snapshot["durations"]) <= OPERATIONS_MOST + 1
    assert len(snapshot["sites"]) <= SITES_MOST + 1
    assert sum(sum(row[:-1]) for _, _, row in snapshot["durations"]) == 5_000
    known = Known(1)
    for number in range(CANDIDATES_MOST * 3):
        known.name(str(number))
    assert len(known._candidates) == CANDIDATES_MOST


def test_counters_never_go_down_when_a_worker_is_replaced_or_silent() -> None:
    tallies = {1: Tally(dict), 2: Tally(dict)}
    silent: set[int] = set()
    totals = Totals(lambda: {number: None if number in silent else each.snapshot() for number, each in tallies.items()})

    def work(number: int, times: int) -> None:
        for _ in range(times):
            record = Record("http")
            record.type = "query"
            record.finish()
            tallies[number].add(record)

    def total() -> float:
        families = {family.name: family for family in totals.collect()}
        return sum(sample.value for sample in families["plein_operations"].samples)

    work(1, 5)
    work(2, 7)
    assert total() == 12
    silent.add(2)
    assert total() == 12
    silent.clear()
    totals.replaced(2)
    tallies[2] = Tally(dict)
    assert total() == 12
    work(2, 1)
    assert total() == 13
    assert added([])["codes"] == []


async def test_nothing_is_watched_where_nobody_watches(
    square_database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with watched(square_database, tmp_path, PLEIN_SLOW_QUERY_MS="0") as square:
        telemetry = square.gateway.telemetry
        assert (telemetry.watch, telemetry.snapshot()) == (None, None)
        marker = object()
        assert telemetry.endpoint(marker) is marker  # type: ignore[arg-type, comparison-overlap]
        assert telemetry.executing(marker) is marker  # type: ignore[arg-type, comparison-overlap]
        assert (await square.ask("{ __typename }")).status_code == 200
    # A slow statement may be another gateway's in this process; those of one without a watch are not even timed.
    told = [record for record in caplog.records if record.name.startswith("plein.") and record.name != "plein.slow"]
    assert told == []


def test_what_is_asked_of_a_taken_port_can_be_read() -> None:
    from gateway.telemetry.metrics import telling  # noqa: PLC0415
    from gateway.watching import Requests, Timing, Watching  # noqa: PLC0415

    port = free_port()
    watching = Watching(True, Requests.OFF, Timing.OFF, 0, "127.0.0.1", port, None, 100)
    with telling(watching, Totals(dict)):
        assert httpx.get(f"http://127.0.0.1:{port}/metrics").status_code == 200
        with pytest.raises(CommandError, match=str(port)), telling(watching, Totals(dict)):
            pass
