"""The report: tables and ratios in Markdown, for the terminal and for docs/performance.md.

Promises: pure. A ratio is made within a round and then its median is taken, so that what the machine did meanwhile
falls on both sides of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.benchmarks.openings import Opening
from tests.benchmarks.rounds import PGBENCH, Round, median_of
from tests.benchmarks.servers import HELLO, PLEIN, PROTOCOL, RIVAL
from tests.benchmarks.subscriptions import Following
from tests.benchmarks.usage import Memory

LISTS = ("20 items + author", "+ 5 comments each with author", "200 items + author")


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was measured. `machine` describes what on."""

    machine: str
    rounds: Mapping[str, Sequence[Round]]
    openings: Sequence[Opening]
    memory: Sequence[Memory]
    followings: Sequence[Following] = ()
    authentication: str = ""
    """The table of what it costs to say who asks."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What is to be reached: `at_least` or at most `bound`, of `ratio` in each round of a workload."""

    workload: str
    meaning: str
    bound: float
    at_least: bool
    ratio: Callable[[Round], float]
    shown: Callable[[float], str]

    def is_reached(self, value: float) -> bool:
        """Whether the median is on the right side."""
        return value >= self.bound if self.at_least else value <= self.bound


def _times(value: float) -> str:
    return f"{value:.1f} x" if value < 10 else f"{value:.0f} x"


def _percent(value: float) -> str:
    return f"{value:.0%}"


REACHES = (
    Reach(
        "item by id",
        "requests per core, as a share of hello world's",
        0.35,
        True,
        lambda each: each[HELLO].server / each[PLEIN].server,
        _percent,
    ),
    Reach(
        "+ 5 comments each with author",
        "requests per core, against plain strawberry",
        50,
        True,
        lambda each: each[RIVAL].server / each[PLEIN].server,
        _times,
    ),
    *(
        Reach(
            name,
            "CPU of gateway and Postgres, against that of pgbench and Postgres for the statement alone",
            1.6,
            False,
            lambda each: each[PLEIN].whole / each[PGBENCH].whole,
            _times,
        )
        for name in LISTS
    ),
    Reach(
        "20 items + author",
        "CPU of the protocol alone (fixed answers, uvicorn included), as a share of that of gateway and Postgres",
        0.15,
        False,
        lambda each: each[PROTOCOL].server / each[PLEIN].whole,
        _percent,
    ),
    Reach(
        "introspection",
        "requests per core, against plain strawberry with the same schema",
        100,
        True,
        lambda each: each[RIVAL].server / each[PLEIN].server,
        _times,
    ),
)


def report(findings: Findings) -> str:
    """All tables, in Markdown."""
    parts = (
        ("Requests", requests_table(findings)),
        ("What was to be reached", reach_table(findings)),
        ("Against plain strawberry, Postgres included", against_table(findings)),
        ("Saying who asks", findings.authentication or "not measured\n"),
        ("Opening a site", openings_table(findings.openings)),
        ("Subscriptions", followings_table(findings.followings)),
        ("Peak memory", memory_table(findings.memory)),
    )
    return f"{findings.machine}\n\n" + "\n".join(f"## {title}\n\n{table}" for title, table in parts)


def requests_table(findings: Findings) -> str:
    """Medians over the rounds, by workload and server."""
    rows = []
    for workload, rounds in findings.rounds.items():
        for server in rounds[0]:
            sample = median_of([each[server] for each in rounds])
            is_server = server != PGBENCH
            rows.append(
                (
                    workload,
                    server,
                    f"{sample.per_second:,.0f}",
                    f"{1 / sample.server:,.0f}" if is_server else "",
                    f"{sample.server * 1e6:,.0f}",
                    f"{sample.backend * 1e6:,.0f}",
                    f"{sample.p50_ms:,.1f}" if is_server else "",
                    f"{sample.p99_ms:,.1f}" if is_server else "",
                )
            )
    heads = ("workload", "server", "per second", "per core", "its CPU, us", "Postgres CPU, us", "p50, ms", "p99, ms")
    return written_table(heads, rows, left=2)


def reach_table(findings: Findings) -> str:
    """Each ratio with its bound: median, least and most over the rounds."""
    rows = []
    for reach in REACHES:
        rounds = findings.rounds.get(reach.workload, ())
        wanted = f"{'at least' if reach.at_least else 'at most'} {reach.shown(reach.bound)}"
        try:
            values = [reach.ratio(each) for each in rounds]
        except KeyError:
            values = []
        if not values:
            rows.append((reach.workload, reach.meaning, wanted, "not measured", "", ""))
            continue
        value = median(values)
        span = f"{reach.shown(min(values))} - {reach.shown(max(values))}"
        rows.append((reach.workload, reach.meaning, wanted, reach.shown(value), span, _yes(reach.is_reached(value))))
    return written_table(("workload", "ratio", "wanted", "median", "rounds", "reached"), rows, left=2)


def against_table(findings: Findings) -> str:
    """How much less CPU Plein needs than the rival: the gateway by itself, and gateway and Postgres together."""
    rows = []
    for workload, rounds in findings.rounds.items():
        own = median(each[RIVAL].server / each[PLEIN].server for each in rounds)
        whole = median(each[RIVAL].whole / each[PLEIN].whole for each in rounds)
        rows.append((workload, _times(own), _times(whole)))
    return written_table(("workload", "server alone", "with Postgres"), rows, left=1)


def openings_table(openings: Sequence[Opening]) -> str:
    """How long it takes, in milliseconds."""
    rows = [
        (each.how, str(each.beside), f"{each.p50_ms:.0f}", f"{each.p95_ms:.0f}", f"{each.slowest_ms:.0f}")
        for each in openings
    ]
    return written_table(("how", "beside sites", "p50, ms", "p95, ms", "slowest, ms"), rows, left=1)


def followings_table(followings: Sequence[Following]) -> str:
    """What quiet subscribers hold, and how soon an event has reached the last of them."""
    rows = [
        (
            f"{each.subscribers:,}",
            f"{each.accounts:,}",
            f"{each.total_bytes / 1e6:.0f}",
            f"{each.held_bytes / each.subscribers / 1000:.0f}",
            f"{each.median_ms:.0f}",
            f"{max(each.last_ms):.0f}",
            f"{each.server_cpu_ms:.0f}",
            f"{each.postgres_cpu_ms:.0f}",
        )
        for each in followings
    ]
    heads = ("subscribers", "of accounts", "server, MB", "kB for each", "to the last, ms", "slowest, ms")
    return written_table((*heads, "its CPU, ms", "Postgres CPU, ms"), rows, left=0)


def memory_table(memory: Sequence[Memory]) -> str:
    """Peaks of resident memory, in megabytes."""
    rows = [(each.name, f"{each.peak_bytes / 1e6:.0f}") for each in memory]
    return written_table(("process", "peak, MB"), rows, left=1)


def written_table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """A table in Markdown; so many columns stand on the left."""
    marks = ["---"] * left + ["---:"] * (len(heads) - left)
    widths = [max(len(row[place]) for row in (heads, marks, *rows)) for place in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |\n"

    rule = [mark.replace("---", "-" * (width - len(mark) + 3)) for mark, width in zip(marks, widths, strict=True)]
    return line(heads) + f"| {' | '.join(rule)} |\n" + "".join(map(line, rows))


def _yes(value: bool) -> str:
    return "yes" if value else "no"
