"""Plein with its execution replaced: each operation is executed once, and then answered with the same bytes.

What is left is what the protocol costs: HTTP, the request, the token, the document, variables, limits, the answer's
headers. `python -m tests.benchmarks.protocol serve` takes what `python -m gateway serve` takes. Never used by anything
but the benchmarks.
"""

from __future__ import annotations

import sys
from typing import Any

import gateway.app
from gateway.cli import main
from gateway.context import Square
from gateway.documents import Operation, Prepared
from gateway.execute import Executor


class FixedAnswers(Executor):
    """Executes an operation the first time it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[Operation, bytes] = {}

    async def execute(  # type: ignore[override] - whatever else it is given goes on
        self, square: Square, prepared: Prepared, *others: Any
    ) -> bytes:
        """The bytes of the first answer."""
        told = self._told.get(prepared.operation)
        if told is None:
            told = self._told[prepared.operation] = await super().execute(square, prepared, *others)
        return told


if __name__ == "__main__":
    gateway.app.Executor = FixedAnswers  # type: ignore[misc]
    sys.exit(main())
