"""What is watched of a running gateway, in how many processes it runs and how they end: a part of the settings.

Promises: with all of it off, a request pays for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.parsers import Variable, one_of, url, whole

PRODUCTION_DRAIN_MS = 5_000  # long enough for what balances the load to have asked `/readyz` again


class Requests(StrEnum):
    """Which requests get a line in the log."""

    OFF = "off"
    FAILED = "failed"
    ALL = "all"


class Timing(StrEnum):
    """Which answers tell where their time went, in `Server-Timing`."""

    OFF = "off"
    ASKED = "asked"
    ON = "on"


@dataclass(frozen=True, slots=True)
class Watching:
    """Logs, metrics and traces. `metrics_port` and `otlp_endpoint` are None where nobody collects them."""

    log_json: bool
    log_requests: Requests
    server_timing: Timing
    slow_query_ms: int  # 0: none is slow
    metrics_host: str
    metrics_port: int | None
    otlp_endpoint: str | None
    otlp_sample_percent: int


VARIABLES = (
    Variable("WORKERS", whole(1, 64), 1, "Processes that serve, on one port."),
    Variable(
        "DRAIN_MS",
        whole(0, 600_000),
        None,
        "For so many milliseconds after SIGTERM everything is still answered, while `/readyz` says 503.",
        f"`{PRODUCTION_DRAIN_MS}` in production, else `0`",
    ),
    Variable(
        "LOG_FORMAT",
        one_of({"json": True, "text": False}),
        None,
        "`json`: an object in each line, or `text`.",
        "`json` in production, else `text`",
    ),
    Variable(
        "LOG_REQUESTS",
        one_of({each.value: each for each in Requests}),
        Requests.OFF,
        "Which requests get a line in the log: `off`, `failed` (with an error in the answer) or `all`.",
    ),
    Variable(
        "SERVER_TIMING",
        one_of({each.value: each for each in Timing}),
        None,
        "Which answers carry `Server-Timing`: `off`, `asked` (by `Prefer: server-timing`) or `on`.",
        "`asked`",
    ),
    Variable("SLOW_QUERY_MS", whole(0, 600_000), 1_000, "From how long on SQL statements are logged; `0`: never."),
    Variable("METRICS_PORT", whole(1, 65535), None, "Where `/metrics` answers, for Prometheus.", "nowhere"),
    Variable("METRICS_HOST", str, "127.0.0.1", "On which address it does."),
    Variable(
        "OTLP_ENDPOINT",
        url("http", "https"),
        None,
        "The OpenTelemetry collector that traces go to, as `http://host:4318`.",
        "no traces",
    ),
    Variable(
        "OTLP_SAMPLE_PERCENT",
        whole(0, 100),
        100,
        "How many in a hundred operations are traced, where the caller does not say.",
    ),
)


def watching_from(values: Mapping[str, Any], *, is_production: bool) -> Watching:
    """What is watched, by the values of the variables; what was not said depends on what is at stake."""
    return Watching(
        log_json=is_production if values["LOG_FORMAT"] is None else values["LOG_FORMAT"],
        log_requests=values["LOG_REQUESTS"],
        server_timing=values["SERVER_TIMING"] or Timing.ASKED,
        slow_query_ms=values["SLOW_QUERY_MS"],
        metrics_host=values["METRICS_HOST"],
        metrics_port=values["METRICS_PORT"],
        otlp_endpoint=values["OTLP_ENDPOINT"],
        otlp_sample_percent=values["OTLP_SAMPLE_PERCENT"],
    )


def drain_ms(values: Mapping[str, Any], *, is_production: bool) -> int:
    """How long to go on after SIGTERM."""
    given: int | None = values["DRAIN_MS"]
    if given is None:
        return PRODUCTION_DRAIN_MS if is_production else 0
    return given
