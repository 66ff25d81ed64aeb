"""Plein as a subgraph: what an Apollo Federation gateway asks of every service, and which types it may refer to.

Every type with a global id is an entity by that id; further keys stand beside the type. Promises: a key is in the
schema's text if and only if it finds rows, as both are read from the same directives.
Never says how a row is found: that is the compiler's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_
from typing import Annotated, Any, Final

import strawberry
from graphql import GraphQLError
from strawberry.federation.schema import FederationAny
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet
from strawberry.types.base import StrawberryObjectDefinition

from schema.bind import NOTHING, Made, at, bound
from schema.relay import Node

VERSION: Final = "2.3"
"""Of Apollo Federation: the latest that both of the widespread composers take."""

NESTING_MOST = 10
"""How deep a representation may be. Those that a gateway makes have the depth of a key or of a `@requires`."""


def key(fields: str) -> Key:
    """A key of a type, for its `directives`: the fields whose values name one row, as a selection."""
    return Key(fields=FieldSet(fields), resolvable=strawberry.UNSET)


def checked(value: Any) -> Any:
    """A representation as it was sent, unless it is nested so deeply that nobody could have meant it."""
    level = [value]
    for _ in range(NESTING_MOST):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return value
    raise GraphQLError(f"A representation is at most {NESTING_MOST} levels deep.")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


ANY = strawberry.scalar(
    name="_Any",
    description="How another service refers to a thing: an object with `__typename` and the fields of one of its keys.",
    serialize=lambda value: value,
    parse_value=checked,
)
SCALARS: dict[Any, Any] = {FederationAny: ANY}
"""How the types that strawberry brings for federation are written in our schema."""


@bound(NOTHING)
@strawberry.type(name="_Service", description="What this service tells a gateway that composes several.")
class Service:
    """What this service tells a gateway that composes several."""

    sdl: str = strawberry.field(
        description="The schema with its keys, for composing; told to whom introspection is allowed.",
        metadata=at(Made("sdl")),
    )


def definition_of(type_: type) -> StrawberryObjectDefinition:
    """What strawberry knows of a type."""
    definition: StrawberryObjectDefinition = type_.__strawberry_definition__  # type: ignore[attr-defined]
    return definition


def entities() -> Any:
    """The union of all types with a global id, each with its key; asked for once all of them are declared."""
    types = sorted(set(_concrete(Node)), key=lambda each: definition_of(each).name)
    for type_ in types:
        definition = definition_of(type_)
        # A key of an interface is not inherited, and the keys of all types would be one more thing to forget.
        definition.directives = [key("id"), *(definition.directives or ())]
    members: Any = reduce(or_, types)
    about = "Everything that another service can refer to."
    return Annotated[members, strawberry.union("_Entity", description=about)]


def _concrete(type_: type) -> Iterator[type]:
    each: type
    for each in type_.__subclasses__():
        definition = each.__dict__.get("__strawberry_definition__")
        if definition is not None and not definition.is_interface:
            yield each
        yield from _concrete(each)
