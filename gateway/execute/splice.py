"""What was marked on the way is put in: the answers of sites, and at the end the errors of fields.

A mark is a text of 128 random bits that no stored text can hold, so answers are put in without reading the JSON. Only
when a field failed is the JSON read, to set nulls where the GraphQL specification puts them and to tell the paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from graphql import FieldNode, get_location

from gateway.errors import ErrorObject, error_from
from gateway.execute.run import Row, Run, each
from schema.compiler.part import Call, Rejected, Slots
from schema.compiler.trail import levels, under
from schema.errors import ErrorCode, PleinError, not_found
from tenants.errors import ReadError

NULL = b"null"
Note = tuple[Exception, FieldNode, str]
"""An error beside an answer: what went wrong, with which field, at which site."""


def suspended() -> PleinError:
    """What a site that is closed for now answers."""
    return PleinError(ErrorCode.SITE_SUSPENDED, "This site is suspended: nothing on it can be read or written now.")


async def fill(run: Run, slots: Sequence[Slots], json: bytes) -> bytes:
    """The JSON of a list of sites with what each site answers itself."""
    if not slots:
        return json
    before, *marked = json.split(b'"' + run.call.nonce.encode() + b":S:")
    gaps = [_gap(each) for each in marked]
    wanted: dict[int, dict[UUID, None]] = {}
    for gap in gaps:
        wanted.setdefault(gap.number, {})[gap.site] = None
    answers: dict[tuple[int, UUID], Sequence[bytes]] = {}
    for number, ids in wanted.items():
        tenants = await run.registry.many(ids)
        found = await each(run, slots[number].part, list(tenants.values()))
        for tenant_id in ids:
            answers[number, tenant_id] = columns(run, slots[number], found.get(tenant_id))
    pieces = [before]
    for gap in gaps:
        pieces += (answers[gap.number, gap.site][gap.column], gap.rest)
    return b"".join(pieces)


class _Gap(NamedTuple):
    """Where a site's answer goes: which slots, which of their columns, which site, and what follows in the JSON."""

    number: int
    column: int
    site: UUID
    rest: bytes


def _gap(marked: bytes) -> _Gap:
    mark, _, rest = marked.partition(b'"')
    number, column, site = mark.decode().split(":")
    return _Gap(int(number), int(column), UUID(site), rest)


def columns(run: Run, slots: Slots, rows: list[Row] | ReadError | None) -> Sequence[bytes]:
    """What one site put into its fields, or for each the mark of its error."""
    error: Exception | None = None
    if isinstance(rows, ReadError):
        error = rows
    elif not rows:
        error = not_found(slots.path[-1])
    elif rows[0][0] != b"ACTIVE":
        error = suspended()
    else:
        return [NULL if column is None else column for column in rows[0][1:]]
    marks = []
    for item in slots.fields:
        marks.append(run.fail(error, levels(under(slots.trail, item.output)), item.nodes[0]))
    return marks


def body(call: Call, data: bytes) -> bytes:
    """The body of the response, with nulls and errors where fields failed."""
    if not call.faults and not call.notes and not call.strange:
        return b'{"data":' + data + b"}"
    completion = _Completion(call, call.notes)
    completion.errors += [error_from(each) for each in call.strange.values()]
    try:
        completed = completion.walk(orjson.loads(data), [])
    except _NullError:
        completed = None
    if not completion.errors:  # the failed field stood under a row that did not come
        return b'{"data":' + data + b"}"
    return orjson.dumps({"errors": completion.errors, "data": completed})


def complete(call: Call, value: Any, path: Sequence[str | int], notes: Sequence[Note]) -> tuple[Any, list[ErrorObject]]:
    """A part of an answer, an object or a list of one thing, with its nulls set, and its errors.

    Raises `NulledError` where a null climbs out of it.
    """
    if not call.faults and not notes:
        return value, []
    completion = _Completion(call, notes)
    try:
        if isinstance(value, list):
            value[0] = completion.at(value[0], [*path])
        else:
            completion.walk(value, [*path])
    except _NullError:
        raise NulledError(completion.errors) from None
    return value, completion.errors


class NulledError(Exception):
    """A null climbs out of a part of an answer: nothing of it can be told but these errors."""

    def __init__(self, errors: list[ErrorObject]) -> None:
        super().__init__()
        self.errors = errors


class _NullError(Exception):
    """A null climbs: so many positions are still to go."""

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.levels = levels


class _Completion:
    """Walks the answer, sets nulls and gathers the errors."""

    def __init__(self, call: Call, notes: Sequence[Note]) -> None:
        self.errors: list[ErrorObject] = [_note(*note) for note in notes]
        self._faults = call.faults
        self._prefix = f"{call.nonce}:E:"

    def walk(self, value: Any, path: list[str | int]) -> Any:
        """The value with its marks replaced. Raises `_NullError` where a null climbs beyond it."""
        if isinstance(value, dict):
            for key, item in value.items():
                value[key] = self.at(item, [*path, key])
        elif isinstance(value, list):
            for index, item in enumerate(value):
                value[index] = self.at(item, [*path, index])
        elif isinstance(value, str) and value.startswith(self._prefix):
            fault = self._faults[int(value[len(self._prefix) :])]
            self.errors.append(_error(fault, path))
            raise _NullError(fault.levels)
        return value

    def at(self, value: Any, path: list[str | int]) -> Any:
        """The value at a position, or null where one ends there. Raises `_NullError` where it climbs further."""
        if not isinstance(value, str | dict | list):
            return value
        try:
            return self.walk(value, path)
        except _NullError as null:
            if null.levels == 0:
                return None
            raise _NullError(null.levels - 1) from None


def _error(fault: Rejected, path: Sequence[str | int]) -> ErrorObject:
    return error_from(fault.error, path=path, locations=_locations(fault.node))


def _note(error: Exception, node: FieldNode, site: str) -> ErrorObject:
    """The error of a field that has an answer all the same, and which site it is without."""
    key = node.alias.value if node.alias else node.name.value
    noted = error_from(error, path=[key], locations=_locations(node))
    noted["extensions"]["site"] = site
    return noted


def _locations(node: FieldNode) -> list[dict[str, int]] | None:
    return [_location(node.loc.source, node.loc.start)] if node.loc else None


@lru_cache(maxsize=1024)
def _location(source: Any, start: int) -> dict[str, int]:
    line, column = get_location(source, start)
    return {"line": line, "column": column}
