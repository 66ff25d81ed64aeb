"""How statements are watched: who asked for one, and what became of it.

Promises: a statement is told of once, when its answer has come, with the time it took on the server as far as that can
be known from here. Watching never changes an answer, and never sees a parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(slots=True)
class Asked:
    """A statement that was asked for, at this moment, by this caller (see `Watch`).

    `operation` and `site` are what it is known by: the name of the GraphQL operation, the slug of the site.
    """

    watch: Watch
    caller: Any
    at: float
    role: str | None = None
    operation: str | None = None
    site: str | None = None


@dataclass(slots=True)  # not frozen: that would take three times as long, for each statement
class Ran:
    """A statement that has come to its end. Moments are `time.perf_counter()`'s, in seconds.

    Between `asked.at` and `began` it waited for a connection and for the statements before it. `error` is an SQLSTATE.
    """

    text: str
    parameters: int
    asked: Asked
    began: float
    ended: float
    error: str | None = None

    @property
    def took_s(self) -> float:
        """How long it ran."""
        return self.ended - self.began


class Watch(Protocol):
    """Whoever watches. Both are called in the event loop, often: they must be quick and must not raise."""

    slow_s: float
    """From how many seconds on a statement is told of although nobody in particular asked for it."""

    def asked(self) -> Any:
        """A statement is asked for, in the caller's own context; what is returned comes back with its end.

        None: the caller wants to know of it only if it was slow.
        """
        ...

    def ran(self, ran: Ran) -> None:
        """A statement has come to its end."""
        ...
