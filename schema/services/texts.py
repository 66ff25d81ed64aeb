"""The first two questions of every mutation: who asks, and is what they wrote in order.

Promises: no text goes on that Postgres cannot store, whatever field it came in; lengths are in characters.
Never reads a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from strawberry import UNSET
from strawberry.utils.str_converters import to_camel_case

from auth.viewer import Viewer
from schema.errors import ErrorCode, PleinError, bad_input
from schema.relay import PLATFORM_ID, NodeId, encode_id

T = TypeVar("T")

TAGS_MAX = 20
TAG_MAX = 50
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Line breaks, tabs and their like: in a name or a title they could only deceive."""


def require_account(viewer: Viewer, asked: object) -> UUID:
    """The account that writes `asked`. Raises UNAUTHENTICATED, and BAD_USER_INPUT for text that cannot be stored."""
    if viewer.account_id is None:
        raise PleinError(ErrorCode.UNAUTHENTICATED, "Sign in first.")
    for place, text in _texts("input", asked):
        if UNSTORABLE.search(text):
            raise bad_input(place, "Text cannot hold the character U+0000, nor half a surrogate pair.")
    return viewer.account_id


def account_node(account_id: UUID) -> str:
    """An account's id as the API tells it."""
    return encode_id(NodeId("A", PLATFORM_ID, account_id))


def given(value: T | None) -> T | None:
    """The value of an optional field; None where it was left out."""
    return None if value is UNSET else value


def line(text: str | None, field: str, most: int) -> str | None:
    """A line of 1 to `most` characters without white space around it; None where none was given."""
    text = given(text)
    if text is None:
        return None
    text = text.strip()
    if not 1 <= len(text) <= most:
        raise bad_input(field, f"1 to {most} characters, white space around them not counted.")
    if CONTROL.search(text):
        raise bad_input(field, "One line, without line breaks, tabs or other control characters.")
    return text


def prose(text: str | None, field: str, most: int, *, required: bool = False) -> str | None:
    """A longer text, kept as it is; None where none was given. `required`: it must say something."""
    text = given(text)
    if text is None:
        return None
    if len(text) > most:
        raise bad_input(field, f"At most {most} characters; this has {len(text)}.")
    if required and not text.strip():
        raise bad_input(field, "Write something.")
    return text


def tag_list(tags: Sequence[str] | None, field: str) -> list[str] | None:
    """Tags in their order, each once; None where none were given."""
    tags = given(tags)
    if tags is None:
        return None
    stripped = list(dict.fromkeys(tag.strip() for tag in tags))
    if len(stripped) > TAGS_MAX:
        raise bad_input(field, f"At most {TAGS_MAX} tags.")
    if any(not 1 <= len(tag) <= TAG_MAX for tag in stripped):
        raise bad_input(field, f"A tag has 1 to {TAG_MAX} characters.")
    if any(CONTROL.search(tag) for tag in stripped):
        raise bad_input(field, "A tag has no line breaks, tabs or other control characters.")
    return stripped


def _texts(place: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text in an input with its place, as `input.poll.options`."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(place, each)
    elif is_dataclass(value) and not isinstance(value, Enum):
        for field in fields(value):
            yield from _texts(f"{place}.{to_camel_case(field.name)}", getattr(value, field.name))
