"""Null propagation, known before execution: from where in the answer a null has to climb, and how far.

A trail has one mark per position on the way from the root to a value (a field, or an item of a list): whether null may
stand there. Promises: pure.
"""

from __future__ import annotations

from graphql import GraphQLList, GraphQLNonNull, GraphQLOutputType, get_nullable_type

Trail = tuple[bool, ...]


def under(trail: Trail, *types: GraphQLOutputType | None) -> Trail:
    """The trail of a field of this type; with `None` before the type, that of an item of the field's list."""
    if types[0] is None:
        list_type = get_nullable_type(types[1])
        assert isinstance(list_type, GraphQLList)
        return (*trail, not isinstance(list_type.of_type, GraphQLNonNull))
    return (*trail, not isinstance(types[0], GraphQLNonNull))


def levels(trail: Trail) -> int:
    """How many positions up from the last one the null of an error ends; the whole length means `data` itself."""
    for up, nullable in enumerate(reversed(trail)):
        if nullable:
            return up
    return len(trail)
