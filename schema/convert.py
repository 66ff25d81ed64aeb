"""Mutation inputs: from coerced values to the input classes that services take."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLField
from strawberry.types.arguments import convert_argument

from schema.root import strawberry_schema


def input_object(field: GraphQLField, value: Mapping[str, Any]) -> Any:
    """The `input` argument of a mutation field as an instance of its class."""
    (argument,) = field.extensions["strawberry-definition"].arguments
    schema = strawberry_schema()
    return convert_argument(value, argument.type, schema.schema_converter.scalar_registry, schema.config)
