"""The one error of the bundled PostgreSQL. Promises a single line that says what to do; never a password."""

from __future__ import annotations


class EmbeddedPostgresError(RuntimeError):
    """The bundled PostgreSQL cannot run. The text is one line for the person at the terminal."""


class AlreadyRunningError(EmbeddedPostgresError):
    """Another process runs the server of this directory."""


class ServerExitedError(EmbeddedPostgresError):
    """The server process ended while it was starting. `log` holds what it wrote meanwhile."""

    def __init__(self, message: str, log: str) -> None:
        super().__init__(message)
        self.log = log
