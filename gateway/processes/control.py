"""The line between the supervisor and one serving process: a socket, and what is said on it.

Promises: a message is a JSON object in one line, but for the first, which is what the process is to be; an end of the
line means that the other side is gone, whatever it died of.
"""

from __future__ import annotations

import pickle
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.settings import Settings

CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Task:
    """What a process is to be."""

    settings: Settings
    number: int


class Line:
    """One end of the line. Several threads may send, but one only may receive."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._sending = threading.Lock()
        self._received = b""

    def give(self, task: Task) -> None:
        """Send the first message. It holds secrets, which is why it stands in no argument and in no file."""
        content = pickle.dumps(task)
        self._end.sendall(len(content).to_bytes(4) + content)

    def take(self) -> Task:
        """Wait for the first message. Raises EOFError."""
        size = int.from_bytes(self._exactly(4))
        task = pickle.loads(self._exactly(size))  # noqa: S301 - from the process that started this one
        assert isinstance(task, Task)
        return task

    def send(self, message: dict[str, Any]) -> None:
        """Send a message. Raises OSError where the other side is gone."""
        with self._sending:
            self._end.sendall(orjson.dumps(message) + b"\n")

    def receive(self, timeout_s: float | None = None) -> dict[str, Any]:
        """The next message. Raises EOFError where the other side is gone, TimeoutError where it says nothing."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while b"\n" not in self._received:
            self._more(until)
        line, _, self._received = self._received.partition(b"\n")
        message: dict[str, Any] = orjson.loads(line)
        return message

    def close(self) -> None:
        """Hang up."""
        self._end.close()

    def _exactly(self, size: int) -> bytes:
        while len(self._received) < size:
            self._more(None)
        found, self._received = self._received[:size], self._received[size:]
        return found

    def _more(self, until: float | None) -> None:
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError
        self._end.settimeout(left)
        try:
            chunk = self._end.recv(CHUNK)
        except ConnectionError:
            chunk = b""
        finally:
            self._end.settimeout(None)
        if not chunk:
            raise EOFError
        self._received += chunk
