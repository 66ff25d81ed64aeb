"""The servers that are compared, each a process of its own, with one worker on the same uvicorn.

Promises: Plein is started as anybody starts it (`python -m gateway serve`), the others with the same flags; every one
ends with its block. Loopback only.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from uuid import UUID

from auth.issuer import DevelopmentIssuer
from tests.benchmarks import plain

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
SECRET = "benchmark-" * 4
# What `gateway.serve.make_server` sets: no access log, no header of its own, no belief in proxies, the fastest loop.
FLAGS = ("--no-access-log", "--no-server-header", "--no-proxy-headers", "--loop", "uvloop", "--http", "httptools")
START_SECONDS = 30
PLEIN, RIVAL, HELLO, PROTOCOL = "Plein", "plain strawberry", "hello world", "Plein, fixed answers"


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs. `headers` are what a request to it needs."""

    name: str
    port: int
    pid: int
    headers: Mapping[str, str]


@contextmanager
def plein(
    database_url: str, viewer_id: UUID, data_dir: Path, name: str = PLEIN, module: str = "gateway"
) -> Iterator[Server]:
    """Plein itself, and a token of the viewer's for it."""
    port = free_port()
    environ = {
        "PLEIN_MODE": "development",
        "PLEIN_DATABASE_URL": database_url,
        "PLEIN_DATA_DIR": str(data_dir),
        "PLEIN_SECRET": SECRET,
        "PLEIN_PORT": str(port),
        "PLEIN_LOG_LEVEL": "error",
        "PLEIN_SERVER_TIMING": "off",  # as in production, unless asked for
    }
    token = DevelopmentIssuer(SECRET).mint(str(viewer_id)).text
    with running(name, ["-m", module, "serve"], environ, port, {"Authorization": f"Bearer {token}"}) as server:
        yield server


@contextmanager
def protocol(database_url: str, viewer_id: UUID, data_dir: Path) -> Iterator[Server]:
    """Plein with fixed bytes where it would execute: what is left is the work for the protocol, uvicorn's included."""
    with plein(database_url, viewer_id, data_dir, PROTOCOL, "tests.benchmarks.protocol") as server:
        yield server


@contextmanager
def rival(database_url: str, viewer_id: UUID, factory: str = "create_app") -> Iterator[Server]:
    """Plain strawberry; with the factory `create_introspected`, over Plein's own schema."""
    port = free_port()
    command = ["-m", "uvicorn", f"tests.benchmarks.plain:{factory}", "--factory", *FLAGS, "--port", str(port)]
    environ = {plain.DATABASE: database_url, plain.VIEWER: str(viewer_id)}
    with running(RIVAL, [*command, "--log-level", "error"], environ, port, {}) as server:
        yield server


@contextmanager
def hello() -> Iterator[Server]:
    """Bare uvicorn."""
    port = free_port()
    command = ["-m", "uvicorn", "tests.benchmarks.hello:app", *FLAGS, "--port", str(port), "--log-level", "error"]
    with running(HELLO, command, {}, port, {}) as server:
        yield server


@contextmanager
def running(
    name: str, command: list[str], environ: Mapping[str, str], port: int, headers: Mapping[str, str]
) -> Iterator[Server]:
    """Start a Python process and wait until its port answers; end it afterwards."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PLEIN_")}
    environment = {**inherited, "PYTHONPATH": str(ROOT), **environ}
    with TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-P", *command], cwd=ROOT, env=environment, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            if not is_answering(process, port):
                said.seek(0)
                raise RuntimeError(f"{name} did not start: {said.read().decode(errors='replace')[-1000:]}")
            yield Server(name, port, process.pid, {"Content-Type": "application/json", **headers})
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def is_answering(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until something answers at the port; False when the process ended or is late."""
    give_up_at = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < give_up_at:
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            connection.request("GET", "/livez")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            return True
        finally:
            connection.close()
    return False


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
