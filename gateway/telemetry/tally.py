"""Numbers of what was done, kept by one process: what the metrics are made from.

Promises: adding an operation is a few additions, no lock and no formatting; what callers name (operations) and what
grows with the square (sites) is bounded: the busiest since the last look get numbers of their own, up to a limit and
for good, everything else is `other`. Belongs to one event loop.
"""

from __future__ import annotations

import resource
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from gateway.record import Record

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
OPERATIONS_MOST = 100
SITES_MOST = 100
CANDIDATES_MOST = 1_000  # names that are counted until the next look, to find the busiest
OTHER = "other"
ANONYMOUS = "anonymous"  # an operation without a name

Snapshot = dict[str, Any]
"""Numbers that can be sent as JSON and added up: see `Tally.snapshot`."""


class Known:
    """A bounded set of names that have numbers of their own."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._names: set[str] = set()
        self._candidates: dict[str, int] = {}

    def name(self, name: str) -> str:
        """This name, or `other`."""
        if name in self._names:
            return name
        if len(self._names) < self._most and (name in self._candidates or len(self._candidates) < CANDIDATES_MOST):
            self._candidates[name] = self._candidates.get(name, 0) + 1
        return OTHER

    def look(self) -> None:
        """Let the busiest names in, as far as there is room. What was counted before stays with `other`."""
        busiest = sorted(self._candidates, key=lambda each: -self._candidates[each])
        self._names.update(busiest[: self._most - len(self._names)])
        self._candidates.clear()


class Tally:
    """What one process did since its start, and `gauges`: what it holds now, by name."""

    def __init__(self, gauges: Callable[[], Mapping[str, float]]) -> None:
        self._gauges = gauges
        self._operations = Known(OPERATIONS_MOST)
        self._sites = Known(SITES_MOST)
        self._durations: dict[tuple[str, str], list[float]] = {}  # per bucket, above all buckets, sum
        self._codes: dict[tuple[str, str], int] = {}
        self._by_site: dict[str, list[float]] = {}  # statements, seconds
        self._slow = 0

    def add(self, record: Record) -> None:
        """Count one operation."""
        name = self._operations.name(record.operation) if record.operation else ANONYMOUS
        key = (name, record.type or "none")
        seconds = record.ended - record.began
        row = self._durations.get(key)
        if row is None:
            row = self._durations[key] = [0.0] * (len(BUCKETS_S) + 2)
        row[bisect_left(BUCKETS_S, seconds)] += 1
        row[-1] += seconds
        outcome = (record.type or "none", record.code)
        self._codes[outcome] = self._codes.get(outcome, 0) + 1
        for ran in record.statements:
            site = ran.asked.site
            if site is not None:
                numbers = self._by_site.setdefault(self._sites.name(site), [0, 0.0])
                numbers[0] += 1
                numbers[1] += ran.ended - ran.began

    def add_slow(self) -> None:
        """Count a statement that was slow."""
        self._slow += 1

    def snapshot(self) -> Snapshot:
        """All numbers, as JSON can hold them: rows of labels with what they count."""
        self._operations.look()
        self._sites.look()
        gauges = {**self._gauges(), **process_gauges()}
        return _snapshot(self._durations, self._codes, self._by_site, self._slow, gauges)


def process_gauges() -> dict[str, float]:
    """What this process uses: CPU in seconds since its start, memory in bytes."""
    return {"cpu_seconds": time.process_time(), "resident_bytes": resident_bytes()}


def resident_bytes() -> float:
    """The memory of this process; where the system does not tell, the most it ever was."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return float(most if sys.platform == "darwin" else most * 1024)
    return float(pages * resource.getpagesize())


def added(snapshots: Iterable[Snapshot]) -> Snapshot:
    """The sum of what several processes counted, as a snapshot. What each holds is not added up: no gauges."""
    durations: dict[tuple[str, str], list[float]] = {}
    codes: dict[tuple[str, str], int] = {}
    sites: dict[str, list[float]] = {}
    slow = 0
    for snapshot in snapshots:
        for name, type_, row in snapshot["durations"]:
            sums = durations.get((name, type_), [0.0] * len(row))
            durations[name, type_] = [a + b for a, b in zip(sums, row, strict=True)]
        for type_, code, count in snapshot["codes"]:
            codes[type_, code] = codes.get((type_, code), 0) + count
        for site, statements, seconds in snapshot["sites"]:
            before = sites.get(site, [0, 0.0])
            sites[site] = [before[0] + statements, before[1] + seconds]
        slow += snapshot["slow"]
    return _snapshot(durations, codes, sites, slow, {})


def _snapshot(
    durations: Mapping[tuple[str, str], list[float]],
    codes: Mapping[tuple[str, str], int],
    sites: Mapping[str, list[float]],
    slow: int,
    gauges: Mapping[str, float],
) -> Snapshot:
    return {
        "durations": [[*key, list(row)] for key, row in durations.items()],
        "codes": [[*key, count] for key, count in codes.items()],
        "sites": [[site, *numbers] for site, numbers in sites.items()],
        "slow": slow,
        "gauges": dict(gauges),
    }
