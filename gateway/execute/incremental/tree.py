"""An answer in parts while it is put together: pieces that are delivered at once, and what the client is promised.

A piece is the initial answer, the late fields of one object, or one thing of a streamed list. It waits for the gaps in
it. Promises: nulls climb within a piece only; what hung on a place that became null is never promised; whatever is read
for nobody any more is given up.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, NamedTuple

import orjson

from gateway.errors import ErrorObject, error_from
from gateway.execute.incremental.sources import Gap, Source, Sources
from gateway.execute.splice import NulledError, complete
from schema.compiler.part import Call
from schema.compiler.part import Path as StaticPath
from schema.compiler.sql import ASIDE
from schema.compiler.stages import Fragment, Stages
from schema.directives import Streamed

Path = tuple[str | int, ...]
"""Where something stands in the answer, with the numbers of list items."""


class State(Enum):
    """How far a piece, or something promised, has come."""

    WAITING = auto()
    READY = auto()
    DELIVERED = auto()
    FAILED = auto()
    DROPPED = auto()


OPEN = (State.WAITING, State.READY)


class Piece:
    """What is delivered at once. `value` is an object's fields, or a list of the one thing that it is."""

    __slots__ = ("errors", "hanging", "home", "inner", "path", "promised", "sources", "state", "value", "waits")

    def __init__(self, value: Any, path: Path, home: Piece | None, promised: tuple[PromisedFragment, ...] = ()) -> None:
        self.value = value
        self.path = path
        self.home = home  # the piece that holds the object this one adds to
        self.promised = promised
        self.state = State.WAITING
        self.waits = 0
        self.sources: list[Source] = []
        self.errors: list[ErrorObject] = []
        self.inner: list[Piece] = []
        self.hanging: list[Promised] = []  # what is promised of objects and lists in it


class Promised:
    """What the client is told of under an id: it comes later."""

    __slots__ = ("home", "id", "label", "path", "state")

    def __init__(self, label: str | None, path: Path, home: Piece) -> None:
        self.label = label
        self.path = path
        self.home = home
        self.id = ""  # as long as the client was not told
        self.state = State.WAITING

    @property
    def is_told(self) -> bool:
        """Whether the client waits for it."""
        return self.id != "" and self.state is State.WAITING


class PromisedFragment(Promised):
    """A deferred fragment on one object, with the pieces it is made of, outer ones first."""

    __slots__ = ("parent", "pieces")

    def __init__(self, label: str | None, path: Path, home: Piece, parent: PromisedFragment | None) -> None:
        super().__init__(label, path, home)
        self.parent = parent
        self.pieces: list[Piece] = []


class PromisedList(Promised):
    """The rest of a streamed list: `following` is the first of its items that was not delivered."""

    __slots__ = ("following", "items")

    def __init__(self, label: str | None, path: Path, home: Piece, items: list[Piece]) -> None:
        super().__init__(label, path, home)
        self.items = items
        self.following = 0


class Where(NamedTuple):
    """Where in the answer something stands: the piece it is in, its path, and the fragments around it."""

    piece: Piece
    static: StaticPath
    path: Path
    around: Mapping[Fragment, PromisedFragment]

    def at(self, key: str) -> Where:
        """The place of a field."""
        return Where(self.piece, (*self.static, key), (*self.path, key), self.around)


