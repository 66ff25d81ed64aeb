"""Global ids, cursors and connections: the Relay conventions, bound to the site.

A global id is opaque text that binds type, site and key. Promises: one spelling per thing (decoding is strict), and a
foreign, forged or unknown id decodes to a thing that no predicate finds, or to None.
A cursor is opaque text that names a position in one list of one site in one order, sealed with a key derived from all
three; any other cursor is refused with a coded error. The same format is written in SQL (`compiler.paginate`).
Never reads or writes a row.
"""

import base64
import hashlib
import hmac
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Generic, NewType, TypeVar
from uuid import UUID

import strawberry
from strawberry.federation.schema_directives import Shareable

from schema.bind import NOTHING, Connected, GlobalId, Rooted, at, bound
from schema.errors import bad_input

PREFIX_BYTES = 18
"""Version and tag (one byte each) and the site's 16 bytes: 24 characters of base64, without padding."""

VERSION = b"\x01"
PLATFORM_ID = UUID(int=0)
"""Stands for the platform where an id or cursor names a site."""

KEY = re.compile("[0-9a-f]{32}")
SEAL_BYTES = 8

CursorKey = NewType("CursorKey", str)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NodeId:
    """A decoded global id: which type (by its letter), on which site, which row."""

    tag: str
    tenant_id: UUID
    key: UUID


@lru_cache(maxsize=20_000)
def id_prefix(tag: str, tenant_id: UUID) -> str:
    """The first 24 characters of every id of a type on a site."""
    return base64.urlsafe_b64encode(VERSION + tag.encode("ascii") + tenant_id.bytes).decode("ascii")


def encode_id(node: NodeId) -> str:
    """The opaque text of an id: prefix and key in hexadecimal."""
    return id_prefix(node.tag, node.tenant_id) + node.key.hex


def decode_id(text: str) -> NodeId | None:
    """The id behind the text, or None if it is not one that this gateway could have written."""
    parts = split_id(text)
    return None if parts is None else NodeId(parts[0], parts[1], UUID(hex=parts[2]))


def split_id(text: str) -> tuple[str, UUID, str] | None:
    """Type, site and key (in hexadecimal) of a global id, or None if this gateway could not have written it."""
    place, key = _place(text[:24]), text[24:]
    return None if place is None or KEY.fullmatch(key) is None else (*place, key)


@lru_cache(maxsize=20_000)
def _place(prefix: str) -> tuple[str, UUID] | None:
    """Type and site of a prefix, or None if it is none."""
    try:
        raw = base64.b64decode(prefix.encode("ascii"), altchars=b"-_", validate=True)
        place = chr(raw[1]), UUID(bytes=raw[2:])
        return place if id_prefix(*place) == prefix else None
    except (ValueError, IndexError):
        return None


def cursor_key(secret: bytes, tenant_id: UUID, connection: str, order: str) -> CursorKey:
    """The key that seals cursors of one list (`Type.field`) of one site in one order."""
    scope = f"cursor|{tenant_id.hex}|{connection}|{order}".encode()
    return CursorKey(hmac.new(secret, scope, hashlib.sha256).hexdigest())


def encode_cursor(key: CursorKey, row_key: UUID, value: str) -> str:
    """The cursor of a row: its key and its value in the order (timestamps as microseconds since 1970)."""
    payload = f"{row_key.hex}|{value}".encode()
    return base64.urlsafe_b64encode(_seal(key, payload) + payload).decode("ascii").rstrip("=")


def decode_cursor(key: CursorKey, text: str, field: str) -> tuple[UUID, str]:
    """Row key and order value of a cursor, or a coded error that names the argument."""
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        payload = raw[SEAL_BYTES:]
        # One spelling per cursor: padding, or stray bits in the last character, are not ours.
        is_ours = base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=") == text
        if is_ours and hmac.compare_digest(raw[:SEAL_BYTES], _seal(key, payload)):
            row_key, value = payload.decode("utf-8").split("|", 1)
            return UUID(hex=row_key), value
    except ValueError:
        pass
    raise bad_input(field, "This cursor is not one of this list: it is of another site, list or order, or was changed.")


def _seal(key: CursorKey, payload: bytes) -> bytes:
    return hashlib.sha256(key.encode("ascii") + payload).digest()[:SEAL_BYTES]


@strawberry.interface(description="Anything with a global id: `node(id:)` finds it again.")
class Node:
    """An object with a global id."""

    id: strawberry.ID = strawberry.field(
        description="Stable, opaque id, unique over all sites and types.", metadata=at(GlobalId())
    )


@bound(NOTHING)
@strawberry.type(description="Where a page stands in its list.", directives=[Shareable()])
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = strawberry.field(
        description="Whether more follows. Exact going forwards; going backwards, whether `before` was given."
    )
    has_previous_page: bool = strawberry.field(
        description="Whether something precedes. Exact going backwards; going forwards, whether `after` was given."
    )
    start_cursor: str | None = strawberry.field(description="Cursor of the first edge; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last edge; null on an empty page.")


@bound(NOTHING)
@strawberry.type(description="A thing in a list, with its place there.")
class Edge(Generic[T]):
    """A thing in a list, with its place there."""

    cursor: str = strawberry.field(description="Its place, for `after` and `before`. Stays valid when rows are added.")
    node: T | None = strawberry.field(description="The thing itself; null if its site cannot answer now.")


@bound(NOTHING)
@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """A page of a list."""

    edges: list[Edge[T]] = strawberry.field(description="The things on this page, in order.")
    page_info: PageInfo = strawberry.field(description="Whether there is more, and the cursors to get it with.")
    total_count: int = strawberry.field(
        description="How many there are in the whole list for this viewer. Counted only when asked for."
    )


ARGUMENTS: Mapping[str, tuple[Any, str]] = {
    "first": (int, "How many, from the front. 20 if neither `first` nor `last` is given; 100 at most."),
    "after": (str, "Only what comes after this cursor."),
    "last": (int, "How many, from the back; 100 at most. Not together with `first`."),
    "before": (str, "Only what comes before this cursor."),
}
"""The four arguments of every connection."""


def connection(
    binding: Connected | Rooted, description: str, required: Mapping[str, tuple[Any, str]] | None = None, **more: Any
) -> Any:
    """A connection field. `more` are further arguments by name: (type, description); `required` have no default."""
    kinds = inspect.Parameter
    parameters = [
        kinds(name, kinds.KEYWORD_ONLY, annotation=Annotated[kind, strawberry.argument(description=text)])
        for name, (kind, text) in (required or {}).items()
    ] + [
        kinds(
            name,
            kinds.KEYWORD_ONLY,
            default=strawberry.UNSET,
            annotation=Annotated[kind | None, strawberry.argument(description=text)],
        )
        for name, (kind, text) in {**ARGUMENTS, **more}.items()
    ]
    return field(binding, description, parameters)


def field(binding: Any, description: str, parameters: list[inspect.Parameter], name: str | None = None) -> Any:
    """A field with arguments that is compiled: its Python function has a signature for the schema, and no body."""

    def compiled() -> None:
        raise NotImplementedError

    compiled.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return strawberry.field(resolver=compiled, name=name, description=description, metadata=at(binding))


def argument(name: str, kind: Any, description: str, *, optional: bool = False) -> inspect.Parameter:
    """An argument of a compiled field."""
    note = strawberry.argument(description=description)
    annotation = Annotated[kind | None, note] if optional else Annotated[kind, note]
    default = strawberry.UNSET if optional else inspect.Parameter.empty
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
