"""What is said about a server that cannot be used: one line each, and never a password."""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tenants.server import ServerUnusable, check_server

SECRET = "hunter2"


def changed(url: str, **parts: str | int) -> str:
    """A URL with another user, password, host, port or database."""
    old = urlsplit(url)
    new = {"user": old.username, "password": old.password, "host": old.hostname, "port": old.port} | parts
    path = f"/{parts['database']}" if "database" in parts else old.path
    return f"postgresql://{new['user']}:{new['password']}@{new['host']}:{new['port']}{path}"


def refusal(url: str, **options: int) -> str:
    with pytest.raises(ServerUnusable) as error:
        check_server(url, **options)
    text = str(error.value)
    assert text.startswith("PLEIN_DATABASE_URL")
    assert "\n" not in text
    assert error.value.__cause__ is None
    assert SECRET not in text
    return text


def test_a_server_that_can_be_used(fresh_database: str):
    info = check_server(fresh_database)
    assert info.major >= 15
    assert info.version.startswith(str(info.major))
    assert (info.role, info.database) == (urlsplit(fresh_database).username, urlsplit(fresh_database).path[1:])
    assert info.max_connections > 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "mysql://plein:hunter2@localhost/plein",
        "postgresql+psycopg://plein:hunter2@localhost/plein",
        "postgresql://plein:hunter2@localhost",
        "postgresql://plein:hunter2@localhost:port/plein",
        "postgresql://plein:hunter2@localhost:70000/plein",
        "postgresql://plein:hunter2%zz@localhost/plein",
        "postgresql://plein:hunter2@localhost/plein?hunter2=1",
        "host=localhost password=hunter2 dbname=plein",
    ],
)
def test_a_malformed_url(url: str):
    assert "postgresql://user:password@host:5432/database" in refusal(url)


@pytest.mark.parametrize(
    "url",
    ["postgresql://plein:hun@hunter2@localhost/plein", "postgresql://plein:5432/hunter2@localhost/plein"],
)
def test_a_password_that_is_not_escaped_is_not_shown_as_a_host(url: str):
    assert "%40" in refusal(url)


def test_nobody_there(postgres_url: str):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert f"no server at 127.0.0.1:{port}" in refusal(changed(postgres_url, host="127.0.0.1", port=port))


def test_an_unknown_host(postgres_url: str):
    assert "host no-such-host.invalid is unknown" in refusal(changed(postgres_url, host="no-such-host.invalid"))


def test_something_else_there(postgres_url: str):
    with socket.create_server(("127.0.0.1", 0)) as web:

        def answer() -> None:
            connection, _ = web.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        port = web.getsockname()[1]
        assert f"no PostgreSQL at 127.0.0.1:{port}" in refusal(changed(postgres_url, host="127.0.0.1", port=port))
        thread.join()


def test_a_server_that_never_answers(postgres_url: str):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert "nothing answers at" in refusal(changed(postgres_url, host="127.0.0.1", port=mute.getsockname()[1]))


def test_a_wrong_password(postgres_url: str):
    assert f"the password for role {urlsplit(postgres_url).username} is wrong" in refusal(
        changed(postgres_url, password=SECRET)
    )


def test_a_database_that_is_missing(postgres_url: str):
    assert "database nowhere does not exist" in refusal(changed(postgres_url, database="nowhere"))


def test_a_server_that_is_too_old(fresh_database: str):
    assert "and Plein needs 99 or later" in refusal(fresh_database, oldest_major=99)


def test_a_role_that_may_not_create_roles_or_schemas(fresh_database: str):
    database = urlsplit(fresh_database).path[1:]
    limited = changed(fresh_database, user="t_limited", password=SECRET)
    with psycopg.connect(fresh_database, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE t_limited LOGIN PASSWORD {}").format(SECRET))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO t_limited").format(sql.Identifier(database)))
        assert "ALTER ROLE t_limited CREATEROLE" in refusal(limited)
        connection.execute("ALTER ROLE t_limited CREATEROLE")
        assert f"GRANT CREATE ON DATABASE {database} TO t_limited" in refusal(limited)
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO t_limited").format(sql.Identifier(database)))
        assert check_server(limited).is_superuser is False


def test_an_encoding_that_is_not_utf8(postgres_url: str):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE test_latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        try:
            assert "database test_latin has encoding LATIN1" in refusal(changed(postgres_url, database="test_latin"))
        finally:
            connection.execute("DROP DATABASE test_latin WITH (FORCE)")
