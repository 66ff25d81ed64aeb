"""Two versions of the GraphQL schema, and what changed between them for who wrote a client against the first.

Promises: every change that graphql-core knows of, sorted by what it can do: break documents that were valid, surprise a
client that met only what was there, or neither. Never reads anything: both versions are given as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from graphql import GraphQLError, GraphQLSchema, build_schema
from graphql.utilities import BreakingChange, DangerousChange, find_schema_changes


class Effect(StrEnum):
    """What a change can do to a client."""

    BREAKING = "breaking"
    """A document that was valid is refused, or an answer has another shape."""

    DANGEROUS = "dangerous"
    """Every document stays valid, but something may come that the client has never seen, such as a new enum value."""

    SAFE = "safe"
    """No client notices."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change, in a sentence that is the same whenever the change is."""

    effect: Effect
    what: str


class NotASchema(ValueError):  # noqa: N818 - what it says is what is wrong
    """A text is no GraphQL schema; the message says why."""


def find_changes(before: str, after: str) -> list[Change]:
    """What changed from one schema (in its definition language) to the other; what breaks comes first."""
    found = find_schema_changes(_read(before), _read(after))
    changes = {Change(_effect(each), " ".join(each.description.split())) for each in found}
    order = list(Effect)
    return sorted(changes, key=lambda each: (order.index(each.effect), each.what))


def _effect(change: object) -> Effect:
    if isinstance(change, BreakingChange):
        return Effect.BREAKING
    return Effect.DANGEROUS if isinstance(change, DangerousChange) else Effect.SAFE


def _read(text: str) -> GraphQLSchema:
    """The schema of a text. Directives that are only used there, as federation's, are passed over."""
    try:
        return build_schema(text, assume_valid_sdl=True)
    except GraphQLError as error:
        where = f" (line {error.locations[0].line})" if error.locations else ""
        raise NotASchema(f"{error.message}{where}") from error
    except TypeError as error:  # it names a type that it does not define
        raise NotASchema(str(error)) from error
