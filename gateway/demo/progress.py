"""How far the demo is: a bar on a terminal, plain lines elsewhere.

Promises: writes where people look, never into the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.terminal import Terminal

Progress = Callable[[str, int, int], None]
"""Takes what was done, as a line for people, and how much of how much that is."""

LINES = 10  # where there is no terminal


@contextmanager
def shown_progress(terminal: Terminal) -> Iterator[Progress]:
    """Show what the block tells."""
    if not terminal.err.isatty():
        yield plain_progress(terminal.note)
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal is worth the time it takes
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (TextColumn("  {task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(file=terminal.err), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda line, done, total: bar.update(task, description=line, completed=done, total=total)


def plain_progress(note: Callable[[str], None]) -> Progress:
    """Tell a line for each tenth of the work."""
    told = -1

    def tell(line: str, done: int, total: int) -> None:
        nonlocal told
        tenth = done * LINES // max(total, 1)
        if tenth > told or done >= total:
            told = tenth
            note(f"  {line}")

    return tell
