"""How a command is ended from outside: by Ctrl-C, by SIGTERM, or with its terminal.

Promises: a signal becomes an exception in the main thread, so that whatever was begun is ended on the way out.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

DRAIN_SECONDS = 10  # how long requests under way may take to end
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """A signal asked this process to end. Not an Exception: nobody on the way may take it for a fault."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """What a shell expects of a process that a signal ended."""
        return 128 + self.number


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Turn the signals that end a process into `Ended` while the block runs. For the main thread."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise Ended(number)

    previous = {each: signal.signal(each, end) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)
