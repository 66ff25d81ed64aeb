"""`/metrics`: the numbers of all worker processes, in Prometheus' text formats, on a port of their own.

Promises: counters are added up over the workers and never go down while the command runs, also when a worker is
replaced; what each worker holds has its number as a label. The port answers nothing else, and nobody in particular:
it listens on loopback unless told otherwise. A worker that does not answer in time counts as it last was.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import TimeoutError as LateError
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gateway.telemetry.tally import BUCKETS_S, Snapshot, added
from gateway.terminal import CommandError
from gateway.watching import Watching

Look = Callable[[], Mapping[int, Snapshot | None]]
"""Asks every worker for its numbers: by its number in the row, None where it did not answer."""

LOOK_S = 1.5  # how long a busy process may take to answer

BOUNDS = [f"{bound:g}" for bound in BUCKETS_S] + ["+Inf"]
GAUGES = {
    "reads_in_flight": ("plein_reader_in_flight", "Reads on the wire to Postgres."),
    "reads_waiting": ("plein_reader_waiting", "Reads that wait for room on a connection."),
    "reader_connections": ("plein_reader_connections", "Open connections for reads."),
    "pool_in_use": ("plein_pool_in_use", "Connections for writes that are in a transaction."),
    "plans": ("plein_plans_kept", "Compiled operations that are kept."),
    "documents": ("plein_documents_kept", "Documents that are kept, parsed and checked."),
    "subscriptions": ("plein_subscriptions", "Subscriptions that are open."),
    "resident_bytes": ("process_resident_memory_bytes", "Memory in use."),
}


class Totals(Collector):
    """Turns what the workers counted into Prometheus' families, with each look."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._latest: dict[int, Snapshot] = {}
        self._gone: Snapshot = added([])

    def replaced(self, worker: int) -> None:
        """This worker ended; what it had counted at the last look is kept."""
        with self._lock:
            last = self._latest.pop(worker, None)
            if last is not None:
                self._gone = added([self._gone, last])

    def collect(self) -> Iterator[Metric]:
        """The families, for `CollectorRegistry`."""
        looked = self._look()
        with self._lock:
            self._latest |= {worker: snapshot for worker, snapshot in looked.items() if snapshot is not None}
            total = added([self._gone, *self._latest.values()])
            held = {str(worker): snapshot["gauges"] for worker, snapshot in looked.items() if snapshot is not None}
        yield from _counted(total)
        yield from _held(held)
        up = GaugeMetricFamily("plein_worker_up", "Whether this worker answered just now.", labels=["worker"])
        for worker, snapshot in looked.items():
            up.add_metric([str(worker)], float(snapshot is not None))
        yield up


def _counted(total: Snapshot) -> Iterator[Metric]:
    durations = HistogramMetricFamily(
        "plein_operation_duration_seconds",
        "Time from a request to its answer, by operation; the busiest have names.",
        labels=["operation", "type"],
    )
    for operation, type_, row in total["durations"]:
        count, buckets = 0.0, []
        for bound, number in zip(BOUNDS, row[:-1], strict=True):
            count += number
            buckets.append((bound, count))
        durations.add_metric([operation, type_], buckets, row[-1])
    yield durations
    codes = CounterMetricFamily(
        "plein_operations", "Operations by outcome: OK, or the code of the first error.", labels=["type", "code"]
    )
    for type_, code, count in total["codes"]:
        codes.add_metric([type_, code], count)
    yield codes
    statements = CounterMetricFamily("plein_site_statements", "SQL statements on a site.", labels=["site"])
    seconds = CounterMetricFamily(
        "plein_site_database_seconds", "Time that SQL statements on a site took.", labels=["site"]
    )
    for site, number, spent in total["sites"]:
        statements.add_metric([site], number)
        seconds.add_metric([site], spent)
    yield from (statements, seconds)
    yield CounterMetricFamily("plein_slow_statements", "SQL statements that were slow.", value=total["slow"])


def _held(held: Mapping[str, Mapping[str, float]]) -> Iterator[Metric]:
    for key, (name, meaning) in GAUGES.items():
        family = GaugeMetricFamily(name, meaning, labels=["worker"])
        for worker, gauges in held.items():
            if key in gauges:
                family.add_metric([worker], gauges[key])
        yield family
    spent = CounterMetricFamily("process_cpu_seconds", "CPU time used.", labels=["worker"])
    for worker, gauges in held.items():
        spent.add_metric([worker], gauges["cpu_seconds"])
    yield spent


def look_from_thread(loop: asyncio.AbstractEventLoop, snapshot: Callable[[], Snapshot | None]) -> Snapshot | None:
    """The numbers of a process whose event loop this is, asked from another thread; None if it is stuck or ending."""

    async def ask() -> Snapshot | None:
        return snapshot()

    asking = ask()
    try:
        return asyncio.run_coroutine_threadsafe(asking, loop).result(LOOK_S)
    except (LateError, RuntimeError):
        asking.close()
        return None


@contextmanager
def telling(watching: Watching, totals: Totals) -> Iterator[None]:
    """Answer `/metrics` while the block lasts, if there is a port for it. Raises CommandError where it is taken."""
    with ExitStack() as stack:
        if watching.metrics_port is not None:
            try:
                stack.enter_context(serving_metrics(watching.metrics_host, watching.metrics_port, totals))
            except OSError as error:
                place = f"{watching.metrics_host}:{watching.metrics_port}"
                reason = error.strerror or str(error)
                raise CommandError(f"Cannot tell metrics on {place} ({reason}): set PLEIN_METRICS_PORT.") from None
        yield


@contextmanager
def serving_metrics(host: str, port: int, totals: Totals) -> Iterator[int]:
    """Answer `/metrics` while the block lasts; gives the port. Raises OSError where it is taken."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(totals)

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404)
                return
            encode, media = choose_encoder(self.headers.get("Accept", ""))
            body = encode(registry)
            self.send_response(200)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nobody needs a line for each look."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server((host, port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
