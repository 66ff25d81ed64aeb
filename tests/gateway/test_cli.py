"""The command `plein`: what it answers, where, and with which exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import httpx
import psycopg
import pytest

from gateway import cli

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def plein(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process; give its exit code, its results and what it told besides."""
    for name in [name for name in os.environ if name.startswith("PLEIN_") and not name.startswith("PLEIN_TEST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PLEIN_DATA_DIR", str(tmp_path))

    def run(*arguments: str, **environ: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            try:
                code = cli.main(arguments)
            except SystemExit as done:  # argparse's own way out
                code = int(done.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture
def on(plein: Run, fresh_square: str) -> Run:
    """The same on a migrated database without sites."""
    return lambda *arguments: plein(*arguments, PLEIN_MODE="development", PLEIN_DATABASE_URL=fresh_square)


CREATE = ("site", "create", "utrecht", "--owner", "anna@example.nl", "--owner-name", "Anna")


def test_help_names_every_command(plein: Run) -> None:
    code, out, _ = plein("--help")
    assert code == 0
    for command in ("serve", "migrate", "demo", "schema", "doctor", "site", "keys"):
        assert re.search(rf"^ +{command} +\S", out, re.M), command


@pytest.mark.parametrize(
    "arguments",
    [("serve",), ("migrate",), ("demo",), ("schema",), ("doctor",), ("site",)]
    + [("site", action) for action in ("create", "list", "show", "suspend", "resume", "delete")],
    ids=" ".join,
)
def test_every_command_has_help(plein: Run, arguments: tuple[str, ...]) -> None:
    code, out, _ = plein(*arguments, "--help")
    assert code == 0
    assert f"usage: plein {' '.join(arguments)}" in out
    assert len(out.splitlines()) > 3


def test_help_imports_nothing_heavy() -> None:
    script = "import sys; from gateway.cli import make_parser; make_parser().format_help(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {"strawberry", "graphql", "sqlalchemy", "psycopg", "boto3", "uvicorn", "starlette", "rich", "joserfc"}
    assert heavy & set(done.stdout.split()) == set()


@pytest.mark.parametrize("arguments", [(), ("nothing",), ("site",), ("site", "show"), ("site", "list", "--nothing")])
def test_typed_wrongly(plein: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = plein(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("usage: plein")


def told_in_one_line(result: tuple[int, str, str], *words: str) -> None:
    code, out, err = result
    assert (code, out) == (1, ""), result
    assert err.startswith("plein: ")
    assert len(err.splitlines()) == 1, err
    for word in words:
        assert word in err


def test_what_was_to_be_expected_is_one_line(plein: Run) -> None:
    told_in_one_line(plein("migrate", PLEIN_NOTHING="1"), "PLEIN_NOTHING")
    told_in_one_line(plein("migrate", PLEIN_PORT="many"), "PLEIN_PORT")
    url = "postgresql://plein:hidden-password@127.0.0.1:9/plein"
    result = plein("site", "list", PLEIN_MODE="development", PLEIN_DATABASE_URL=url)
    told_in_one_line(result, "PLEIN_DATABASE_URL", "127.0.0.1:9")
    assert "hidden-password" not in result[2]


def test_an_unmigrated_database_is_told_and_can_be_migrated(plein: Run, fresh_database: str) -> None:
    def on(*arguments: str) -> tuple[int, str, str]:
        return plein(*arguments, PLEIN_MODE="development", PLEIN_DATABASE_URL=fresh_database)

    told_in_one_line(on("site", "list"), "plein migrate")
    code, out, _ = on("migrate", "--json")
    assert code == 0
    assert json.loads(out)["shared"][0] == "0001_platform"
    assert json.loads(on("migrate", "--json")[1]) == {"shared": [], "migrated": 0, "failed": {}}
    assert on("site", "list")[:2] == (0, "")


def test_a_site_from_its_opening_to_its_end(on: Run) -> None:
    code, out, _ = on(*CREATE, "--name", "Gemeente Utrecht", "--access", "PUBLIC", "--json")
    assert code == 0
    made = json.loads(out)
    assert made["slug"] == "utrecht"
    assert made["url"] == "http://utrecht.localhost:8000/"
    assert json.loads(on("site", "show", "utrecht", "--json")[1]) == made
    assert json.loads(on("site", "list", "--json")[1]) == [made]
    assert on("site", "list")[1].split("\t")[:3] == ["utrecht", "Gemeente Utrecht", "ACTIVE"]

    assert on("site", "suspend", "utrecht")[0] == 0
    assert json.loads(on("site", "show", "utrecht", "--json")[1])["state"] == "SUSPENDED"
    assert "already" in on("site", "suspend", "utrecht")[2]
    assert on("site", "resume", "utrecht")[0] == 0
    assert json.loads(on("site", "show", "utrecht", "--json")[1])["state"] == "ACTIVE"


def test_operators_are_made_and_accounts_suspended_with_a_row_for_each(on: Run, fresh_square: str) -> None:
    assert on(*CREATE)[0] == 0
    for words, told in (
        (("role", "anna@example.nl", "operator"), "is operator now"),
        (("role", "Anna@example.nl", "operator"), "was operator already"),
        (("role", "anna@example.nl", "none"), None),
        (("suspend", "anna@example.nl"), None),
    ):
        code, _, err = on("account", *words)
        if told is None:  # the square would have no operator
            assert code == 1
            assert "last operator" in err
        else:
            assert (code, told in err) == (0, True)
    assert on("site", "create", "breda", "--owner", "bram@example.nl", "--owner-name", "Bram")[0] == 0
    assert on("account", "role", "bram@example.nl", "operator")[0] == 0
    for words, told in (
        (("suspend", "anna@example.nl"), "is suspended"),
        (("suspend", "anna@example.nl"), "was suspended already"),
        (("resume", "anna@example.nl"), "can sign in again"),
        (("resume", "anna@example.nl"), "was not suspended"),
    ):
        code, _, err = on("account", *words)
        assert (code, told in err) == (0, True)
    told_in_one_line(on("account", "suspend", "nobody@example.nl"), "Nobody has an account")
    on("site", "suspend", "breda")
    on("site", "delete", "breda", "--confirm", "breda")
    with psycopg.connect(fresh_square) as connection:
        rows = connection.execute(
            "SELECT action, account_id, credential FROM platform.audit ORDER BY happened_at, id"
        ).fetchall()
    assert [action for action, _, _ in rows] == [
        *("site.created", "account.role_set", "site.created", "account.role_set"),
        *("account.suspended", "account.resumed", "site.suspended", "site.deleted"),
    ]
    assert {row[1:] for row in rows} == {(None, "command-line")}


def test_keys_are_listed_and_renewed(on: Run) -> None:
    assert json.loads(on("keys", "list", "--json")[1]) == []
    assert on("keys", "rotate", "--at-once")[0] == 0
    first = json.loads(on("keys", "list", "--json")[1])
    assert {(each["algorithm"], each["state"]) for each in first} == {("RS256", "CURRENT"), ("ES256", "CURRENT")}
    assert on("keys", "rotate")[0] == 0
    states = [each["state"] for each in json.loads(on("keys", "list", "--json")[1])]
    assert sorted(states) == ["CURRENT", "CURRENT", "NEXT", "NEXT"]
    code, out, _ = on("keys", "list")
    assert code == 0
    assert first[0]["id"] in out
    assert on("keys", "rotate", "--at-once")[0] == 0
    left = {each["id"] for each in json.loads(on("keys", "list", "--json")[1])}
    assert len(left) == 2
    assert not left & {each["id"] for each in first}


def test_what_cannot_be_opened(on: Run) -> None:
    told_in_one_line(on("site", "create", "utrecht", "--owner", "anna@example.nl"), "--owner-name")
    assert on(*CREATE)[0] == 0
    told_in_one_line(on(*CREATE), "utrecht already")
    for slug in ("Utrecht", "u", "u--t", "1u", "u_t", "u" * 64, "u;"):
        told_in_one_line(on("site", "create", slug, "--owner", "anna@example.nl"), "not a slug")
    told_in_one_line(on("site", "create", "ander", "--owner", "anna", "--owner-name", "A"), "e-mail address")
    assert len(on("site", "list")[1].splitlines()) == 1


def test_what_is_not_there(on: Run) -> None:
    for action in ("show", "suspend", "resume"):
        told_in_one_line(on("site", action, "nergens"), "no site called nergens")


def test_the_schema_is_printed_whole(plein: Run) -> None:
    from graphql import build_schema  # noqa: PLC0415

    code, out, err = plein("schema")
    assert (code, err) == (0, "")
    assert {"viewer", "site", "sites"} <= set(build_schema(out).query_type.fields)  # type: ignore[union-attr]


def test_what_changed_since_an_earlier_schema(plein: Run, tmp_path: Path) -> None:
    today, earlier = plein("schema")[1], tmp_path / "earlier.graphql"
    earlier.write_text(today)
    assert plein("schema", "--against", str(earlier)) == (0, "", "")
    earlier.write_text(today.replace("INSIGHTFUL", "CLEVER"))
    code, out, _ = plein("schema", "--against", str(earlier))
    breaking = "breaking\tEnum value ReactionKind.CLEVER was removed.\n"
    assert (code, out) == (1, breaking + "dangerous\tEnum value ReactionKind.INSIGHTFUL was added.\n")
    told = json.loads(plein("schema", "--against", str(earlier), "--json")[1])
    assert told[0] == {"effect": "breaking", "what": "Enum value ReactionKind.CLEVER was removed."}
    earlier.write_text("no schema")
    code, out, err = plein("schema", "--against", str(earlier))
    assert (code, out) == (1, "")
    assert "holds no GraphQL schema: Syntax Error" in err
    assert plein("schema", "--against", str(tmp_path / "nothing"))[0] == 1


def test_the_doctor_finds_nothing_and_something(plein: Run, fresh_square: str, fresh_database: str) -> None:
    def findings(url: str, **environ: str) -> tuple[int, dict[str, str]]:
        code, out, _ = plein("doctor", "--json", PLEIN_MODE="development", PLEIN_DATABASE_URL=url, **environ)
        return code, {each["part"]: each["verdict"] for each in json.loads(out)}

    parts = ("settings", "database", "rights", "migrations", "reader", "object store")
    assert findings(fresh_square) == (0, dict.fromkeys(parts, "ok"))
    code, found = findings(fresh_database)
    assert code == 1
    assert [part for part, verdict in found.items() if verdict == "failed"] == ["migrations", "reader"]
    code, found = findings(
        "postgresql://plein:x@127.0.0.1:9/plein",
        PLEIN_S3_ENDPOINT="http://127.0.0.1:9",
        PLEIN_S3_ACCESS_KEY="k",
        PLEIN_S3_SECRET_KEY="s" * 20,
    )
    assert code == 1
    assert found == {"settings": "ok", "database": "failed", "object store": "failed"}


def test_the_doctor_says_how_to_mend_it(plein: Run) -> None:
    code, out, _ = plein("doctor", PLEIN_MODE="production")
    assert code == 1
    assert "× settings: PLEIN_SECRET" in out
    assert "docs/settings.md" in out


# --- serve, as a process of its own ----------------------------------------------------------------------------------


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def serving(tmp_path: Path, free_port: int) -> Iterator[subprocess.Popen[str]]:
    """`plein serve` in an empty data directory, with everything bundled."""
    process = start_serving(tmp_path / "data", free_port)
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def start_serving(data_dir: Path, port: int, **environ: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLEIN_")}
    return subprocess.Popen(
        [sys.executable, "-m", "gateway", "serve", "--port", str(port)],
        cwd=ROOT,
        env=kept | {"PLEIN_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT)} | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until_ready(process: subprocess.Popen[str], port: int, patience_s: float = 90) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError(process.communicate())


@contextmanager
def half_a_request(port: int) -> Iterator[None]:
    """A request that the gateway cannot finish, because the rest of it does not come."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        head = (
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"
        )
        connection.sendall(head.encode())
        time.sleep(0.2)
        yield


def processes() -> dict[int, tuple[int, str]]:
    """Parent and program of every process there is, by its id."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,comm="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return {int(pid): (int(parent), program) for pid, parent, program in rows if program != "<defunct>"}


def started_by(process: subprocess.Popen[str]) -> dict[int, str]:
    """The programs under this process, by their ids."""
    known, found = processes(), {process.pid}
    while more := {pid for pid, (parent, _) in known.items() if parent in found} - found:
        found |= more
    return {pid: known[pid][1] for pid in found - {process.pid}}


def left_of(pids: Iterable[int], patience_s: float = 5) -> set[int]:
    """Those of these processes that are still there after a while."""
    deadline = time.monotonic() + patience_s
    while (left := set(pids) & set(processes())) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_starts_everything_and_ends_everything(
    serving: subprocess.Popen[str], free_port: int, number: signal.Signals
) -> None:
    wait_until_ready(serving, free_port)
    base = f"http://127.0.0.1:{free_port}"
    assert "Plein" in httpx.get(base).text
    assert "server" not in httpx.get(base).headers
    asked = httpx.post(f"{base}/graphql", json={"query": "{ viewer { account { name } } }"})
    assert asked.json() == {"data": {"viewer": {"account": None}}}
    started = started_by(serving)
    assert any("postgres" in program for program in started.values())
    assert any("python" in program for program in started.values())
    with half_a_request(free_port) if number == signal.SIGINT else nullcontext():
        serving.send_signal(number)
        if number == signal.SIGINT:  # what is under way is waited for, unless one asks a second time
            time.sleep(1)
            assert serving.poll() is None
            serving.send_signal(number)
        out, err = serving.communicate(timeout=8)
    assert serving.returncode == 0
    assert f"http://localhost:{free_port}/graphql" in out
    assert "PostgreSQL, bundled, made" in err
    assert "Traceback" not in err
    assert left_of(started) == set()


def test_serve_ends_what_it_began_when_ended_half_way(serving: subprocess.Popen[str]) -> None:
    while not (started := started_by(serving)) and serving.poll() is None:
        time.sleep(0.02)
    serving.send_signal(signal.SIGINT)
    _, err = serving.communicate(timeout=60)
    assert serving.returncode == 130
    assert "Traceback" not in err
    assert left_of(started) == set()


def test_a_wrong_database_is_told_before_anything_is_started(plein: Run, free_port: int, tmp_path: Path) -> None:
    environ = {"PLEIN_MODE": "development", "PLEIN_DATABASE_URL": "postgresql://plein:hidden@127.0.0.1:9/plein"}
    result = plein("serve", "--port", str(free_port), **environ)
    told_in_one_line(result, "PLEIN_DATABASE_URL", "127.0.0.1:9")
    assert "hidden" not in result[2]
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]


def test_a_taken_port_is_told_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start_serving(tmp_path / "data", port)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert re.fullmatch(rf"plein: Cannot listen on 127\.0\.0\.1:{port} .*--port\.\n", err)
    assert not (tmp_path / "data" / "postgres").exists()


def loaded_by(*modules: str) -> set[str]:
    """The packages that importing these modules loads, in a process of its own."""
    code = f"import sys, {', '.join(modules)}; print(*{{each.partition('.')[0] for each in sys.modules}})"
    command = [sys.executable, "-c", code]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_start_waits_for_no_library_that_it_does_not_need_yet() -> None:
    """The database starts while the rest is imported, and what nobody asked for comes with the first who does."""
    later = {"boto3", "botocore", "httpx"}
    heavy = later | {"sqlalchemy", "sqlmodel", "psycopg", "graphql", "strawberry", "uvicorn", "joserfc", "jinja2"}
    assert loaded_by("gateway.cli", "gateway.serve", "gateway.settings") & heavy == set()
    assert loaded_by("gateway.server", "tenants.migrate", "storage.client") & later == set()
