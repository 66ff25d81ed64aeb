"""The load: the same request again and again over a few kept-alive connections, from a process of its own.

`python -m tests.benchmarks.load` takes a `Job` as JSON on standard input and gives a `Result` as JSON.
Promises: bounded in time and count; loopback only; every answer is read whole and its status checked. Never keeps one
connection busy with two requests at once.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Job:
    """`request`: the bytes on the wire, in base64."""

    port: int
    request: str
    connections: int
    seconds: float
    count_most: int


@dataclass(frozen=True, slots=True)
class Result:
    """How many answers in how much time; `failures` had another status than 200, or errors."""

    count: int
    seconds: float
    failures: int
    p50_ms: float
    p99_ms: float


def run_load(job: Job) -> Result:
    """Do it in another process. RuntimeError when nothing was answered."""
    command = [sys.executable, "-m", "tests.benchmarks.load"]
    done = subprocess.run(command, input=json.dumps(asdict(job)), text=True, capture_output=True, cwd=ROOT, check=False)
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr[-500:]}")
    return Result(**json.loads(done.stdout))


def wire(path: str, headers: dict[str, str], body: bytes) -> str:
    """A POST request as it goes over the wire, for a `Job`."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
    return base64.b64encode(head.encode() + body).decode()


class _Client(asyncio.Protocol):
    """One connection: sends, reads the answer, sends again until told to stop."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._began = 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.index(b"content-length:") + 15
        stop = head.find(b"\r\n", at)
        length = int(head[at : stop if stop >= 0 else len(head)])
        if len(self._buffer) - end - 4 < length:
            return
        ok = head.startswith(b"http/1.1 200") and b'"errors"' not in self._buffer[end + 4 : end + 40]
        self._buffer = b""
        self._load.note(time.perf_counter() - self._began, ok=ok)
        self._send()

    def connection_lost(self, _error: Exception | None) -> None:
        self._load.ended()

    def _send(self) -> None:
        assert self._transport is not None
        if self._load.may_go_on():
            self._began = time.perf_counter()
            self._transport.write(self._load.request)
        else:
            self._transport.close()


class _Load:
    """All connections together."""

    def __init__(self, job: Job) -> None:
        self.request = base64.b64decode(job.request)
        self._job = job
        self._sent = 0
        self._open = job.connections
        self._failures = 0
        self._latencies: list[float] = []
        self._done = asyncio.Event()
        self._began = time.perf_counter()

    async def run(self) -> Result:
        loop = asyncio.get_running_loop()
        for _ in range(self._job.connections):
            await loop.create_connection(lambda: _Client(self), HOST, self._job.port)
        await asyncio.wait_for(self._done.wait(), self._job.seconds + 60)
        taken = sorted(self._latencies)
        if not taken:
            raise RuntimeError("no answer")
        p50, p99 = (taken[int(len(taken) * part)] * 1000 for part in (0.5, 0.99))
        return Result(len(taken), time.perf_counter() - self._began, self._failures, p50, p99)

    def may_go_on(self) -> bool:
        if self._sent >= self._job.count_most or time.perf_counter() - self._began > self._job.seconds:
            return False
        self._sent += 1
        return True

    def note(self, seconds: float, *, ok: bool) -> None:
        self._latencies.append(seconds)
        self._failures += not ok

    def ended(self) -> None:
        self._open -= 1
        if not self._open:
            self._done.set()


async def _main() -> None:
    job = Job(**json.loads(sys.stdin.read()))
    print(json.dumps(asdict(await _Load(job).run())))


if __name__ == "__main__":
    uvloop.run(_main())
