"""What processes cost: seconds of CPU and the most memory they ever held.

Promises: reads only. CPU is exact to the microsecond for a running process, and to a clock tick for one that ended.
Linux only: other systems tell nobody about another process's clock.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PARENT, ENDED_USER, ENDED_SYSTEM = 1, 13, 14  # fields of /proc/<pid>/stat, counted from the one after the name


@dataclass(frozen=True, slots=True)
class Memory:
    """A process's peak of resident memory, in bytes."""

    name: str
    peak_bytes: int


def cpu_seconds(pid: int) -> float:
    """User and system time of a process up to now. ProcessLookupError where it is gone."""
    # The kernel's number for the CPU clock of another process (clock_getcpuclockid(3)); Python has no name for it.
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError as error:
        raise ProcessLookupError(pid) from error


def family_cpu_seconds(pid: int) -> float:
    """The time of all children of a process, those that ended included: for PostgreSQL, of all its backends."""
    stat = _stat(pid)
    ended = (int(stat[ENDED_USER]) + int(stat[ENDED_SYSTEM])) / TICKS_PER_SECOND
    return ended + sum(_cpu_or_nothing(child) for child in children(pid))


def children(pid: int) -> list[int]:
    """The processes that this one started and that still run."""
    found = []
    for each in PROC.iterdir():
        if each.name.isdigit():
            try:
                if int(_stat(int(each.name))[PARENT]) == pid:
                    found.append(int(each.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def peak_memory_bytes(pids: Iterable[int]) -> int:
    """The largest peak of resident memory among these processes."""
    return max((_peak(pid) for pid in pids), default=0)


def resident_bytes(pid: int) -> int:
    """What a process holds in memory now; 0 where it is gone."""
    return _status(pid, "VmRSS:")


def _peak(pid: int) -> int:
    return _status(pid, "VmHWM:")


def _status(pid: int, name: str) -> int:
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), 0)


def _cpu_or_nothing(pid: int) -> float:
    try:
        return cpu_seconds(pid)
    except ProcessLookupError:
        return 0.0


def _stat(pid: int) -> list[str]:
    """The fields after the name, which may hold anything: [state, parent, …]."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
