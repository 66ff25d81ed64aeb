"""Database roles: the one that reads the platform, and one for each site.

Promises: a role made here may log in (Citus connects to its workers as it) but has no password, inherits nothing, and
has no right until a migration grants one; the owner may put it on and has none of its rights otherwise.
Never grants a right on a table: that is written in the migrations.
"""

from __future__ import annotations

import re

from psycopg import sql

NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
GRANT_OPTIONS_SINCE = 160000  # until 15 a membership has no options; SET and no inheritance came with 16


def checked_name(name: str) -> str:
    """The name itself. ValueError for what is no plain lower-case identifier of at most 63 bytes."""
    if not NAME.fullmatch(name):
        raise ValueError(f"not a plain name: {name!r}")
    return name


def create_role(name: str, server_version: int) -> str:
    """The commands that make the role; `server_version` as libpq gives it (150004, 180000)."""
    options = " WITH SET TRUE, INHERIT FALSE" if server_version >= GRANT_OPTIONS_SINCE else ""
    commands = sql.SQL("CREATE ROLE {role} LOGIN NOINHERIT; GRANT {role} TO CURRENT_USER{options};")
    return commands.format(role=sql.Identifier(checked_name(name)), options=sql.SQL(options)).as_string(None)


def set_role(name: str) -> str:
    """The command that puts the role on until the transaction ends."""
    return sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(checked_name(name))).as_string(None)
