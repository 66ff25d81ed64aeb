"""What it costs to say who asks: the same public item, read as nobody and by each kind of credential, in turns.

`python -m tests.benchmarks.authentication` prints a table in Markdown. What is counted is CPU of the gateway process
per request, as that is where credentials are looked at. The rounds are interleaved, and of each way the quietest round
counts, as whatever else the machine does only adds.
Promises: loopback only, on a fresh Postgres, in a directory of its own that is gone afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from auth.api_keys import NewKey, create_key
from auth.issuer import DEVELOPMENT_ISSUER
from auth.sessions import Authentication, Device, open_session
from tenants.database import Database
from tenants.embedded import EmbeddedPostgres
from tenants.settings import DatabaseSettings
from tests.benchmarks import servers
from tests.benchmarks.load import Job, run_load, wire
from tests.benchmarks.report import written_table
from tests.benchmarks.rounds import CONNECTIONS, COUNT_MOST, _body
from tests.benchmarks.square import Estate, load_estate
from tests.benchmarks.usage import PROC, cpu_seconds, family_cpu_seconds
from tests.benchmarks.workloads import workloads

HOME = servers.ROOT / ".plein" / "bench" / f"authentication-{os.getpid()}"
ROUNDS, SECONDS = 7, 1.5
NOBODY = "nobody"
PUBLIC = 4


MOST = 0.05
"""What saying who asks may cost at the most, of a whole read as nobody."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU per request, in microseconds: of the gateway, and of the database."""

    gateway_us: float
    database_us: float


def main() -> int:
    """Measure and print; the exit code is 1 where it cannot be measured."""
    parser = argparse.ArgumentParser(prog="authentication")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    args = parser.parse_args()
    if not (PROC / "self" / "stat").exists():
        print("authentication: needs Linux, where one process can read what another one costs.", file=sys.stderr)
        return 1
    print(table(measure(args.rounds, args.seconds)))
    return 0


def measure(rounds: int = ROUNDS, seconds: float = SECONDS) -> dict[str, list[Cost]]:
    """What each way costs, round by round."""
    try:
        with EmbeddedPostgres(HOME / "postgres") as postgres:
            estate = asyncio.run(load_estate(postgres.url))
            open_to_all(postgres.url, estate)
            (workload,) = [each for each in workloads(estate) if each.name == "item by id"]
            body = _body(workload.document, workload.variables)
            with servers.plein(postgres.url, estate.viewer_id, HOME / "plein") as plein:
                assert postgres.pid is not None
                ways = asyncio.run(credentials(postgres.url, estate, plein.headers))
                jobs = {
                    name: Job(plein.port, wire("/graphql", {**JSON, **headers}, body), CONNECTIONS, seconds, COUNT_MOST)
                    for name, headers in ways.items()
                }
                for job in jobs.values():
                    run_load(job)
                found: dict[str, list[Cost]] = {name: [] for name in jobs}
                for number in range(rounds):
                    # Every other round backwards, so that nobody is always the first.
                    for name in list(jobs)[:: -1 if number % 2 else 1]:
                        found[name].append(cost_of(jobs[name], plein.pid, postgres.pid))
                return found
    finally:
        shutil.rmtree(HOME, ignore_errors=True)


JSON = {"Content-Type": "application/json"}


def open_to_all(url: str, estate: Estate) -> None:
    """Let everybody read the item."""
    ref = estate.sites[0].ref
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE platform.tenant SET access = %s, visibility = %s", (PUBLIC, PUBLIC))
        content = sql.Identifier(ref.schema_name, "content")
        connection.execute(sql.SQL("UPDATE {} SET access = %s, group_id = NULL").format(content), (PUBLIC,))


async def credentials(url: str, estate: Estate, bearer: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The headers of each way to ask."""
    database, now = Database(DatabaseSettings(url)), datetime.now(UTC)
    await database.open()
    how = Authentication(DEVELOPMENT_ISSUER, str(estate.viewer_id), None, None, (), now)
    site = estate.sites[0].ref.id
    async with database.transaction(None) as tx:
        session = await open_session(tx, estate.viewer_id, how, Device("bench", "127.0.0.1"))
        keys = [
            (await create_key(tx, NewKey(estate.viewer_id, "bench", frozenset({"read"}), sites, now + timedelta(1))))[1]
            for sites in (None, (site,))
        ]
    await database.close()
    return {
        NOBODY: {},
        "access token (JWT)": {"Authorization": bearer["Authorization"]},
        "session (cookie)": {"Cookie": f"plein={session.token}", "Sec-Fetch-Site": "same-origin"},
        "API key": {"Authorization": f"Bearer {keys[0]}"},
        "API key for one site": {"Authorization": f"Bearer {keys[1]}"},
    }


def cost_of(job: Job, gateway: int, postgres: int) -> Cost:
    """One round of one way. RuntimeError where an answer was none."""
    own, backends = cpu_seconds(gateway), family_cpu_seconds(postgres)
    result = run_load(job)
    own, backends = cpu_seconds(gateway) - own, family_cpu_seconds(postgres) - backends
    if result.failures:
        raise RuntimeError(f"{result.failures} of {result.count} requests failed")
    return Cost(own / result.count * 1e6, backends / result.count * 1e6)


def quietest(costs: list[Cost]) -> Cost:
    """The least that was measured of each."""
    return Cost(min(each.gateway_us for each in costs), min(each.database_us for each in costs))


def table(found: Mapping[str, list[Cost]]) -> str:
    """What each costs in its quietest round, and how much of a whole read as nobody the difference to that is."""
    rows = []
    base = quietest(found[NOBODY])
    for name, costs in found.items():
        least = quietest(costs)
        more = (least.gateway_us - base.gateway_us) / (base.gateway_us + base.database_us)
        told = (
            ("", "", "") if name == NOBODY else (f"{more:.1%}", f"at most {MOST:.0%}", "yes" if more <= MOST else "no")
        )
        rows.append((name, f"{least.gateway_us:.1f}", f"{least.database_us:.1f}", *told))
    heads = ("who asks", "gateway CPU, us", "Postgres CPU, us", "more than nobody", "wanted", "reached")
    return written_table(heads, rows, left=1)


if __name__ == "__main__":
    sys.exit(main())
