"""Scopes as the API tells them: what a key, or an application, may do on behalf of an account."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import ARRAY, ColumnElement, Text, func, type_coerce

from auth import scopes
from auth.policy import Row, Terms
from schema.bind import Expression
from schema.levels import value


@strawberry.enum(description="What a credential lets its bearer do, at most; never more than its account may.")
class Scope(Enum):
    """What a credential lets its bearer do, at most."""

    READ = value("READ", "Reading on sites.")
    WRITE = value("WRITE", "Reading and writing on sites, as a member does.")
    ADMIN = value("ADMIN", "Running sites too: their settings, members and audit; starting one.")
    STATISTICS_READ = value("STATISTICS_READ", "Reading the square's statistics; for its analysts.")
    PLATFORM_ADMIN = value("PLATFORM_ADMIN", "Running the square; for its operators.")
    ACCOUNT = value("ACCOUNT", "Managing the account itself; not for keys.")


WORDS = {
    each: getattr(scopes.Scope, {"STATISTICS_READ": "STATISTICS", "PLATFORM_ADMIN": "PLATFORM"}.get(each, each))
    for each in Scope.__members__
}
"""Each value of the API with the word that is stored."""


def stored(asked: list[Scope]) -> frozenset[str]:
    """The words of these scopes."""
    return frozenset(str(WORDS[each.name]) for each in asked)


def listed(column: str) -> Expression:
    """A field whose column holds the words of scopes."""

    def build(row: Row, _terms: Terms) -> ColumnElement[Any]:
        words = func.upper(func.replace(func.array_to_string(row.c[column], ","), ":", "_"))
        return type_coerce(func.string_to_array(words, ","), ARRAY(Text))

    return Expression(build)
