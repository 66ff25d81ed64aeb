"""The migration files: found, numbered, and filled in.

Promises: scripts of one scope are numbered 1, 2, 3 without gaps; a placeholder becomes a correctly quoted identifier or
literal, and nothing else in a script is touched. Never talks to a database.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from psycopg import sql

from tenants.errors import ScriptsInvalid

MIGRATIONS = Path(__file__).parent / "migrations"
FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
PLACEHOLDER = re.compile(r"""(?<!:):(["'])([a-z_]+)\1""")  # as psql writes them: :"identifier" and :'literal'


@dataclass(frozen=True, slots=True)
class Script:
    """One file. `checksum` is the SHA-256 of its text, in hexadecimal."""

    number: int
    name: str
    text: str
    checksum: str


@dataclass(frozen=True, slots=True)
class Scripts:
    """All of them: `founding` makes the ground, `rights` closes it, `shared` is the platform, `tenant` each site.

    The first two are no migrations: they may be run again.
    """

    founding: str
    rights: str
    shared: tuple[Script, ...]
    tenant: tuple[Script, ...]

    @property
    def tenant_version(self) -> int:
        """The `schema_version` of a site that has everything."""
        return len(self.tenant)


@lru_cache(maxsize=8)
def load_scripts(folder: Path = MIGRATIONS) -> Scripts:
    """Read the files once. Raises `ScriptsInvalid` for a wrong name, a gap or a number used twice."""
    founding, rights = ((folder / name).read_text(encoding="utf-8") for name in ("founding.sql", "rights.sql"))
    return Scripts(founding, rights, load_scope(folder / "shared"), load_scope(folder / "tenant"))


def load_scope(folder: Path) -> tuple[Script, ...]:
    """The scripts of one folder in order."""
    scripts = []
    for number, path in enumerate(sorted(folder.glob("*.sql")), start=1):
        match = FILE_NAME.fullmatch(path.name)
        if match is None or int(match[1]) != number:
            raise ScriptsInvalid(f"{path.parent.name}/{path.name}: expected {number:04}_<name>.sql")
        text = path.read_text(encoding="utf-8")
        scripts.append(Script(number, path.stem, text, hashlib.sha256(text.encode()).hexdigest()))
    return tuple(scripts)


def filled(text: str, values: Mapping[str, str]) -> str:
    """The script with its placeholders replaced. Raises `ScriptsInvalid` for one that has no value."""

    def value(match: re.Match[str]) -> str:
        if match[2] not in values:
            raise ScriptsInvalid(f"no value for the placeholder {match[0]}")
        quoted = sql.Identifier if match[1] == '"' else sql.Literal
        return quoted(values[match[2]]).as_string(None)

    return PLACEHOLDER.sub(value, text)
