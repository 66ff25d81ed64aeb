"""The statement itself, without a gateway: what the compiler wrote for a document, run by pgbench.

Promises: the very text and parameters that Plein sends, as the same role with the same session settings, prepared; what
starting and ending pgbench costs is measured by itself and taken off.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from auth.viewer import Viewer
from gateway.app import open_square
from gateway.documents import Prepared
from gateway.execute import Executor
from gateway.settings import load_settings
from gateway.variables import coerce_variables
from tenants.reader import Reader, Statement, reader_conninfo
from tests.benchmarks.servers import SECRET
from tests.benchmarks.square import Estate
from tests.benchmarks.usage import children, family_cpu_seconds
from tests.benchmarks.workloads import Workload

TIMEOUT_MS = 5000
CLIENTS = 4
PLACEHOLDER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement and its parameters, as they went to Postgres."""

    statement: Statement
    params: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of one statement: of its backend, and of the client."""

    backend: float
    client: float
    per_second: float

    @property
    def whole(self) -> float:
        """Both together."""
        return self.backend + self.client


class Recorder:
    """A reader that remembers what went through it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.sent: list[Sent] = []

    async def fetch(self, statement: Statement, params: Sequence[bytes | None]) -> Any:
        """As `Reader.fetch`."""
        self.sent.append(Sent(statement, tuple(params)))
        return await self._reader.fetch(statement, params)


async def statement_of(url: str, data_dir: Path, estate: Estate, workload: Workload) -> Sent:
    """The one statement that answers a workload, found by running it."""
    environ = {"PLEIN_MODE": "development", "PLEIN_DATABASE_URL": url, "PLEIN_SECRET": SECRET}
    settings = load_settings({**environ, "PLEIN_DATA_DIR": str(data_dir)})
    executor = Executor()
    async with open_square(settings, executor.execute) as square:
        recorder: Any = Recorder(square.reader)
        document = square.documents.get(workload.document)
        operation = document.operation(None)
        variables = coerce_variables(
            square.schema, operation.variables, dict(workload.variables), hide_suggestions=True
        )
        watched = replace(square, reader=recorder)
        await executor.execute(watched, Prepared(document, operation, variables), Viewer(estate.viewer_id), None)
    (sent,) = recorder.sent
    return sent  # type: ignore[no-any-return]


def is_installed() -> bool:
    """Whether there is a pgbench."""
    return shutil.which("pgbench") is not None


def run_pgbench(url: str, postgres_pid: int, sent: Sent, seconds: float) -> Cost:
    """What one statement costs. RuntimeError when pgbench refuses."""
    start = _measure(url, postgres_pid, sent, ["--transactions=1"])
    whole = _measure(url, postgres_pid, sent, [f"--time={max(1, round(seconds))}"])
    count = whole.count - start.count
    backend, client = whole.backend - start.backend, whole.client - start.client
    return Cost(backend / count, client / count, whole.per_second)


@dataclass(frozen=True, slots=True)
class _Measured:
    count: int
    backend: float
    client: float
    per_second: float


def _measure(url: str, postgres_pid: int, sent: Sent, how_long: list[str]) -> _Measured:
    given = conninfo_to_dict(reader_conninfo(url, TIMEOUT_MS))
    options = f"{given['options']} -c role={sent.statement.role}"
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"}
    login = {name: str(given[key]) for name, key in names.items()}
    with TemporaryDirectory() as directory:
        script = Path(directory) / "statement.sql"
        script.write_text(PLACEHOLDER.sub(r":p\1", sent.statement.text) + ";\n")
        values = [f"--define=p{number}={(value or b'').decode()}" for number, value in enumerate(sent.params, 1)]
        command = ["pgbench", "--no-vacuum", "--protocol=prepared", f"--client={CLIENTS}", f"--file={script}"]
        there = set(children(postgres_pid))
        backend, client = family_cpu_seconds(postgres_pid), _ended_children_cpu_seconds()
        environ = {**os.environ, **login, "PGOPTIONS": options}
        done = subprocess.run([*command, *how_long, *values], env=environ, text=True, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"pgbench: {done.stderr[-500:]}")
        client = _ended_children_cpu_seconds() - client
        _wait_until_ended(postgres_pid, there)
        backend = family_cpu_seconds(postgres_pid) - backend
    count = re.search(r"transactions actually processed: (\d+)", done.stdout)
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    assert count is not None
    assert rate is not None
    return _Measured(int(count[1]), backend, client, float(rate[1]))


def _wait_until_ended(postgres_pid: int, there: set[int]) -> None:
    """Wait for pgbench's backends, which outlive it by a moment: only what ended is counted without a doubt."""
    give_up_at = time.monotonic() + 5
    while set(children(postgres_pid)) - there and time.monotonic() < give_up_at:
        time.sleep(0.01)


def _ended_children_cpu_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system
