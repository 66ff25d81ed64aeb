"""What the client is told of an answer in parts, and when, in the format of the specification's draft.

The initial answer comes with notices of what is pending. Then each payload tells all that became complete since the
last one: data, further notices, and what is completed with it, or completed with errors because a null climbed out.
Promises: a fragment is told of as a whole; list items in their order; what is in several fragments once; every notice
is followed by its completion, also when the time is over. Left half-way, it ends what still runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from gateway.context import Payload
from gateway.errors import ErrorObject, error_from
from gateway.execute.incremental.sources import Sources
from gateway.execute.incremental.tree import (
    Piece,
    Promised,
    PromisedFragment,
    PromisedList,
    State,
    Tree,
)
from gateway.limits import limit_exceeded
from schema.errors import PleinError


async def deliver(tree: Tree, sources: Sources, time_ms: int) -> AsyncGenerator[Payload]:
    """The payloads; or, where nothing is pending after all, one without `hasNext`: an ordinary response.

    Time that the taker spends between two payloads does not count. Raises where the request as a whole fails, before
    the first payload.
    """
    now = asyncio.get_running_loop().time
    ends_at = now() + time_ms / 1000
    delivery = _Delivery(tree)
    try:
        payload: Payload | None = None
        while payload is None:
            if tree.broken is not None:
                raise tree.broken
            if tree.initial.state is State.WAITING:
                await _take_news(tree, sources, ends_at, time_ms)
            else:
                payload = delivery.first()
        yield payload
        while delivery.has_next:
            payload = delivery.next()
            if payload is not None:
                given_at = now()
                yield payload
                ends_at += now() - given_at
                continue
            try:
                await _take_news(tree, sources, ends_at, time_ms)
            except (PleinError, RuntimeError) as error:
                yield delivery.give_up(error)
    finally:
        await sources.close()


async def _take_news(tree: Tree, sources: Sources, ends_at: float, time_ms: int) -> None:
    """Wait until something was read, and put it in. Raises LIMIT_EXCEEDED when the time is over before."""
    if sources.is_idle:  # which cannot be; but if it were, nobody must wait for it
        raise RuntimeError("something is pending that nothing is read for")
    try:
        async with asyncio.timeout_at(ends_at):
            found = await sources.news()
    except TimeoutError:
        raise limit_exceeded("time_ms", time_ms) from None
    for source in found:
        tree.take(source)


class _Delivery:
    """What the client was told so far."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._ids = 0
        self._pending: list[dict[str, Any]] = []
        self._incremental: list[dict[str, Any]] = []
        self._completed: list[dict[str, Any]] = []

    @property
    def has_next(self) -> bool:
        """Whether the client still waits for something."""
        return any(each.is_told for each in self._tree.promised)

    def first(self) -> Payload:
        """The initial answer, and what is pending then."""
        initial = self._tree.initial
        data = None if initial.state is State.FAILED else initial.value
        if initial.state is State.READY:
            initial.state = State.DELIVERED
        payload: Payload = {"errors": initial.errors} if initial.errors else {}
        payload["data"] = data
        while self._tell_pending():
            pass
        if self._pending:
            payload["pending"], self._pending = self._pending, []
            payload["hasNext"] = True
        return payload

    def next(self) -> Payload | None:
        """All that became complete since the last payload, if anything did."""
        self._tree.promised = [each for each in self._tree.promised if each.state is State.WAITING]
        moved = True
        while moved:
            moved = any([self._tell_pending(), self._complete_fragments(), self._move_lists()])
        if not (self._pending or self._incremental or self._completed):
            return None
        return self._payload()

    def give_up(self, error: Exception) -> Payload:
        """The last payload: what is pending is completed with this error."""
        for each in self._tree.promised:
            if each.is_told:
                self._close(each, [error_from(error, path=each.path)])
        return self._payload()

    def _payload(self) -> Payload:
        payload: Payload = {}
        for name, found in (
            ("pending", self._pending),
            ("incremental", self._incremental),
            ("completed", self._completed),
        ):
            if found:
                payload[name] = found
        payload["hasNext"] = self.has_next
        self._pending, self._incremental, self._completed = [], [], []
        return payload

    def _tell_pending(self) -> bool:
        """Notices of what hangs on what was delivered. True if there were any, or something turned out to be empty."""
        moved = False
        for each in self._tree.promised:
            if each.state is not State.WAITING or each.id or each.home.state is not State.DELIVERED:
                continue
            if isinstance(each, PromisedFragment):
                if each.parent is not None and each.parent.state is State.WAITING:
                    continue
                if each.parent is not None and each.parent.state is State.FAILED:
                    self._forget(each)
                    continue
                if not any(piece.state is not State.DROPPED for piece in each.pieces):
                    each.state = State.DROPPED
                    moved = True
                    continue
            each.id, self._ids = str(self._ids), self._ids + 1
            notice: dict[str, Any] = {"id": each.id, "path": list(each.path)}
            if each.label is not None:
                notice["label"] = each.label
            self._pending.append(notice)
            moved = True
        return moved

    def _complete_fragments(self) -> bool:
        moved = False
        for each in self._tree.promised:
            if not isinstance(each, PromisedFragment) or not each.is_told:
                continue
            pieces = [piece for piece in each.pieces if piece.state is not State.DROPPED]
            failed = [error for piece in pieces if piece.state is State.FAILED for error in piece.errors]
            if failed:
                self._forget(each)
                self._close(each, failed)
                moved = True
            elif all(_can_go(piece, pieces) for piece in pieces):
                for piece in pieces:
                    if piece.state is State.READY:
                        self._tell(piece)
                self._close(each, [])
                moved = True
        return moved

    def _tell(self, piece: Piece) -> None:
        """The data of a piece, under the id of whichever of its fragments is closest to it."""
        closest = max((each for each in piece.promised if each.is_told), key=lambda each: len(each.path))
        told: dict[str, Any] = {"id": closest.id}
        if len(piece.path) > len(closest.path):
            told["subPath"] = list(piece.path[len(closest.path) :])
        told["data"] = piece.value
        if piece.errors:
            told["errors"] = piece.errors
        self._incremental.append(told)
        piece.state = State.DELIVERED

    def _move_lists(self) -> bool:
        moved = False
        for each in self._tree.promised:
            if not isinstance(each, PromisedList) or not each.is_told:
                continue
            items: list[Any] = []
            errors: list[ErrorObject] = []
            while each.following < len(each.items) and each.items[each.following].state is State.READY:
                piece = each.items[each.following]
                items.append(piece.value[0])
                errors += piece.errors
                piece.state = State.DELIVERED
                each.following += 1
            if items:
                moved = True
                self._incremental.append({"id": each.id, "items": items, **({"errors": errors} if errors else {})})
            if each.following == len(each.items):
                self._close(each, [])
                moved = True
            elif each.items[each.following].state is State.FAILED:
                for piece in each.items[each.following + 1 :]:
                    self._tree.drop(piece)
                self._close(each, each.items[each.following].errors)
                moved = True
        return moved

    def _forget(self, fragment: PromisedFragment) -> None:
        """It fails: what only it waited for is not delivered."""
        fragment.state = State.FAILED
        for piece in fragment.pieces:
            if all(each.state is State.FAILED for each in piece.promised):
                self._tree.drop(piece)

    def _close(self, promised: Promised, errors: list[ErrorObject]) -> None:
        promised.state = State.FAILED if errors else State.DELIVERED
        self._completed.append({"id": promised.id, **({"errors": errors} if errors else {})})


def _can_go(piece: Piece, beside: list[Piece]) -> bool:
    """Whether a piece can be told, if those beside it are told first."""
    if piece.state is State.DELIVERED:
        return True
    assert piece.home is not None
    return piece.state is State.READY and (piece.home.state is State.DELIVERED or piece.home in beside)
