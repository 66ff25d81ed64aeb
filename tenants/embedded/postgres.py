"""The bundled PostgreSQL as something that lives: started, used by its URL, stopped.

Promises a server that accepts connections when `start` returns, that nothing but this machine can reach and nobody
enters without a password, and that ends with its owner: on `stop`, and on Linux also on kill -9. Durable unless `fast`.
Never starts twice on one directory, never touches a process that is not a PostgreSQL on that directory.

It listens on TCP loopback, not on a unix socket: socket paths end at about 100 bytes, which a deep checkout exceeds,
and the socket's directory would have to be shared between root and the unprivileged server.
"""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from tenants.embedded.binaries import PostgresBinaries, Preference, data_major, find_binaries
from tenants.embedded.cluster import HOST, Access, choose_port, create_cluster, load_access
from tenants.embedded.errors import AlreadyRunningError, EmbeddedPostgresError, ServerExitedError
from tenants.embedded.lock import DirectoryLock
from tenants.embedded.processes import Owner, choose_owner, end_leftovers, give_to, start_server, telling_line

_START_LIMIT_S = 300
"""Recovery after a crash may replay much; a server that is alive gets this long before we give up."""

_LOG_LIMIT_BYTES = 10_000_000

# Sized for a small development machine. Each site has its own schema, so one statement may touch, and a dump of many
# sites must lock, thousands of tables: hence the locks.
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",  # a worker process of the gateway holds up to sixteen
    "shared_buffers": "256MB",
    "max_locks_per_transaction": "1024",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
    "logging_collector": "off",
}
_FAST_SETTINGS = {
    "max_connections": "300",  # tests run many gateways at once
    "shared_buffers": "128MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class EmbeddedPostgres:
    """A PostgreSQL of our own in `home`: the data in `home/data`, with log, lock, port and passwords beside it.

    `fast` gives durability up for speed, for tests only. `share` uses the server when another process already runs it
    and then leaves stopping to that process. `port` insists on a port. `binaries` overrules the search for programs.
    Start it from the main thread: see `start_server`.
    """

    def __init__(
        self,
        home: Path,
        *,
        fast: bool = False,
        share: bool = False,
        port: int | None = None,
        prefer: Preference = "system",
        binaries: PostgresBinaries | None = None,
    ) -> None:
        self.home = home.absolute()
        self.data_dir = self.home / "data"
        self.log_path = self.home / "server.log"
        self._fast = fast
        self._share = share
        self._port = port
        self._prefer = prefer
        self._binaries = binaries
        self._lock = DirectoryLock(self.home)
        self._access: Access | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start the server, creating it the first time, and wait until it accepts connections.

        Raises EmbeddedPostgresError, one line that says what to do.
        """
        try:
            self.home.mkdir(mode=0o711, parents=True, exist_ok=True)
            if not self._acquire():
                return self
            try:
                self._start_own()
            except BaseException:
                self.stop()
                raise
        except OSError as error:
            raise EmbeddedPostgresError(
                f"Cannot use {error.filename or self.home} for PostgreSQL ({error.strerror}): set PLEIN_DATA_DIR to a "
                "directory that can be written."
            ) from error
        return self

    def stop(self) -> None:
        """End the server: fast shutdown, which disconnects clients, then immediate. Leaves a shared one alone."""
        process, self._process = self._process, None
        if process is not None:
            for step, patience_s in ((signal.SIGINT, 30), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
                process.send_signal(step)
                try:
                    process.wait(patience_s)
                    break
                except subprocess.TimeoutExpired:
                    continue
        self._lock.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The connection URL of the role `plein` on the database `plein`, password included."""
        return self._require_access().url

    @property
    def superuser_url(self) -> str:
        """The connection URL of the superuser, for repair and for tests. The gateway never uses it."""
        return self._require_access().superuser_url

    @property
    def pid(self) -> int | None:
        """The process id of the server, or None when it is not ours or not running."""
        return self._process.pid if self._process else None

    def _require_access(self) -> Access:
        if self._access is None:
            raise EmbeddedPostgresError("PostgreSQL has not been started: call start() first.")
        return self._access

    def _acquire(self) -> bool:
        """Take the lock and return True, or return False having joined the server of another process (`share`)."""
        give_up_at = time.monotonic() + 60
        while not self._lock.acquire():
            if not self._share:
                raise AlreadyRunningError(
                    f"Plein is already running on {self.home} (process {self._lock.owner}): stop it first, or set "
                    "PLEIN_DATA_DIR to another directory."
                )
            self._access = load_access(self.home)
            if self._access and _accepts(self._access.url):
                return False
            if time.monotonic() > give_up_at:
                raise EmbeddedPostgresError(
                    f"Process {self._lock.owner} holds {self.home} but runs no PostgreSQL there."
                )
            time.sleep(0.05)
        return True

    def _start_own(self) -> None:
        binaries = self._binaries or find_binaries(self.data_dir, prefer=self._prefer)
        if data_major(self.data_dir) is None:
            if self.data_dir.exists() and any(self.data_dir.iterdir()):
                raise EmbeddedPostgresError(
                    f"{self.data_dir} is not a PostgreSQL data directory: set PLEIN_DATA_DIR to another directory."
                )
            self._access = create_cluster(self.home, binaries, fast=self._fast)
        else:
            self._access = load_access(self.home)
        if self._access is None:
            raise EmbeddedPostgresError(
                f"{self.home / 'access.json'}, which holds the password, is missing: restore it, or set PLEIN_DATA_DIR "
                "to a new directory."
            )
        owner = choose_owner(self.data_dir)
        if owner.uid is not None and self.data_dir.stat().st_uid != owner.uid:
            give_to(owner, self.data_dir)  # copied or restored by root
        end_leftovers(self.data_dir)
        self._launch_on_free_port(owner, binaries, self._access)

    def _launch_on_free_port(self, owner: Owner, binaries: PostgresBinaries, access: Access) -> None:
        """Launch; again on another port when somebody took ours between looking and listening."""
        for last_try in (False, False, True):
            self._access = access = choose_port(self.home, access, self._port)
            try:
                self._launch(owner, binaries, access)
            except ServerExitedError as error:
                if last_try or "could not bind" not in error.log:
                    raise
            else:
                return

    def _launch(self, owner: Owner, binaries: PostgresBinaries, access: Access) -> None:
        settings = _SETTINGS | (_FAST_SETTINGS if self._fast else {}) | {"port": str(access.port)}
        command: list[str | Path] = [binaries.program("postgres"), "-D", self.data_dir]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_LIMIT_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".old.log"))
        with self.log_path.open("ab") as log:
            log_start = log.tell()
            self._process = start_server(owner, self.data_dir, command, log)
        self._wait_until_ready(self._process, log_start)
        if not _accepts(access.url):
            raise EmbeddedPostgresError(
                f"PostgreSQL runs but refuses the password in {self.home / 'access.json'}: restore that file, or set "
                "PLEIN_DATA_DIR to a new directory."
            )

    def _wait_until_ready(self, process: subprocess.Popen[bytes], log_start: int) -> None:
        """Wait for the word `ready` that PostgreSQL writes on line 8 of its pid file, as its own pg_ctl does."""
        pid_file = self.data_dir / "postmaster.pid"
        give_up_at = time.monotonic() + _START_LIMIT_S
        while process.poll() is None:
            try:
                lines = pid_file.read_text().splitlines()
            except FileNotFoundError:
                lines = []
            if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                return
            if time.monotonic() > give_up_at:
                raise EmbeddedPostgresError(f"PostgreSQL did not get ready in {_START_LIMIT_S} s: see {self.log_path}.")
            time.sleep(0.005)
        self._process = None
        with self.log_path.open(errors="replace") as log:
            log.seek(log_start)
            written = log.read()
        raise ServerExitedError(f"PostgreSQL did not start: {telling_line(written)} (see {self.log_path})", written)


def _accepts(url: str) -> bool:
    """Say whether a connection can be made now."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
