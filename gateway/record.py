"""What is known of one operation on its way, for logs, metrics, traces and Server-Timing.

Promises: there is one only where somebody watches; it is filled in from any depth by a context variable, and nothing is
decided by it. Never holds variables, tokens or anything of an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from time import perf_counter, time_ns
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.documents import Document, Prepared
    from tenants.watch import Ran

KEPT_STATEMENTS = 200  # of an operation over more sites, the first ones are told one by one
KEPT_CODES = 20

_CURRENT: ContextVar[Record | None] = ContextVar("record", default=None)


class Record:
    """One operation, or a request that did not come so far. Moments are `time.perf_counter()`'s, in seconds."""

    __slots__ = (
        *(
            "began",
            "began_ns",
            "codes",
            "database_s",
            "document",
            "ended",
            "executed",
            "goes_on",
            "method",
            "operation",
        ),
        *("parent", "request_id", "site", "statement_count", "statements", "status", "steps", "trace_id", "transport"),
        "type",
    )

    def __init__(self, transport: str) -> None:
        """`transport`: `http`, or another word for what brought it."""
        self.began = perf_counter()
        self.began_ns = time_ns()
        self.ended = 0.0
        self.executed = 0.0  # when its execution began; 0 if it never did
        self.transport = transport
        self.method = ""
        self.status = 0
        self.request_id = ""
        self.trace_id = ""
        self.parent: tuple[str, str] | None = None  # `traceparent` and `tracestate`, as they came
        self.document: Document | None = None
        self.operation: str | None = None
        self.type = ""
        self.site: str | None = None
        self.codes: list[str] = []
        self.steps: list[tuple[str, float, float]] = []
        self.statements: list[Ran] = []
        self.statement_count = 0
        self.database_s = 0.0
        self.goes_on = False  # its answer comes in parts, and it is over with the last one

    @property
    def code(self) -> str:
        """How it ended: the first error's code, or OK."""
        return self.codes[0] if self.codes else "OK"

    @property
    def sites(self) -> set[str]:
        """The sites it read from or wrote to."""
        return {ran.asked.site for ran in self.statements if ran.asked.site is not None}

    def execute(self, prepared: Prepared) -> None:
        """Its execution begins: it is about this operation."""
        self.document, self.operation = prepared.document, prepared.operation.name
        self.type = prepared.operation.type.value
        self.executed = perf_counter()

    def note(self, ran: Ran) -> None:
        """A statement of this operation has come to its end."""
        self.statement_count += 1
        if len(self.statements) < KEPT_STATEMENTS:
            self.statements.append(ran)

    def finish(self) -> None:
        """The answer is ready. What comes later (a statement that nobody waited for) is not counted."""
        self.ended = perf_counter()
        until = self.database_s = 0.0
        for ran in sorted(self.statements, key=lambda each: each.asked.at):  # those at the same time count once
            self.database_s += max(0.0, ran.ended - max(until, ran.asked.at))
            until = max(until, ran.ended)


current_record: Callable[[], Record | None] = _CURRENT.get
"""The record of the operation under way, if anybody watches. Asked for with every statement."""


def begin_record(record: Record) -> Token[Record | None]:
    """From here on this is the record of the operation under way."""
    return _CURRENT.set(record)


def end_record(token: Token[Record | None]) -> None:
    """From here on it is the one before again."""
    _CURRENT.reset(token)


def note_code(code: str) -> None:
    """An error with this code goes into the answer."""
    record = _CURRENT.get()
    if record is not None and len(record.codes) < KEPT_CODES:
        record.codes.append(code)


def note_step(name: str, began: float) -> None:
    """A step of the work that began at this moment has come to its end."""
    record = _CURRENT.get()
    if record is not None:
        record.steps.append((name, began, perf_counter()))
