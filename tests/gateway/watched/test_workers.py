"""Several worker processes: one port, one set of metrics, and no way to outlive the one who started them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gateway.processes.supervisor import supervise
from gateway.settings import load_settings
from gateway.terminal import CommandError
from tests.gateway.watched.processes import Serving, is_alive, serving, wait_for

QUERY = "query Typed { __typename }"


@pytest.fixture
def several(square_database: str, tmp_path: Path) -> Iterator[Serving]:
    with serving(square_database, tmp_path, "--workers", "2") as found:
        yield found


@contextmanager
def half_a_request(running: Serving) -> Iterator[socket.socket]:
    """A request of which the last byte is still to come."""
    body = b'{"query":"{ __typename }"}'
    head = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(head % len(body) + body[:-1])
        time.sleep(0.3)
        yield connection


def test_they_share_the_port_and_the_metrics_and_one_that_dies_is_replaced(several: Serving) -> None:
    workers = several.workers()
    assert len(workers) == 2
    with httpx.Client(limits=httpx.Limits(max_keepalive_connections=0)) as client:
        for _ in range(40):
            assert client.post(f"{several.url}/graphql", json={"query": QUERY}).json()["data"]
    before = several.metrics()
    assert before["plein_operations_total", "code=OK", "type=query"] == 40
    assert {f"worker={number}" for number in (1, 2)} == {key[1] for key in before if key[0] == "plein_worker_up"}

    os.kill(workers[0], signal.SIGKILL)
    wait_for(lambda: len(set(several.workers()) - {workers[0]}) == 2, several)
    wait_for(lambda: all(several.metrics()["plein_worker_up", f"worker={number}"] for number in (1, 2)), several)
    assert several.ask(QUERY).status_code == 200
    assert several.metrics()["plein_operations_total", "code=OK", "type=query"] == 41
    assert "a worker process died and is replaced" in several.log.read_text()


def test_a_burst_of_connections_that_stay_is_spread_over_them(several: Serving) -> None:
    before = several.metrics()
    held = [socket.create_connection(("127.0.0.1", several.port)) for _ in range(80)]
    body = b'{"query":"{ __typename }"}'
    head = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    for _ in range(10):
        for connection in held:
            connection.sendall(head % len(body) + body)
        for connection in held:
            answer = b""
            while not answer.endswith(b"}}"):
                answer += connection.recv(65_536)
    after = several.metrics()
    spent = [after[key] - before[key] for key in after if key[0] == "process_cpu_seconds_total"]
    for connection in held:
        connection.close()
    assert len(spent) == 2
    assert min(spent) > max(spent) / 6, spent


def test_they_end_when_the_one_who_started_them_is_killed(several: Serving) -> None:
    workers = several.workers()
    several.process.kill()
    several.process.wait()
    wait_for(lambda: not any(is_alive(pid) for pid in workers), several)
    with pytest.raises(httpx.ConnectError):
        several.ask(QUERY)


def test_ctrl_c_ends_all_of_them_after_what_is_under_way(several: Serving) -> None:
    workers = several.workers()
    with half_a_request(several) as connection:
        several.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        connection.sendall(b"}")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
    assert several.process.wait(20) == 0
    assert not any(is_alive(pid) for pid in workers)
    assert "Traceback" not in several.log.read_text()


def test_a_second_ctrl_c_waits_for_nothing(several: Serving) -> None:
    workers = several.workers()
    with half_a_request(several):
        several.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        several.process.send_signal(signal.SIGINT)
        assert several.process.wait(8) == 0
    assert not any(is_alive(pid) for pid in workers)
    assert "Traceback" not in several.log.read_text()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_before_it_ends_it_says_that_it_is_not_ready_and_answers(
    workers: str, square_database: str, tmp_path: Path
) -> None:
    with serving(square_database, tmp_path, "--workers", workers, PLEIN_DRAIN_MS="1500") as running:
        answers: list[tuple[float, int, int]] = []
        failures: list[float] = []
        began = time.monotonic()

        def ask() -> None:
            while running.process.poll() is None:
                at = time.monotonic() - began
                try:
                    ready = httpx.get(f"{running.url}/readyz").status_code
                    answers.append((at, ready, running.ask(QUERY).status_code))
                except httpx.HTTPError:
                    failures.append(at)
                time.sleep(0.02)

        asking = threading.Thread(target=ask)
        running.process.send_signal(signal.SIGTERM)
        asking.start()
        assert running.process.wait(20) == 0
        asking.join()
    draining = [(at, ready, status) for at, ready, status in answers if at > 0.3]
    assert draining, answers
    assert {(ready, status) for _, ready, status in draining} == {(503, 200)}
    assert min(failures, default=9.0) > 1.3


def test_a_worker_that_cannot_start_ends_the_command(tmp_path: Path) -> None:
    """Whatever keeps it from serving: here a database that went away after it was looked at."""
    gone = "postgresql://plein:x@127.0.0.1:9/plein"
    environ = {"PLEIN_MODE": "development", "PLEIN_DATABASE_URL": gone, "PLEIN_DATA_DIR": str(tmp_path)}
    settings = load_settings(environ | {"PLEIN_WORKERS": "2"})
    before = set(children())
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(CommandError, match="did not start"):
        supervise(settings, listener, lambda: pytest.fail("nothing is ready"))
    assert set(children()) - before == set()


def children() -> list[int]:
    """The processes that this one started and that live."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,comm="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return [int(pid) for pid, parent, program in rows if int(parent) == os.getpid() and program != "ps"]
