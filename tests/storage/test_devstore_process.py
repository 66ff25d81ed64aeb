"""The bundled store as a process: starts once, is found again, ends with its parent, and says what is wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from storage.client import ObjectStore
from storage.devstore.process import BundledStore
from storage.errors import StorageError, StoreProcessFailed
from storage.settings import StorageSettings

ROOT = Path(__file__).parents[2]
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(pid: int, seconds: float = 8) -> None:
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} still lives"
        time.sleep(0.02)


def port_of(settings: StorageSettings) -> int:
    return int(settings.endpoint_url.rpartition(":")[2])


def test_port_and_credentials_are_chosen_once(directory: Path) -> None:
    with BundledStore(directory) as first:
        pass
    with BundledStore(directory) as second:
        assert second == first
    assert len(first.secret_key) >= 32
    for name in ("credentials.json", "port", "index.sqlite3", "lock"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600, name
    assert not (directory / "index.sqlite3-wal").exists(), "it was not closed in an orderly way"
    assert "not for production" in (directory / "store.log").read_text()


@ON_LINUX
def test_the_secret_is_in_no_argument_and_no_variable(directory: Path) -> None:
    store = BundledStore(directory)
    with store as settings:
        for name in ("cmdline", "environ"):
            assert settings.secret_key.encode() not in Path(f"/proc/{store.pid}/{name}").read_bytes()
        assert settings.secret_key not in (directory / "store.log").read_text()


@ON_LINUX
def test_it_listens_on_loopback_only(directory: Path) -> None:
    with BundledStore(directory) as settings:
        listeners = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        ours = [
            fields[1] for fields in listeners if fields[1].endswith(f":{port_of(settings):04X}") and fields[3] == "0A"
        ]
    assert ours == [f"0100007F:{port_of(settings):04X}"]


@ON_LINUX
def test_a_second_process_uses_the_first_ones_store(directory: Path) -> None:
    first, second = BundledStore(directory), BundledStore(directory)
    with first as settings:
        assert second.start() == settings
        assert second.pid is None
        second.stop()
        assert first.pid is not None
        assert is_alive(first.pid)


def test_many_start_at_once(directory: Path) -> None:
    stores = [BundledStore(directory) for _ in range(4)]
    results: list[StorageSettings] = []
    threads = [threading.Thread(target=lambda store=store: results.append(store.start())) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == 4
    assert len({settings.endpoint_url for settings in results}) == 1
    assert sum(store.pid is not None for store in stores) == 1
    for store in stores:
        store.stop()


def test_a_taken_port_is_left_for_another(directory: Path) -> None:
    with BundledStore(directory) as settings:
        before = port_of(settings)
    with socket.create_server(("127.0.0.1", before)), BundledStore(directory) as settings:
        assert port_of(settings) != before


def test_a_fixed_port_is_kept_or_refused(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StoreProcessFailed, match=f"^the object store did not start: port {port} is taken$"):
            BundledStore(directory, port=port).start()
    with BundledStore(directory, port=port) as settings:
        assert port_of(settings) == port


class Impostor(BaseHTTPRequestHandler):
    """Answers anything with success."""

    def do_HEAD(self) -> None:
        """Say yes."""
        self.send_response(200)
        self.send_header("server", "Plein development object store")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def impostor() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Impostor)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_an_impostor_on_the_remembered_port_gets_nothing(directory: Path, impostor: int) -> None:
    directory.mkdir()
    (directory / "port").write_text(f"{impostor}\n")
    with BundledStore(directory) as settings:
        assert port_of(settings) != impostor


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        ('{"access_key": "a", "secret_key": "0123456789abcdef"}', 0o644, "make it 0600"),
        ('{"access_key": "a", "secret_key": "short"}', 0o600, "at least 16"),
        ("not json", 0o600, "cannot use"),
        ('{"access_key": "a"}', 0o600, "cannot use"),
    ],
)
def test_bad_credentials_are_refused_in_one_line(directory: Path, content: str, mode: int, reason: str) -> None:
    directory.mkdir()
    (directory / "credentials.json").write_text(content)
    (directory / "credentials.json").chmod(mode)
    with pytest.raises(StoreProcessFailed, match=reason) as error:
        BundledStore(directory).start()
    assert "\n" not in str(error.value)


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreProcessFailed, match="cannot use"):
        BundledStore(tmp_path / "file" / "store").start()


PARENT = """
import sys, threading, time
from pathlib import Path
from storage.devstore.process import BundledStore
store = BundledStore(Path(sys.argv[1]))
thread = threading.Thread(target=store.start)  # a thread that ends: its end must not be taken for the parent's
thread.start()
thread.join()
print(store.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def parent(directory: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(directory)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.communicate()


@ON_LINUX
def test_it_ends_with_its_parent(parent: subprocess.Popen[str]) -> None:
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.2)
    assert is_alive(child)
    os.killpg(parent.pid, signal.SIGINT)  # Ctrl-C in a terminal reaches the whole group
    assert os.getsid(child) == child
    parent.kill()
    parent.wait()
    wait_until_gone(child)


@ON_LINUX
def test_ctrl_c_does_not_reach_it_first(directory: Path) -> None:
    store = BundledStore(directory)
    with store:
        assert store.pid is not None
        assert os.getsid(store.pid) == store.pid != os.getsid(0)
        pid = store.pid
    wait_until_gone(pid)
    store.stop()


@pytest.fixture
def by_hand(tmp_path: Path) -> Iterator[StorageSettings]:
    """The program by itself, as it can be run without `BundledStore`, in another region."""
    credentials = tmp_path / "credentials.json"
    credentials.write_text(json.dumps({"access_key": "hand", "secret_key": "0123456789abcdef"}))
    credentials.chmod(0o600)
    command = [sys.executable, "-m", "storage.devstore", "--dir", str(tmp_path / "store"), "--port", "0"]
    command += ["--credentials", str(credentials), "--region", "eu-west-1"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.startswith("development object store on http://127.0.0.1:")
            url = line.split()[4].rstrip(",")
            yield StorageSettings(url, "bucket", "hand", "0123456789abcdef", region="eu-west-1")
        finally:
            process.terminate()
            assert process.wait(8) == 0


async def test_another_region(by_hand: StorageSettings) -> None:
    """Buckets outside us-east-1 are asked for by place."""
    store = ObjectStore(by_hand)
    assert await store.ensure_bucket() is True
    assert await store.ensure_bucket() is False
    await store.close()
    astray = ObjectStore(replace(by_hand, region="us-east-1"))
    with pytest.raises(StorageError):
        await astray.check()
    await astray.close()
