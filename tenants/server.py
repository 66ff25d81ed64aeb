"""The PostgreSQL server somebody points Plein at: can it be used, and if not, why not.

Promises one clear line for each thing that can be wrong with the URL or the server. Never prints the password, nor any
part of a URL that might be a piece of one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

OLDEST_MAJOR = 15
CONNECT_TIMEOUT_S = 4

_SHAPE = "postgresql://user:password@host:5432/database"
_SETTING = "PLEIN_DATABASE_URL"

# What libpq and the server say, in English; a server in another language falls through to its own words.
_REASONS = (
    (r"password authentication failed|no password supplied", "the password for role {user} is wrong"),
    (r'role ".*" does not exist', "role {user} does not exist on {place}"),
    (r'database ".*" does not exist', "database {dbname} does not exist on {place}: create it first, as UTF8"),
    (r"no pg_hba.conf entry", "the server at {place} does not let role {user} in from here: see its pg_hba.conf"),
    (r"could not translate host name|failed to resolve host|Name or service not known", "host {host} is unknown"),
    (r"too many clients|remaining connection slots", "the server at {place} has no connection left"),
    (r"the database system is (starting up|shutting down|in recovery)", "the server at {place} is not ready yet"),
    (r"timeout", "nothing answers at {place} within {timeout} s"),
    (
        r"[Cc]onnection refused|No such file or directory|[Nn]etwork is unreachable|No route to host",
        "no server at {place}",
    ),
    (r"expected authentication request|server closed the connection|invalid response", "no PostgreSQL at {place}"),
)

_FACTS = """
    SELECT current_setting('server_version_num')::int AS version_number,
           current_setting('server_version') AS version,
           current_database() AS database,
           current_user AS role,
           rolsuper AS is_superuser,
           rolsuper OR rolcreaterole AS can_create_roles,
           has_database_privilege(current_database(), 'CREATE') AS can_create_schemas,
           current_setting('server_encoding') AS encoding,
           pg_is_in_recovery() AS is_replica,
           current_setting('max_connections')::int AS max_connections
    FROM pg_roles WHERE rolname = current_user
"""


class ServerUnusable(RuntimeError):  # noqa: N818 - it says what is the case, as a sentence would
    """The server cannot be used. The text is one line for the person at the terminal, without a password."""


@dataclass(frozen=True)
class ServerInfo:
    """What a usable server says of itself and of the role we are there."""

    version: str
    major: int
    database: str
    role: str
    is_superuser: bool
    max_connections: int


def check_server(url: str, *, oldest_major: int = OLDEST_MAJOR) -> ServerInfo:
    """Connect once, look around and return what was found; takes at most a few seconds.

    Raises ServerUnusable for a malformed URL, an unreachable server, refused credentials, a missing database, a server
    older than `oldest_major`, a replica, an encoding that is not UTF8, and a role that may not create roles or schemas.
    """
    parts = _parse(url)
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT_S, row_factory=dict_row) as connection:
            facts = connection.execute(_FACTS).fetchone() or {}
    except psycopg.Error as error:
        raise ServerUnusable(_explain(error, parts)) from None
    return _judge(facts, oldest_major)


def _parse(url: str) -> dict[str, str]:
    """Return the parts of a URL, with defaults; refuses what libpq would misread, without repeating any of it."""
    malformed = ServerUnusable(f"{_SETTING} is not a PostgreSQL URL: write {_SHAPE}.")
    if not url.startswith(("postgresql://", "postgres://")):
        raise malformed
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.Error:
        parts = {}
    ports = parts.get("port", "5432").split(",")
    if not parts.get("dbname") or not all(port.isdigit() and 0 < int(port) < 65536 for port in ports):
        raise malformed
    # libpq ends the password at the first @, so the rest of one would otherwise turn up as host or database.
    if urlsplit(url).netloc.count("@") > 1 or any("@" in parts.get(name, "") for name in ("host", "dbname")):
        raise ServerUnusable(f"{_SETTING} has an @ or / in its password: write them as %40 and %2F.")
    return {"user": "?", "host": "localhost", "port": "5432", **parts}


def _explain(error: psycopg.Error, parts: dict[str, str]) -> str:
    """Return one line for a connection that failed."""
    said = str(error)
    names = {
        "place": f"{parts['host']}:{parts['port']}",
        "timeout": CONNECT_TIMEOUT_S,
        **{name: parts[name] for name in ("user", "host", "dbname")},
    }
    for pattern, reason in _REASONS:
        if re.search(pattern, said):
            return f"{_SETTING}: {reason.format(**names)}."
    first_line = said.strip().partition("\n")[0]
    password = parts.get("password")
    return f"{_SETTING}: {first_line.replace(password, '***') if password else first_line}"


def _judge(facts: dict[str, object], oldest_major: int) -> ServerInfo:
    """Return the facts as ServerInfo, or raise for the first one that rules the server out."""
    major = int(str(facts["version_number"])) // 10000
    role, database = facts["role"], facts["database"]
    problem = None
    if major < oldest_major:
        problem = f"the server is PostgreSQL {facts['version']}, and Plein needs {oldest_major} or later"
    elif facts["is_replica"]:
        problem = "the server is a read-only replica: name the primary"
    elif facts["encoding"] != "UTF8":
        problem = f"database {database} has encoding {facts['encoding']}: create one with ENCODING 'UTF8'"
    elif not facts["can_create_roles"]:
        problem = f"role {role} may not create roles: ALTER ROLE {role} CREATEROLE"
    elif not facts["can_create_schemas"]:
        problem = f"role {role} may not create schemas: GRANT CREATE ON DATABASE {database} TO {role}"
    if problem:
        raise ServerUnusable(f"{_SETTING}: {problem}.")
    return ServerInfo(
        version=str(facts["version"]),
        major=major,
        database=str(database),
        role=str(role),
        is_superuser=bool(facts["is_superuser"]),
        max_connections=int(str(facts["max_connections"])),
    )
