"""Processes around a data directory: who owns it, how a PostgreSQL program is run, who still works in it.

Promises that programs run through `child.py`, without root, and that only PostgreSQL processes which really work in
the given data directory are ever signalled. Never trusts a process id from a file without looking at the process.
"""

from __future__ import annotations

import json
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tenants.embedded.child import CANNOT_RUN
from tenants.embedded.errors import EmbeddedPostgresError

_CHILD = Path(__file__).with_name("child.py")
_UNPRIVILEGED_NAMES = ("plein", "postgres", "_postgres", "nobody")


@dataclass(frozen=True)
class Owner:
    """The user a data directory belongs to and its server runs as; both None when that is simply ourselves."""

    uid: int | None = None
    gid: int | None = None


def choose_owner(data_dir: Path) -> Owner:
    """Return who the server must run as: ourselves, or for root the directory's owner or an unprivileged user."""
    found = data_dir.stat() if data_dir.exists() else None
    if os.geteuid() != 0:
        if found and found.st_uid != os.geteuid():
            raise EmbeddedPostgresError(
                f"{data_dir} belongs to another user (id {found.st_uid}): start Plein as that user or as root, or set "
                "PLEIN_DATA_DIR to a new directory."
            )
        return Owner()
    if found and found.st_uid != 0:
        return Owner(found.st_uid, found.st_gid)
    for name in _UNPRIVILEGED_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root and there is no user `nobody`: start Plein as another user, or set "
        "PLEIN_DATABASE_URL."
    )


def give_to(owner: Owner, path: Path) -> None:
    """Make `owner` the owner of a path and all below it. Does nothing when the owner is ourselves."""
    if owner.uid is None or owner.gid is None:
        return
    os.chown(path, owner.uid, owner.gid)
    for directory, directories, files in os.walk(path):
        for name in (*directories, *files):
            os.chown(Path(directory) / name, owner.uid, owner.gid, follow_symlinks=False)


def run_program(owner: Owner, data_dir: Path, program: Sequence[str | Path], *, stdin: str = "") -> str:
    """Run a PostgreSQL program to its end as `owner` and return all it wrote.

    Raises EmbeddedPostgresError with its last telling line when it fails.
    """
    ran = subprocess.run(  # noqa: S603
        _through_child(owner, data_dir, program, parent=None),
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=_environment(),
        cwd="/",
        check=False,
    )
    if ran.returncode == CANNOT_RUN:
        raise EmbeddedPostgresError(telling_line(ran.stdout))
    if ran.returncode != 0:
        raise EmbeddedPostgresError(f"{Path(program[0]).name} failed: {telling_line(ran.stdout)}")
    return ran.stdout


def start_server(
    owner: Owner, data_dir: Path, program: Sequence[str | Path], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a server as `owner` in a session of its own, so that Ctrl-C in the terminal does not reach it.

    On Linux it shuts down when our process dies. That signal is tied to the thread that starts it, so from any thread
    but the main one it is left out, and a killed owner's server is found and ended at the next start instead.
    """
    main_thread = threading.current_thread() is threading.main_thread()
    return subprocess.Popen(  # noqa: S603
        _through_child(owner, data_dir, program, parent=os.getpid() if main_thread else None),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=_environment(),
        cwd="/",
        start_new_session=True,
    )


def telling_line(output: str) -> str:
    """Return the line of a program's output that says what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for mark in ("plein: ", "FATAL: ", "PANIC: ", "error: "):
        for line in lines:
            if mark in line:
                return line.partition(mark)[2].strip()
    return lines[-1] if lines else "it said nothing"


def end_leftovers(data_dir: Path, *, patience_s: float = 30) -> None:
    """End a server that an earlier, killed owner left on this data directory, and clear its stale pid file.

    Call only while holding the lock of the directory. Raises EmbeddedPostgresError when a process does not end.
    """
    pid_file = data_dir / "postmaster.pid"
    if not pid_file.exists():
        return
    # Fast shutdown, then immediate, then the axe. Orphaned backends, whose postmaster was killed, notice that by
    # themselves; until they are gone they hold shared memory that a new server must not ignore.
    for step in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        for pid in _at_work(data_dir, pid_file):
            _signal(pid, step, data_dir)
        if _wait_until_idle(data_dir, pid_file, patience_s if step == signal.SIGINT else 5):
            break
    else:
        raise EmbeddedPostgresError(f"A PostgreSQL that works in {data_dir} does not end: stop it by hand.")
    if sys.platform == "linux":  # elsewhere we cannot see orphaned backends, so PostgreSQL judges the file itself
        pid_file.unlink(missing_ok=True)


def _at_work(data_dir: Path, pid_file: Path) -> list[int]:
    """Return the living postmaster, which ends its own backends, or else the backends it left behind."""
    postmaster = _postmaster(data_dir, pid_file)
    return [postmaster] if postmaster else _working_in(data_dir)


def _signal(pid: int, step: signal.Signals, data_dir: Path) -> None:
    try:
        os.kill(pid, step)
    except ProcessLookupError:
        return
    except PermissionError:
        raise EmbeddedPostgresError(
            f"A PostgreSQL of another user (process {pid}) works in {data_dir}: stop it, or set PLEIN_DATA_DIR to a "
            "new directory."
        ) from None


def _wait_until_idle(data_dir: Path, pid_file: Path, patience_s: float) -> bool:
    give_up_at = time.monotonic() + patience_s
    while _at_work(data_dir, pid_file):
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.02)
    return True


def _through_child(owner: Owner, data_dir: Path, program: Sequence[str | Path], parent: int | None) -> list[str]:
    spec = json.dumps({"uid": owner.uid, "gid": owner.gid, "data_dir": str(data_dir), "parent": parent})
    return [sys.executable, "-I", "-S", str(_CHILD), spec, *map(str, program)]


def _environment() -> dict[str, str]:
    """Return a bare environment: PG* variables, locale and time zone of the terminal must not change the server."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _postmaster(data_dir: Path, pid_file: Path) -> int | None:
    """Return the process id in the pid file if that process lives and is a PostgreSQL on this data directory."""
    try:
        pid = abs(int(pid_file.read_text().split("\n", 1)[0]))
    except (FileNotFoundError, ValueError):
        return None
    return pid if pid > 1 and _works_in(pid, data_dir) else None


def _working_in(data_dir: Path) -> list[int]:
    """Return all PostgreSQL processes with this data directory as their working directory. Linux only, else empty."""
    if sys.platform != "linux":
        return []
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _works_in(int(entry.name), data_dir)
    ]


def _works_in(pid: int, data_dir: Path) -> bool:
    if sys.platform != "linux":
        ran = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
        return "postgres" in ran.stdout and str(data_dir) in ran.stdout
    process = Path("/proc") / str(pid)
    try:
        # A zombie keeps its name but has no working directory any more.
        return (process / "comm").read_text().startswith("postgres") and (process / "cwd").samefile(data_dir)
    except OSError:
        return False
