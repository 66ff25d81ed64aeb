"""The terminal: what the commands say to whoever runs them, and to the program that reads their output.

Promises: results go to standard output, all else to standard error, so that a pipe gets results only; colours and
moving things go to a terminal only. Never shows a traceback.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TextIO

Row = Sequence[str]


class CommandError(Exception):
    """A command cannot do what was asked; the message is one line for whoever asked. `exit_code` as sysexits has it."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where results go (`out`) and where people look (`err`)."""

    out: TextIO
    err: TextIO
    is_quiet: bool = False

    def result(self, text: str) -> None:
        """Write a line of the result."""
        self.out.write(f"{text}\n")
        self.out.flush()

    def result_json(self, content: object) -> None:
        """Write the whole result as JSON."""
        self.result(json.dumps(content, indent=2, ensure_ascii=False, default=str))

    def note(self, text: str) -> None:
        """Tell people something; no part of the result."""
        self.err.write(f"{text}\n")
        self.err.flush()

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show that something is under way, and when it is done how long it took."""
        step, began, live = Step(), time.monotonic(), self.err.isatty()
        if self.is_quiet:
            yield step
            return
        if live:
            self.err.write(f"  … {title}")
            self.err.flush()
        try:
            yield step
        except BaseException:
            if live:
                self.err.write(f"\r  × {title}\n")
            raise
        detail = f", {step.detail}" if step.detail else ""
        start = "\r\x1b[2K" if live else ""
        self.note(f"{start}  ✓ {title}{detail} ({time.monotonic() - began:.1f} s)")

    @property
    def quiet(self) -> Terminal:
        """The same terminal for steps that nobody needs to hear of."""
        return replace(self, is_quiet=True)

    def table(self, columns: Row, rows: Sequence[Row]) -> None:
        """Write rows: drawn for people, separated by tabs and without a heading for programs."""
        if not self.out.isatty():
            for row in rows:
                self.result("\t".join(row))
            return
        from rich.console import Console  # noqa: PLC0415 - 100 ms that only a table is worth
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in columns:
            table.add_column(column)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))  # Text: what people wrote is no mark-up
        Console(file=self.out).print(table)

    def pairs(self, content: Mapping[str, str]) -> None:
        """Write names and values below each other."""
        width = max(map(len, content))
        for name, value in content.items():
            self.result(f"{name:<{width}}  {value}")


@dataclass(slots=True)
class Step:
    """Something under way; `detail` is told when it is done."""

    detail: str = ""


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 site, 2 sites."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def this_terminal() -> Terminal:
    """Return the terminal of this process."""
    return Terminal(sys.stdout, sys.stderr)
