"""The bundled store as a child process: started, found again, stopped.

Promises: `start` returns settings that work, or raises one line saying why not. Port and credentials are chosen
once and kept in the directory (0600). The child runs in a session of its own, so Ctrl-C reaches the gateway
first, and ends when this process ends, even by kill -9. A second process on the same directory uses the store
that runs there already. Never for production.
"""

from __future__ import annotations

import contextlib
import hmac
import http.client
import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from storage.errors import StoreProcessFailed
from storage.presign import Presigner
from storage.settings import StorageSettings
from storage.sigv4 import PROOF_HEADER, signing_key, store_proof

LOGGER = logging.getLogger(__name__)
# The same numbers as in `storage.devstore.__main__`, which is a program and not to be imported.
EXIT_PORT_TAKEN = 3
EXIT_DIRECTORY_TAKEN = 4
PORT_ATTEMPTS = 5
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 6.0
PROBE_TIMEOUT_S = 0.5  # a store that is slower is asked again
ACCESS_KEY = "plein-development"


class BundledStore:
    """One development store in one directory. Use `start` and `stop`, or `with`."""

    def __init__(
        self,
        directory: Path,
        *,
        bucket: str = "plein",
        port: int | None = None,
        allowed_origins: Sequence[str] = (),
        make_bucket: bool = False,
    ) -> None:
        """With `make_bucket` the bucket is there once the store is, if this process starts it."""
        self._directory = directory.absolute()
        self._bucket = bucket
        self._fixed_port = port
        self._allowed_origins = tuple(allowed_origins)
        self._make_bucket = make_bucket
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> StorageSettings:
        """Start the store, or find it running, and wait until it answers. Raises StoreProcessFailed."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            secret_key = _remembered_secret(self._directory / "credentials.json")
            port = self._fixed_port or _remembered_port(self._directory / "port")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreProcessFailed(f"the object store cannot use {self._directory}: {error}") from error
        if port is not None and _is_ours(settings := self._settings(port, secret_key)):
            return settings
        for _ in range(PORT_ATTEMPTS):
            settings = self._settings(port or _free_port(), secret_key)
            code = self._launch(settings)
            if code is None:
                _write_private(self._directory / "port", f"{_port_of(settings)}\n")
                LOGGER.warning("development object store on %s; not for production", settings.endpoint_url)
                return settings
            if code == EXIT_DIRECTORY_TAKEN:
                return self._wait_for_other(secret_key)
            if code != EXIT_PORT_TAKEN or self._fixed_port is not None:
                break
            port = None
        raise StoreProcessFailed(f"the object store did not start: {self._last_words()}")

    def stop(self) -> None:
        """Stop the store if this process started it; harmless otherwise."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def pid(self) -> int | None:
        """The process id of the store, if this process started it."""
        return self._process.pid if self._process else None

    def __enter__(self) -> StorageSettings:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _settings(self, port: int, secret_key: str) -> StorageSettings:
        return StorageSettings(f"http://127.0.0.1:{port}", self._bucket, ACCESS_KEY, secret_key)

    def _launch(self, settings: StorageSettings) -> int | None:
        """Start the child and wait until it answers; its exit code if it ended instead."""
        command = [sys.executable, "-m", "storage.devstore", "--dir", str(self._directory)]
        command += ["--port", str(_port_of(settings)), "--parent-pid", str(os.getpid())]
        command += ["--credentials", str(self._directory / "credentials.json")]
        if self._make_bucket:
            command += ["--bucket", self._bucket]
        for origin in self._allowed_origins:
            command += ["--allow-origin", origin]
        process = self._process = _spawn(command, self._directory / "store.log")
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if (code := process.poll()) is not None:
                self._process = None
                return code
            if _is_ours(settings):
                return None
            time.sleep(0.02)
        self.stop()
        raise StoreProcessFailed(
            f"the object store did not answer within {START_TIMEOUT_S:.0f} s: {self._last_words()}"
        )

    def _wait_for_other(self, secret_key: str) -> StorageSettings:
        """Another process is starting the store in this directory: wait until it has written its port."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            port = _remembered_port(self._directory / "port")
            if port is not None and _is_ours(settings := self._settings(port, secret_key)):
                return settings
            time.sleep(0.05)
        raise StoreProcessFailed(f"another process holds {self._directory}, and its object store does not answer")

    def _last_words(self) -> str:
        try:
            lines = (self._directory / "store.log").read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1] if lines else "it said nothing"


def _spawn(command: Sequence[str], log_path: Path) -> subprocess.Popen[bytes]:
    """Start the child from a thread that lives as long as the child does.

    Linux sends the signal of parental death when the *thread* that forked ends, and `start` may well run in a
    short-lived worker thread.
    """
    started = threading.Event()
    result: list[subprocess.Popen[bytes] | OSError] = []

    def run() -> None:
        try:
            with log_path.open("wb") as log:
                process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                    cwd=Path(__file__).parents[2],
                )  # fmt: skip
        except OSError as error:
            result.append(error)
            started.set()
            return
        result.append(process)
        started.set()
        process.wait()

    threading.Thread(target=run, name="object-store", daemon=True).start()
    started.wait()
    process = result[0]
    if isinstance(process, OSError):
        raise StoreProcessFailed(f"the object store did not start: {process}") from process
    return process


def _is_ours(settings: StorageSettings) -> bool:
    """Whether a store that knows our secret answers there."""
    url = Presigner(settings).sign("HEAD", "", expires_s=10)
    signature = url.rpartition("=")[2]
    date = url.partition("X-Amz-Date=")[2][:8]
    proof = store_proof(signing_key(settings.secret_key, date, settings.region), signature)
    connection = http.client.HTTPConnection("127.0.0.1", _port_of(settings), timeout=PROBE_TIMEOUT_S)
    try:
        connection.request("HEAD", url.removeprefix(settings.endpoint_url))
        answer = connection.getresponse()
        return hmac.compare_digest(answer.headers.get(PROOF_HEADER, "").encode(), proof.encode())
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _remembered_secret(path: Path) -> str:
    if not path.exists():
        content = {"access_key": ACCESS_KEY, "secret_key": secrets.token_urlsafe(30)}
        _write_private(path, json.dumps(content), only_new=True)
    secret_key = json.loads(path.read_text())["secret_key"]
    if not isinstance(secret_key, str):
        raise TypeError("the secret key is not a text")
    return secret_key


def _remembered_port(path: Path) -> int | None:
    try:
        port = int(path.read_text())
    except (OSError, ValueError):
        return None
    return port if 0 < port < 65536 else None


def _write_private(path: Path, text: str, *, only_new: bool = False) -> None:
    """Write whole or not at all, readable by the owner only; with `only_new`, the first of two writers wins."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    if only_new:
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
    else:
        temporary.replace(path)


def _port_of(settings: StorageSettings) -> int:
    return int(settings.endpoint_url.rpartition(":")[2])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