class Tree:
    """All pieces of one answer, and everything promised."""

    def __init__(self, call: Call, stages: Stages, sources: Sources, value: dict[str, Any]) -> None:
        self._call = call
        self._stages = stages
        self._sources = sources
        self._fault = f"{call.nonce}:E:".encode()
        self._notes_told = 0
        self.promised: list[Promised] = []  # outer ones first; whoever is done with one may take it out
        self.initial = Piece(value, (), None)
        self.broken: Exception | None = None  # what kept the initial answer from being made at all
        self._begin(self._object(value, Where(self.initial, (), (), {})))
        self._look(self.initial)

    def take(self, source: Source) -> None:
        """Put in what was read, and see what became ready."""
        outcome = source.outcome
        begun: list[Source] = []
        pieces: dict[Piece, None] = {}
        for gap in source.gaps:
            where: Where = gap.at
            if where.piece.state is not State.WAITING:
                continue
            pieces[where.piece] = None
            where.piece.waits -= 1
            if isinstance(outcome, Exception):
                self._fail(where.piece, outcome, where.path)
            else:
                assert outcome is not None
                begun += self._put(gap, outcome[gap.column])
        self._begin(begun)
        for piece in pieces:
            self._look(piece)

    def drop(self, piece: Piece) -> None:
        """It will not be delivered, nor what hangs on it; that it failed is of no interest either."""
        is_open = piece.state in OPEN
        if is_open or piece.state is State.FAILED:
            piece.state = State.DROPPED
        if is_open:
            self._let_go(piece)

    def _begin(self, sources: list[Source]) -> None:
        """What the initial answer waits for is read first."""
        for source in sorted(sources, key=lambda each: all(gap.at.piece is not self.initial for gap in each.gaps)):
            self._sources.begin(source)

    def _put(self, gap: Gap, value: Any) -> list[Source]:
        if not isinstance(value, bytes):
            gap.container[gap.key] = value
            return self._value(gap.container, gap.key, gap.at)
        # JSON goes out as it is, unless a field in it failed.
        gap.container[gap.key] = orjson.loads(value) if self._fault in value else orjson.Fragment(value)
        return []

    def _look(self, piece: Piece) -> None:
        """Complete a piece that waits for nothing any more: errors, and nulls where the specification puts them."""
        if piece.waits or piece.state is not State.WAITING:
            return
        notes = self._call.notes[self._notes_told :]
        self._notes_told += len(notes)
        try:
            piece.value, piece.errors = complete(self._call, piece.value, piece.path, notes)
        except NulledError as null:
            piece.errors = null.errors
            piece.state = State.FAILED
            self._let_go(piece)
            return
        piece.state = State.READY
        for inner in list(piece.inner):
            if not _reaches(piece, inner.path):
                self.drop(inner)
        for each in piece.hanging:
            if not _reaches(piece, each.path):
                self._drop_promised(each)

    def _fail(self, piece: Piece, error: Exception, path: Path) -> None:
        if piece is self.initial:
            self.broken = error
        piece.errors = [error_from(error, path=path)]
        piece.state = State.FAILED
        self._let_go(piece)

    def _let_go(self, piece: Piece) -> None:
        """Nothing that hangs on this piece will come."""
        for inner in piece.inner:
            self.drop(inner)
        for each in piece.hanging:
            self._drop_promised(each)
        for source in piece.sources:
            if all(gap.at.piece.state not in OPEN for gap in source.gaps):
                self._sources.give_up(source)

    def _promise(self, promised: Promised) -> None:
        self.promised.append(promised)
        promised.home.hanging.append(promised)

    def _drop_promised(self, promised: Promised) -> None:
        if promised.state is State.WAITING and not promised.id:
            promised.state = State.DROPPED
            if isinstance(promised, PromisedList):
                for item in promised.items:
                    self.drop(item)

    def _object(self, value: dict[str, Any], where: Where) -> list[Source]:
        """Take an object apart: what is late, what waits."""
        around = where.around
        spread = self._stages.spread.get(where.static)
        if spread is not None:
            inside = dict(around)
            for fragment in spread:
                parent = None if fragment.parent is None else inside[fragment.parent]
                inside[fragment] = PromisedFragment(fragment.label, where.path, where.piece, parent)
                self._promise(inside[fragment])
            where = where._replace(around=inside)
        found: list[Source] = []
        asides = [key for key in value if key[0] == ASIDE]
        late = [(self._stages.groups[int(key[1:])], value.pop(key)) for key in asides]
        for key in value:
            found += self._value(value, key, where.at(key))
        for group, fields in late:
            promised = tuple(where.around[each] for each in group)
            piece = Piece(fields, where.path, where.piece, promised)
            where.piece.inner.append(piece)
            for each in promised:
                each.pieces.append(piece)
            for key in fields:
                found += self._value(fields, key, where._replace(piece=piece).at(key))
            self._look(piece)
        return found

    def _value(self, container: Any, key: Any, where: Where) -> list[Source]:
        value = container[key]
        if isinstance(value, dict):
            return self._object(value, where)
        if isinstance(value, list):
            return self._list(value, where)
        marked = self._sources.find(value) if isinstance(value, str) else None
        if marked is None:
            return []
        source, column = marked
        source.gaps.append(Gap(container, key, column, where))
        where.piece.waits += 1
        where.piece.sources.append(source)
        return [source]

    def _list(self, items: list[Any], where: Where) -> list[Source]:
        stream = self._stages.streams.get(where.static)
        first = len(items) if stream is None else stream.initial_count
        found: list[Source] = []
        for number in range(min(first, len(items))):
            found += self._value(items, number, where._replace(path=(*where.path, number)))
        return found if stream is None else found + self._streamed(items, stream, where)

    def _streamed(self, items: list[Any], stream: Streamed, where: Where) -> list[Source]:
        """The rest of a list: later if it waits for anything, with the list otherwise."""
        found: list[Source] = []
        rest: list[Piece] = []
        for number in range(stream.initial_count, len(items)):
            path = (*where.path, number)
            piece = Piece([items[number]], path, where.piece)
            found += self._value(piece.value, 0, Where(piece, where.static, path, where.around))
            rest.append(piece)
        if not any(piece.waits for piece in rest):
            self._with_list(items, rest, where)
            return found
        del items[stream.initial_count :]
        promised = PromisedList(stream.label, where.path, where.piece, rest)
        self._promise(promised)
        for piece in rest:
            self._look(piece)
        return found

    def _with_list(self, items: list[Any], rest: list[Piece], where: Where) -> None:
        """Things that wait for nothing belong to the piece that their list is in, with what hangs on them."""
        for number, piece in enumerate(rest, len(items) - len(rest)):
            items[number] = piece.value[0]
            for inner in piece.inner:
                inner.home = where.piece
                where.piece.inner.append(inner)
            for each in piece.hanging:
                each.home = where.piece
                where.piece.hanging.append(each)
            piece.state = State.DELIVERED


def _reaches(piece: Piece, path: Path) -> bool:
    """Whether there is something at this path of a piece that is complete."""
    value: Any = piece.value
    steps: Path = path[len(piece.path) :]
    if isinstance(value, list):
        value = value[0]
    for step in steps:
        if value is None:
            return False
        value = value[step]
    return value is not None
