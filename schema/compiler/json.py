"""JSON made in Postgres: objects with their keys in the order of the selection.

Promises: keys are GraphQL names, checked; `json`, never `jsonb`, which would sort them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, ColumnElement, Text, cast, func, literal, literal_column

NAME = re.compile(r"(?:[_A-Za-z][_0-9A-Za-z]*|~[0-9]+)\Z")  # `~` and a number: what is put aside for later
OBJECT_FIELDS_MOST = 50
"""`json_build_object` takes 100 arguments: Postgres' FUNC_MAX_ARGS."""

Json = ColumnElement[Any]

EMPTY_LIST = literal_column("'[]'", JSON)


def json_object(pairs: Sequence[tuple[str, Json]]) -> Json:
    """A JSON object with these keys in this order; more fields than one call takes are joined as text."""
    chunks = [_object(pairs[start : start + OBJECT_FIELDS_MOST]) for start in range(0, len(pairs), OBJECT_FIELDS_MOST)]
    if len(chunks) <= 1:
        return chunks[0] if chunks else _object(())
    inner = [func.substr(cast(chunk, Text), 2, func.length(cast(chunk, Text)) - 2) for chunk in chunks]
    joined = literal("{", Text).concat(inner[0])
    for chunk in inner[1:]:
        joined = joined.concat(literal(", ", Text)).concat(chunk)
    return cast(joined.concat(literal("}", Text)), JSON)


def _object(pairs: Sequence[tuple[str, Json]]) -> Json:
    arguments: list[Json] = []
    for key, value in pairs:
        if not NAME.match(key):
            raise ValueError(f"{key!r} is no response key.")
        arguments += (literal(key, Text), value)
    return func.json_build_object(*arguments)
