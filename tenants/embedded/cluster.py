"""The data directory of the bundled PostgreSQL: how it is made, and what is remembered beside it.

Promises that a data directory either exists completely, roles and database included, or not at all, and that nobody
gets in without a password. Never trusts a connection, never gives the gateway's role superuser rights.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tenants.embedded.binaries import PostgresBinaries
from tenants.embedded.errors import EmbeddedPostgresError
from tenants.embedded.processes import Owner, choose_owner, give_to, run_program

HOST = "127.0.0.1"
ROLE = DATABASE = "plein"

_BUILTIN_LOCALE_MAJOR = 17
"""From this major version on, PostgreSQL brings C.UTF-8 along and asks nothing of the operating system."""


@dataclass(frozen=True)
class Access:
    """How to get in: the port chosen once, and the passwords of the gateway's role and of the superuser."""

    port: int
    password: str
    superuser_password: str

    @property
    def url(self) -> str:
        """The connection URL of the gateway's role."""
        return f"postgresql://{ROLE}:{self.password}@{HOST}:{self.port}/{DATABASE}"

    @property
    def superuser_url(self) -> str:
        """The connection URL of the superuser, for repair and tests; the gateway never uses it."""
        return f"postgresql://postgres:{self.superuser_password}@{HOST}:{self.port}/{DATABASE}"


def load_access(home: Path) -> Access | None:
    """Return what was remembered in `home`, or None where there is nothing (readable) yet."""
    try:
        return Access(**json.loads((home / "access.json").read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise EmbeddedPostgresError(
            f"{home / 'access.json'}, which holds the password, is damaged: restore it, or set PLEIN_DATA_DIR to a new "
            "directory."
        ) from None


def choose_port(home: Path, access: Access, wanted: int | None) -> Access:
    """Return `access` with a port that is free now: the wanted one, else the remembered one, else any."""
    if wanted is not None and not _is_free(wanted):
        raise EmbeddedPostgresError(f"Port {wanted} on {HOST}, meant for PostgreSQL, is taken: choose another or none.")
    port = wanted or (access.port if _is_free(access.port) else free_port())
    if port != access.port:
        access = replace(access, port=port)
        _save_access(home, access)
    return access


def free_port() -> int:
    """Return a loopback port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def create_cluster(home: Path, binaries: PostgresBinaries, *, fast: bool) -> Access:
    """Make `home/data` with the role and database of the gateway, and return how to get in.

    All is made under another name and then renamed, so a start that is killed half-way leaves nothing that looks whole.
    """
    data_dir = home / "data"
    for left_behind in home.glob("data.partial*"):
        shutil.rmtree(left_behind, ignore_errors=True)
    # A name of its own: the initdb of a start that was killed a moment ago may still be writing to the old one.
    staging = home / f"data.partial-{secrets.token_hex(4)}"
    staging.mkdir(mode=0o700)
    owner = choose_owner(data_dir)
    give_to(owner, staging)
    access = Access(free_port(), secrets.token_urlsafe(24), secrets.token_urlsafe(24))
    _initdb(home, staging, owner, binaries, access.superuser_password, fast=fast)
    _create_role_and_database(staging, owner, binaries, access.password)
    _save_access(home, access)
    staging.rename(data_dir)
    return access


def _initdb(
    home: Path, staging: Path, owner: Owner, binaries: PostgresBinaries, superuser_password: str, *, fast: bool
) -> None:
    password_file = home / "initdb.password"
    _write_private(password_file, superuser_password)
    give_to(owner, password_file)
    command: list[str | Path] = [binaries.program("initdb"), "-D", staging, "-U", "postgres", "--encoding=UTF8"]
    command += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--no-instructions"]
    command += ["--no-sync"] if fast else []
    locales = ["--locale=C.UTF-8"], ["--locale=C"]  # not every operating system knows C.UTF-8
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    try:
        for locale in locales:
            provider = builtin if binaries.major >= _BUILTIN_LOCALE_MAJOR else []
            try:
                run_program(owner, staging, [*command, *locale, *provider])
            except EmbeddedPostgresError as error:
                if "locale" not in str(error) or locale == locales[-1]:
                    raise
            else:
                return
    finally:
        password_file.unlink(missing_ok=True)


def _create_role_and_database(staging: Path, owner: Owner, binaries: PostgresBinaries, password: str) -> None:
    """Create the gateway's role and database in single-user mode, before anything listens anywhere.

    template1 is closed first, so that the database and every later one inherit a `public` schema for nobody else.
    The gateway creates roles and schemas of sites (CREATEROLE) and databases of tests (CREATEDB).
    """
    statements = [
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"CREATE ROLE {ROLE} LOGIN CREATEROLE CREATEDB PASSWORD '{password}'",  # URL-safe, so there is no quote in it
        # Every read sets its role outside a block, which Postgres would write a warning of into its log each time.
        f"GRANT SET ON PARAMETER log_min_messages TO {ROLE}",
        f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
        f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
        "REVOKE ALL ON DATABASE postgres FROM PUBLIC",
        "REVOKE ALL ON DATABASE template1 FROM PUBLIC",
    ]
    command: list[str | Path] = [binaries.program("postgres"), "--single", "-D", staging, "-c", "exit_on_error=on"]
    try:
        run_program(owner, staging, [*command, "template1"], stdin="\n".join(statements) + "\n")
    except EmbeddedPostgresError as error:
        raise EmbeddedPostgresError(str(error).replace(password, "***")) from None


def _save_access(home: Path, access: Access) -> None:
    """Write what is remembered, whole or not at all, readable by ourselves only."""
    partial = home / "access.json.partial"
    _write_private(partial, json.dumps(asdict(access)))
    partial.replace(home / "access.json")


def _write_private(path: Path, text: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as PostgreSQL does; a closing socket is no taker
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
