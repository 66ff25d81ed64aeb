"""The servers that tests run against: a PostgreSQL of the test run's own, and empty databases in it.

Promises that two test runs at once never meet (each takes the first free slot), that what a killed run left behind is
gone before the first test, and that a database goes together with the roles made for it. Nothing here is durable.
"""

from __future__ import annotations

import itertools
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tenants.embedded import AlreadyRunningError, EmbeddedPostgres, EmbeddedPostgresError

# Roles belong to the whole server, so a database does not take them along when it goes. These are made for one.
ROLES_OF_A_DATABASE = "^(t_|square_|site_)"
PATIENCE = 50
"""How often a database is tried to be dropped in which the server itself is at work, ten times a second."""


@contextmanager
def running_postgres(directory: Path) -> Iterator[str]:
    """Run a PostgreSQL under `directory`, in the first slot that no other test run uses; gives its URL."""
    server = _start_in_free_slot(directory)
    try:
        _clear(server.superuser_url)
        yield server.url
    finally:
        server.stop()


def create_database(url: str, template: str | None = None) -> str:
    """Create an empty database on the server of `url`, or a copy of the one whose URL is `template`; return its URL."""
    name = sql.Identifier(f"test_{secrets.token_hex(6)}")
    copied = sql.Identifier(_database(template) if template else "template1")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, copied))
    return urlsplit(url)._replace(path=f"/{name.as_string().strip(chr(34))}").geturl()


def drop_database(url: str, created: str, roles: str = ROLES_OF_A_DATABASE) -> None:
    """Drop the database with the URL `created`, its connections, and the roles like `roles` that only it used."""
    name = _database(created)
    with psycopg.connect(url, autocommit=True) as connection:
        used = connection.execute(
            "SELECT DISTINCT rolname FROM pg_shdepend JOIN pg_roles ON pg_roles.oid = refobjid"
            " JOIN pg_database d ON d.oid = dbid OR (classid = 'pg_database'::regclass AND objid = d.oid)"
            " WHERE datname = %s AND rolname ~ %s",
            (name, roles),
        ).fetchall()
        dropping = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        for tries_left in reversed(range(PATIENCE)):
            try:
                connection.execute(dropping)
                break
            except psycopg.errors.InsufficientPrivilege:  # vacuuming, which only a superuser may end
                if not tries_left:
                    raise
                time.sleep(0.1)
        for (role,) in used:
            # Another database may still use it, or another test may just have dropped it.
            with suppress(psycopg.errors.DependentObjectsStillExist, psycopg.errors.UndefinedObject):
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def _start_in_free_slot(directory: Path) -> EmbeddedPostgres:
    for slot in itertools.count():
        server = EmbeddedPostgres(directory / f"postgres-{slot}", fast=True)
        try:
            return server.start()
        except AlreadyRunningError:
            continue
        except EmbeddedPostgresError:
            # Without fsync, a machine that went down may have left half a database behind. Nothing in it is missed.
            shutil.rmtree(server.data_dir, ignore_errors=True)
            return server.start()
    raise AssertionError("there is always a next slot")


def _clear(superuser_url: str) -> None:
    """Drop all databases and roles that are not the server's own."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'").fetchall():
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        left = "SELECT rolname FROM pg_roles WHERE rolname NOT IN ('plein', 'postgres') AND rolname !~ '^pg_'"
        for (role,) in connection.execute(left).fetchall():
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def _database(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")
