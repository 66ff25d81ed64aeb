"""`plein serve` as processes of its own, on a database that is there already."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[3]
SOON_S = 60.0


@dataclass
class Serving:
    """A gateway that serves: its supervisor (or the only process), and where."""

    process: subprocess.Popen[bytes]
    port: int
    metrics_port: int
    log: Path

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, query: str, **options: Any) -> httpx.Response:
        """The answer to an operation, on a connection of its own."""
        return httpx.post(f"{self.url}/graphql", json={"query": query}, timeout=SOON_S, **options)

    def metrics(self) -> dict[tuple[str, ...], float]:
        """Every number by its name and labels."""
        text = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=SOON_S).raise_for_status().text
        return {
            (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def workers(self) -> list[int]:
        """The process ids of those that serve, the store beside them left out."""
        listed = subprocess.run(
            ["ps", "-e", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        )
        rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
        return [
            int(pid) for pid, parent, command in rows if int(parent) == self.process.pid and "gateway.proc" in command
        ]


@contextmanager
def serving(url: str, data_dir: Path, *arguments: str, **environ: str) -> Iterator[Serving]:
    """Serve on free ports while the block lasts; nothing is left of it afterwards."""
    port, metrics_port = free_port(), free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLEIN_")}
    own = {"PLEIN_MODE": "development", "PLEIN_DATABASE_URL": url, "PLEIN_DATA_DIR": str(data_dir)}
    own |= {"PLEIN_METRICS_PORT": str(metrics_port), "PLEIN_READER_CONNECTIONS": "1", "PYTHONPATH": str(ROOT)}
    log = data_dir / "log"
    data_dir.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--port", str(port), *arguments],
            cwd=ROOT,
            env=kept | own | environ,
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
        found = Serving(process, port, metrics_port, log)
        try:
            wait_for(lambda: is_ready(found) or process.poll() is not None, found)
            if process.poll() is not None:
                raise AssertionError(log.read_text())
            yield found
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(SOON_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def is_ready(serving: Serving) -> bool:
    """Whether it says that it is ready, where it tells metrics too."""
    try:
        return httpx.get(f"{serving.url}/readyz").status_code == 200 and bool(serving.metrics())
    except httpx.HTTPError:
        return False


def wait_for(true: Callable[[], bool], serving: Serving, patience_s: float = SOON_S) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.05)
    raise AssertionError(serving.log.read_text())


def is_alive(pid: int) -> bool:
    """Whether this process lives, and is more than an entry that nobody asked after."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
