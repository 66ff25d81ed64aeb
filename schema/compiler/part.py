"""A part of a plan: one compiled statement, and how its parameters are read from a call.

Promises: a part holds no value of any request and names no site; it is shared by all callers. A value that turns out
wrong only when it is read (a cursor of another list) rejects one field: the part is compiled again with that field
answering as an error, and the rest of the answer stands.
Never talks to a database.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from graphql import FieldNode

from auth.assurance import UNSURE, Assurance
from auth.policy import Uses
from schema.compiler.selection import Selected
from schema.errors import PleinError, bad_input

Path = tuple[str, ...]
"""Where a field stands in the selection: response keys from the root, without list indices."""

REJECTIONS_MOST = 100
"""Of how many ways to fail a part keeps the compiled form."""

Parameters = tuple[bytes | None, ...]


@dataclass(frozen=True)
class Rejected:
    """A field that answers as an error: which error, and where the null goes (levels up from the field)."""

    error: Exception
    levels: int
    node: FieldNode


class RejectedError(Exception):
    """A parameter cannot be read: the field at `path` answers as `error`."""

    def __init__(self, path: Path, error: PleinError) -> None:
        super().__init__(error.message)
        self.path = path
        self.error = error


@dataclass(slots=True)
class Call:
    """One request as its parts see it: who asks, the variables, and the errors of fields found on the way."""

    variables: Mapping[str, Any]
    viewer_id: bytes | None
    secret: bytes
    sites: bytes | None = None
    """The only sites that the viewer's credential is for, as Postgres reads an array; None where it is for all."""

    assurance: Assurance = UNSURE
    """How the viewer signed in."""

    session: bytes | None = None
    """The session that the viewer came by."""

    strange: dict[UUID, PleinError] = field(init=False, default_factory=dict)
    """Sites that do not know the viewer by how they signed in, and what is told of it: there they are a visitor."""

    faults: list[Rejected] = field(init=False, default_factory=list)
    wanted: dict[tuple[object, UUID], Sequence[UUID | str]] = field(init=False, default_factory=dict)
    """The keys of rows that are asked for by key, by what they are of and by site; as a text, in hexadecimal.

    What they are of is a type's letter, and for fields that may run beside each other the field's path as well.
    """

    references: dict[tuple[object, UUID], Sequence[tuple[str, ...]]] = field(init=False, default_factory=dict)
    """The values of the keys by which rows are asked for, by what they are of and by site."""

    notes: list[tuple[Exception, FieldNode, str]] = field(init=False, default_factory=list)
    """What went wrong beside a field's answer: the error, the field, and the site that is missing in it."""

    _nonce: str = field(init=False, default="")

    @property
    def nonce(self) -> str:
        """Marks, in the JSON on its way out, where something is still to be put in; no stored text can contain it."""
        self._nonce = self._nonce or secrets.token_hex(16)
        return self._nonce

    def mark(self, fault: Rejected) -> str:
        """Notes the error of a field, and gives the text that stands in the field's place until the end."""
        self.faults.append(fault)
        return f"{self.nonce}:E:{len(self.faults) - 1}"


Getter = Callable[[Call, UUID], bytes | None]
"""Reads one parameter for one site (or `PLATFORM_ID`)."""


@dataclass(frozen=True)
class OfSite:
    """A `Getter` of what is the same in every call to one site: it is read once for each."""

    read: Callable[[UUID], bytes]

    def __call__(self, _call: Call, tenant_id: UUID) -> bytes:
        """Read it."""
        return self.read(tenant_id)


@dataclass(frozen=True)
class Slots:
    """Fields of sites in a list from the register that each site answers itself.

    In the JSON stands `nonce:S:<number>:<column>:<site>`; `part` gives one row: the state of the site and the columns.
    """

    path: Path
    trail: tuple[bool, ...]
    fields: tuple[Selected, ...]
    part: Part


@dataclass(frozen=True)
class Part:
    """One statement. `text` names the site's schema by the stand-in; `getters` are in the order of `$1..$n`."""

    text: str
    getters: tuple[Getter, ...]
    slots: tuple[Slots, ...]
    rejected: Mapping[Path, PleinError]
    rebuild: Callable[[Mapping[Path, PleinError]], Part]
    finished: dict[str, Finished] = field(default_factory=dict, compare=False)
    """What the part is for each site, by the name of its schema; kept by whoever runs the part."""
    uses: Uses = field(default_factory=Uses, compare=False)
    """What the answer depends on besides the viewer's role; who may see the rows asked for by key is not counted."""

    without: dict[object, Part] = field(default_factory=dict, compare=False)
    """Itself with fields answering as errors, by which and how: compiled once, however many sites and calls meet it."""

    def reject(self, more: Mapping[Path, PleinError]) -> Part:
        """The same part with these fields answering as errors too."""
        errors = {path: PleinError(error.code, error.message, field=error.field) for path, error in more.items()}
        key = tuple((path, error.code, error.message, error.field) for path, error in errors.items())
        part = self.without.get(key)
        if part is None:
            if len(self.without) >= REJECTIONS_MOST:
                self.without.clear()
            part = self.without[key] = self.rebuild({**self.rejected, **errors})
        return part


class Finished(NamedTuple):
    """A part for one site: its statement, and the parameters with those in place that no call changes."""

    statement: Any
    params: list[bytes | None]
    varying: tuple[tuple[int, Getter], ...]


def finish(part: Part, statement: Any, tenant_id: UUID, call: Call) -> Finished:
    """The part with this statement for one site."""
    fixed = [getter(call, tenant_id) if isinstance(getter, OfSite) else None for getter in part.getters]
    varying = tuple((place, each) for place, each in enumerate(part.getters) if not isinstance(each, OfSite))
    return Finished(statement, fixed, varying)


def wanted(what: object) -> Getter:
    """Reads the keys of the rows that a call wants from a site."""

    def read(call: Call, tenant_id: UUID) -> bytes:
        keys = call.wanted.get((what, tenant_id), ())
        return f"{{{','.join(map(str, keys))}}}".encode()  # no quotes: nothing in a UUID asks for them

    return read


def referred(what: object, number: int) -> Getter:
    """Reads one value of each of the keys by which a call asks a site for rows."""

    def read(call: Call, tenant_id: UUID) -> bytes | None:
        return encode([values[number] for values in call.references.get((what, tenant_id), ())])

    return read


def encode(value: Any, name: str = "") -> bytes | None:
    """A value as Postgres reads it in text form. Raises BAD_USER_INPUT, with the argument, for what it cannot hold."""
    if value is None:
        return None
    try:
        if isinstance(value, list):
            encoded = b"{" + b",".join(_quoted(item) for item in value) + b"}"
        else:
            encoded = _text(value).encode("utf-8")
    except UnicodeEncodeError:
        raise bad_input(name, "This is no valid Unicode text.") from None
    if b"\0" in encoded:
        raise bad_input(name, "The character U+0000 cannot be used.")
    return encoded


def _text(value: Any) -> str:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _quoted(item: Any) -> bytes:
    if item is None:
        return b"NULL"
    return b'"' + _text(item).replace("\\", "\\\\").replace('"', '\\"').encode("utf-8") + b'"'
