"""The square of the proof, running: its parts, its data, and one way to ask both the product and the oracle.

The product is asked as the door asks it: the document through `Documents`, the variables coerced, then the executor.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import orjson

from auth.viewer import Viewer
from gateway.app import open_square
from gateway.context import Square
from gateway.documents import Prepared
from gateway.execute import Executor
from gateway.settings import load_settings
from gateway.variables import coerce_variables
from tests.oracle import estate, oracle
from tests.oracle.people import VIEWERS
from tests.oracle.things import Asked
from tests.oracle.world import World, load

SECRET = "proof" * 8


@dataclass(frozen=True, repr=False)
class Proof:
    """The square and everything on it."""

    square: Square
    world: World

    async def answer(self, text: str, variables: Mapping[str, Any], viewer: Viewer, here: str | None = None) -> bytes:
        """What the product answers."""
        return await self.square.execute(self.square, self._prepared(text, variables), viewer, here)

    async def parts(
        self, text: str, variables: Mapping[str, Any], viewer: Viewer, here: str | None = None
    ) -> list[dict[str, Any]]:
        """What the product answers in parts: its payloads, as they would be read."""
        given = self.square.deliver(self.square, self._prepared(text, variables), viewer, here)
        return [orjson.loads(each if isinstance(each, bytes) else orjson.dumps(each)) async for each in given]

    def _prepared(self, text: str, variables: Mapping[str, Any]) -> Prepared:
        document = self.square.documents.get(text)
        operation = document.operation(None)
        coerced = coerce_variables(self.square.schema, operation.variables, dict(variables), hide_suggestions=False)
        return Prepared(document, operation, coerced)

    def expect(
        self, text: str, variables: Mapping[str, Any], viewer: Viewer, here: str | None = None
    ) -> oracle.Expected:
        """What the oracle answers."""
        asked = Asked(self.world, viewer, here, self.square.settings.secret.encode())
        return oracle.expect(self.square.documents.get(text).ast, variables, asked)

    async def differences(
        self, text: str, variables: Mapping[str, Any], viewer: str, here: str | None = None
    ) -> list[str]:
        """Where the two disagree."""
        body = await self.answer(text, variables, VIEWERS[viewer], here)
        return oracle.differences(self.expect(text, variables, VIEWERS[viewer], here), body)


@asynccontextmanager
async def running_proof(url: str, *, write: bool = True) -> AsyncIterator[Proof]:
    """The proof on this migrated square; with `write`, everything is written to it first."""
    if write:
        await estate.build(url)
    settings = load_settings({"PLEIN_SECRET": SECRET})
    # Drawn documents are odd, not small; limits have their own tests.
    big = 10**9
    limits = replace(
        settings.limits,
        time_ms=100_000,
        tokens=big,
        directives=big,
        aliases=big,
        fields=big,
        merges=big,
        root_fields=big,
        nodes=big,
    )
    settings = replace(settings, database_url=url, limits=limits)
    executor = Executor()
    async with open_square(settings, executor.execute, deliver=executor.deliver) as square:
        yield Proof(square, load(url))
