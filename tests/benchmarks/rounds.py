"""Rounds: the servers take turns, several times over, so that what else the machine does falls on all of them.

Promises: everything is warm before the first round; a sample is CPU per request over the whole of a run, from its first
request to its last answer; a run with a failed answer is an error, not a figure.
"""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.load import Job, run_load, wire
from tests.benchmarks.servers import HELLO, HOST, RIVAL, Server
from tests.benchmarks.square import Estate
from tests.benchmarks.statements import Sent, is_installed, run_pgbench, statement_of
from tests.benchmarks.usage import cpu_seconds, family_cpu_seconds
from tests.benchmarks.workloads import Workload

CONNECTIONS = 32
RIVAL_CONNECTIONS = 4  # more make it no faster, and its runs longer
PGBENCH = "pgbench"
COUNT_MOST = 200_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and for how long everything is run."""

    rounds: int
    seconds: float
    warm_up_seconds: float


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: requests per second, and CPU seconds per request of the server and of Postgres."""

    per_second: float
    server: float
    backend: float
    p50_ms: float = 0.0
    p99_ms: float = 0.0

    @property
    def whole(self) -> float:
        """CPU seconds of both."""
        return self.server + self.backend


Round = Mapping[str, Sample]
"""The samples of one round, by the name of the server."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What the rounds run on. `introspected`: plain strawberry over Plein's schema; `beside`: who else, at times."""

    url: str
    postgres_pid: int
    data_dir: Path
    estate: Estate
    plein: Server
    rival: Server
    introspected: Server
    beside: tuple[Server, ...]


def run_workload(bench: Bench, workload: Workload, pace: Pace) -> list[Round]:
    """All rounds of one workload."""
    rival = bench.introspected if workload.same_schema else bench.rival
    servers = [bench.plein, rival, *(each for each in bench.beside if each.name in workload.beside)]
    requests = {server.name: _request(bench, server, workload) for server in servers}
    sent = _sent(bench, workload) if workload.is_compared and is_installed() else None
    for server in servers:
        _run(bench, server, requests[server.name], pace.warm_up_seconds)
    rounds: list[Round] = []
    for _ in range(pace.rounds):
        samples = {server.name: _run(bench, server, requests[server.name], pace.seconds) for server in servers}
        if sent is not None:
            cost = run_pgbench(bench.url, bench.postgres_pid, sent, pace.seconds)
            samples[PGBENCH] = Sample(cost.per_second, cost.client, cost.backend)
        rounds.append(samples)
    return rounds


def ask(server: Server, document: str, variables: Mapping[str, Any]) -> Any:
    """The data of one answer. RuntimeError where there are errors in it."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
    try:
        connection.request("POST", "/graphql", _body(document, variables), dict(server.headers))
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    if answer.get("errors"):
        raise RuntimeError(f"{server.name}: {answer['errors']}")
    return answer["data"]


def variables_for(server: Server, workload: Workload) -> Mapping[str, Any]:
    """The variables of a workload, with the cursor that this server writes."""
    if not workload.cursor_of:
        return workload.variables
    return workload.with_cursor(ask(server, workload.cursor_of, workload.variables))


def _request(bench: Bench, server: Server, workload: Workload) -> str:
    variables = workload.variables if server.name == HELLO else variables_for(server, workload)
    return wire("/graphql", dict(server.headers), _body(workload.document, variables))


def _sent(bench: Bench, workload: Workload) -> Sent:
    asked = replace(workload, variables=variables_for(bench.plein, workload))
    return asyncio.run(statement_of(bench.url, bench.data_dir, bench.estate, asked))


def _run(bench: Bench, server: Server, request: str, seconds: float) -> Sample:
    connections = RIVAL_CONNECTIONS if server.name == RIVAL else CONNECTIONS
    own, backends = cpu_seconds(server.pid), family_cpu_seconds(bench.postgres_pid)
    result = run_load(Job(server.port, request, connections, seconds, COUNT_MOST))
    own, backends = cpu_seconds(server.pid) - own, family_cpu_seconds(bench.postgres_pid) - backends
    if result.failures:
        raise RuntimeError(f"{server.name} failed {result.failures} of {result.count} requests")
    per_second = result.count / result.seconds
    return Sample(per_second, own / result.count, backends / result.count, result.p50_ms, result.p99_ms)


def _body(document: str, variables: Mapping[str, Any]) -> bytes:
    return json.dumps({"query": document, "variables": dict(variables)}).encode()


def median_of(samples: Sequence[Sample]) -> Sample:
    """The median of each figure by itself."""
    return Sample(*(median([getattr(each, name) for each in samples]) for name in Sample.__slots__))
