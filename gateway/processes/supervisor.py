"""The supervisor: starts the serving processes, replaces those that die, ends them all.

Promises: it returns when all of them have ended. A signal that ends it is passed on, and so is a second one; who does
not end in time is killed. It serves nothing itself, so that it lives when they do not.
"""

from __future__ import annotations

import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from gateway.processes.control import Line, Task
from gateway.processes.doors import doors
from gateway.settings import Settings
from gateway.signals import DRAIN_SECONDS, Ended
from gateway.telemetry.metrics import Totals, telling
from gateway.telemetry.tally import Snapshot
from gateway.terminal import CommandError

START_S = 60.0
LOOK_S = 2.0
TICK_S = 0.1
KILL_S = 5.0  # beyond the time that a process has for ending in order
PAUSES_S = (0.1, 5.0)  # before a process is replaced: longer and longer if it keeps dying
LIVED_S = 30.0  # who lived as long died of something new

# Imports come from where these do, whatever the directory: settings may name files from there.
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from gateway.processes.child import main;"
    " sys.exit(main(sys.argv[1:]))"
)

logger = logging.getLogger(__name__)


class Worker:
    """One serving process."""

    def __init__(self, settings: Settings, number: int, listener: socket.socket) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            files = (theirs.fileno(), listener.fileno())
            command = [sys.executable, "-P", "-c", PROGRAM, str(ROOT), *map(str, files)]
            # A group of its own: Ctrl-C reaches the supervisor only, who passes it on.
            self._process = subprocess.Popen(command, pass_fds=files, process_group=0)  # noqa: S603 - our own program
        self._line = Line(ours)
        self._lock = threading.Lock()
        self._looks = 0
        self.number = number
        self.began = time.monotonic()
        with suppress(OSError):  # it is gone already, which its end will tell
            self._line.give(Task(settings, number))

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended, or None while it lives."""
        return self._process.poll()

    def wait_until_ready(self) -> bool:
        """Wait until it serves; whether it does."""
        with self._lock:
            try:
                return "ready" in self._line.receive(START_S)
            except (EOFError, TimeoutError):
                return False

    def look(self) -> Snapshot | None:
        """Ask it for its numbers; None if it does not answer in time."""
        with self._lock:
            self._looks += 1
            until = time.monotonic() + LOOK_S
            try:
                self._line.send({"look": self._looks})
                while True:  # what it had to say before (that it is ready, or too late) comes first
                    told = self._line.receive(max(0.0, until - time.monotonic()))
                    if told.get("look") == self._looks:
                        snapshot: Snapshot | None = told["snapshot"]
                        return snapshot
            except (OSError, EOFError):
                return None

    def send(self, number: int) -> None:
        """Send it a signal, if it lives."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def bury(self) -> None:
        """Kill it if it lives, and leave nothing of it."""
        self._process.kill()
        self._process.wait()
        self._line.close()


class Crew:
    """All serving processes: `workers` are those that live, by number."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self.workers: dict[int, Worker] = {}
        self.totals = Totals(self.look)
        self._settings = settings
        self._doors = dict(enumerate(doors(listener, settings.workers), start=1))
        self._pauses = dict.fromkeys(self._doors, PAUSES_S[0])
        self._due = dict.fromkeys(self._pauses, 0.0)

    def start(self) -> None:
        """Start all of them. Raises CommandError if one does not come to serve."""
        for number in self._pauses:
            self.workers[number] = Worker(self._settings, number, self._doors[number])
        if not all(worker.wait_until_ready() for worker in self.workers.values()):
            raise CommandError("A worker process did not start; what it said stands above.")

    def keep(self) -> None:
        """Look after them once: bury who died, start who is due."""
        now = time.monotonic()
        for number, worker in list(self.workers.items()):
            code = worker.exit_code
            if code is not None:
                told = {"worker": number, "pid": worker.pid, "exit_code": code}
                logger.error("a worker process died and is replaced", extra={"fields": told})
                del self.workers[number]
                worker.bury()
                self.totals.replaced(number)
                lived = now - worker.began > LIVED_S
                self._pauses[number] = PAUSES_S[0] if lived else min(self._pauses[number] * 2, PAUSES_S[1])
                self._due[number] = now + self._pauses[number]
        for number in self._pauses.keys() - self.workers.keys():
            if now >= self._due[number]:
                self.workers[number] = Worker(self._settings, number, self._doors[number])

    def look(self) -> Mapping[int, Snapshot | None]:
        """The numbers of each."""
        return {number: worker.look() for number, worker in list(self.workers.items())}

    def end(self, number: int) -> None:
        """Pass a signal on, and those that come meanwhile, and wait until all have ended."""
        drain_s = self._settings.drain_ms / 1000 if number == signal.SIGTERM else 0
        closing = time.monotonic() + drain_s
        until = closing + DRAIN_SECONDS + KILL_S
        while True:
            for worker in self.workers.values():
                worker.send(number)
            try:
                while time.monotonic() < until and any(each.exit_code is None for each in self.workers.values()):
                    if time.monotonic() >= closing:  # theirs are closed by now, and these would let people wait in vain
                        self._close()
                    time.sleep(TICK_S / 2)
            except Ended as again:
                number = passed_on(again)
            else:
                return

    def _close(self) -> None:
        for door in self._doors.values():
            door.close()

    def bury(self) -> None:
        """Leave nothing of them."""
        self._close()
        for worker in self.workers.values():
            worker.bury()


def supervise(settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> int:
    """Serve with several processes until a signal, which is raised again as `Ended`; `ready` is called once."""
    with ExitStack() as stack:
        crew = Crew(settings, listener)
        stack.callback(crew.bury)
        try:
            crew.start()
            stack.enter_context(telling(settings.watching, crew.totals))
            ready()
            while True:
                crew.keep()
                time.sleep(TICK_S)
        except Ended as ended:
            crew.end(passed_on(ended))
            raise


def passed_on(ended: Ended) -> int:
    """Which signal the processes get: they know Ctrl-C, and whatever else ends a process means the same."""
    return signal.SIGINT if ended.number == signal.SIGINT else signal.SIGTERM
