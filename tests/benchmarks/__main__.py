"""`python3 run.py bench`: Plein beside plain strawberry, bare uvicorn and pgbench, on the same data in one run.

Promises: everything runs on loopback, in a directory of its own that is gone afterwards. Prints tables in Markdown;
`--write-docs` keeps them in docs/performance.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import sys
import time
from datetime import UTC, datetime

from tenants.embedded import EmbeddedPostgres
from tenants.embedded.binaries import find_binaries
from tests.benchmarks import authentication, servers
from tests.benchmarks.document import write_document
from tests.benchmarks.openings import measure_openings
from tests.benchmarks.report import Findings, report
from tests.benchmarks.rounds import Bench, Pace, Round, run_workload
from tests.benchmarks.square import Estate, load_estate
from tests.benchmarks.subscriptions import Following, measure_subscriptions
from tests.benchmarks.usage import PROC, Memory, children, peak_memory_bytes
from tests.benchmarks.workloads import workloads

HOMES = servers.ROOT / ".plein" / "bench"
HOME = HOMES / str(os.getpid())  # two runs at once are no use, but do no harm
FULL = (Pace(rounds=5, seconds=2, warm_up_seconds=1), (0, 100, 800), 20, ((1_000, 1_000), (10_000, 1_000)))
QUICK = (Pace(rounds=2, seconds=0.5, warm_up_seconds=0.3), (0, 40), 8, ((200, 200),))
SUBSCRIPTIONS = "subscriptions"
EVENTS = 20


def main() -> int:
    """Run what was asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure Plein beside plain strawberry and pgbench.")
    parser.add_argument("--quick", action="store_true", help="a rough picture in about a minute; the whole takes six")
    parser.add_argument(
        "--only", metavar="WORD", default="", help="only workloads with this in their name, or `subscriptions`"
    )
    parser.add_argument("--write-docs", action="store_true", help="write the tables to docs/performance.md")
    args = parser.parse_args()
    if not (PROC / "self" / "stat").exists():
        print("bench: needs Linux, where one process can read what another one costs.", file=sys.stderr)
        return 1
    is_full = not args.quick and not args.only
    findings = measure(*(QUICK if args.quick else FULL), only=args.only, is_full=is_full)
    print(report(findings))
    if args.write_docs:
        write_document(servers.ROOT / "docs" / "performance.md", findings, datetime.now(UTC).date())
    return 0


def measure(
    pace: Pace, besides: tuple[int, ...], samples: int, counts: tuple[tuple[int, int], ...], *, only: str, is_full: bool
) -> Findings:
    """What there is to measure, on a fresh Postgres; with `only`, some workloads and no openings.

    Only a full run measures what it costs to say who asks, on a Postgres of its own: it opens all sites to all.
    """
    machine = describe_machine()
    remove_leftovers()
    try:
        with EmbeddedPostgres(HOME / "postgres") as postgres:
            tell("loading ten sites")
            estate = asyncio.run(load_estate(postgres.url))
            rounds, memory = measure_requests(postgres, estate, pace, only) if only != SUBSCRIPTIONS else ({}, [])
            followings: list[Following] = []
            if only in SUBSCRIPTIONS:
                tell(SUBSCRIPTIONS)
                followings = follow(postgres, estate, counts)
            openings = []
            if not only:
                tell(f"opening sites beside {', '.join(map(str, besides))}")
                openings = measure_openings(postgres.url, HOME / "openings", besides, samples)
    finally:
        shutil.rmtree(HOME, ignore_errors=True)
    who = ""
    if is_full:
        tell("saying who asks")
        who = authentication.table(authentication.measure())
    return Findings(machine, rounds, openings, memory, followings, who)


def follow(postgres: EmbeddedPostgres, estate: Estate, counts: tuple[tuple[int, int], ...]) -> list[Following]:
    """Subscribers of a server of their own, so that its memory is theirs."""
    assert postgres.pid is not None
    with servers.plein(postgres.url, estate.viewer_id, HOME / "plein") as server:
        return measure_subscriptions(server, postgres.url, postgres.pid, estate, counts, EVENTS)


def measure_requests(
    postgres: EmbeddedPostgres, estate: Estate, pace: Pace, only: str
) -> tuple[dict[str, list[Round]], list[Memory]]:
    """The rounds of every workload, and what the processes held at their peaks."""
    url, pid = postgres.url, postgres.pid
    assert pid is not None
    rounds = {}
    with (
        servers.plein(url, estate.viewer_id, HOME / "plein") as plein,
        servers.rival(url, estate.viewer_id) as rival,
        servers.rival(url, estate.viewer_id, "create_introspected") as introspected,
        servers.protocol(url, estate.viewer_id, HOME / "protocol") as protocol,
        servers.hello() as hello,
    ):
        bench = Bench(url, pid, HOME / "plein", estate, plein, rival, introspected, (hello, protocol))
        for workload in workloads(estate):
            if only in workload.name:
                tell(workload.name)
                rounds[workload.name] = run_workload(bench, workload, pace)
        memory = [Memory(each.name, peak_memory_bytes([each.pid])) for each in (plein, rival, hello)]
        memory.append(
            Memory(
                "Postgres, the largest backend (with the shared buffers it touched)", peak_memory_bytes(children(pid))
            )
        )
    return rounds, memory


def remove_leftovers() -> None:
    """Remove what runs that were killed left behind."""
    for home in HOMES.glob("*"):
        if not (PROC / home.name).exists():
            shutil.rmtree(home, ignore_errors=True)


def describe_machine() -> str:
    """What it ran on and how busy that was: not a figure to compare with other machines."""
    postgres = find_binaries(HOME / "postgres" / "data")
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, Python {platform.python_version()}, "
        f"PostgreSQL {postgres.major}. Load of the machine before the start: {load:.1f}."
    )


def tell(line: str) -> None:
    """Say how far it is, where people look."""
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
