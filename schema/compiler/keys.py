"""Keys of entities: which values of a representation name a row, and on which site it is.

A key is a selection of fields (`id`, `site { id } account { id }`) that the schema's text declares with `@key`; what
the values mean is told by the bindings of those fields. Promises: pure; a key that cannot find a row without looking
at every site does not build.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLLeafType,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
    parse,
)
from strawberry.federation.schema_directives import Key as KeyDirective

from schema.bind import Column, Expression, Given, GlobalId, One, Place
from schema.catalogue import Catalogue, UnboundError
from schema.compiler.part import encode
from schema.errors import PleinError, bad_input
from schema.relay import PLATFORM_ID, decode_id

SITE, SLUG = "Site", "slug"
FieldPath = tuple[str, ...]


@dataclass(frozen=True)
class Leaf:
    """One value of a key: the fields that lead to it, the type it is of, and what it says.

    `tag`: of a global id, the letter it must have. `is_place`: it names the site, and nothing more need be compared.
    """

    path: FieldPath
    type: GraphQLLeafType
    tag: str = ""
    on_platform: bool = False
    is_place: bool = False


@dataclass(frozen=True)
class Key:
    """A key of an entity. `place` is where its rows are; a key of something on a site names that site."""

    type_name: str
    fields: str
    leaves: tuple[Leaf, ...]
    place: Place
    takes_given: bool
    """Whether the type has fields that are made from the rest of a representation."""

    @property
    def compared(self) -> tuple[Leaf, ...]:
        """The values that a row is compared with."""
        return tuple(leaf for leaf in self.leaves if not leaf.is_place)


@dataclass(frozen=True)
class Reference:
    """What a representation refers to: by which key, on which site (its id, its slug, or the platform), by what."""

    key: Key
    site: UUID | str
    values: tuple[str, ...]
    """The compared ones, in the key's order; and if the type takes what was given, that, as JSON."""


def keys_of(catalogue: Catalogue) -> dict[str, tuple[Key, ...]]:
    """The keys of every entity of the schema, by the type's name."""
    found: dict[str, tuple[Key, ...]] = {}
    for name, type_ in catalogue.schema.type_map.items():
        definition = type_.extensions.get("strawberry-definition")
        given = [each for each in getattr(definition, "directives", None) or () if isinstance(each, KeyDirective)]
        keys = tuple(_key(catalogue, name, str(each.fields)) for each in given if each.resolvable is not False)
        if keys:
            found[name] = keys
    return found


def _key(catalogue: Catalogue, type_name: str, fields: str) -> Key:
    (operation,) = parse(f"{{ {fields} }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    leaves = tuple(_leaves(catalogue, type_name, operation.selection_set, ()))
    on_platform = Place.PLATFORM in catalogue.source(type_name).tables and type_name != SITE
    names_site = any(leaf.is_place or (leaf.tag and not leaf.on_platform) for leaf in leaves)
    if not on_platform and not names_site:
        raise UnboundError(f"The key `{fields}` of {type_name} does not say on which site it is.")
    if type_name != SITE and all(leaf.is_place for leaf in leaves):
        raise UnboundError(f"The key `{fields}` of {type_name} says on which site it is, and no more.")
    takes_given = any(name == type_name and isinstance(each, Given) for (name, _), each in catalogue.bindings.items())
    return Key(type_name, fields, leaves, Place.PLATFORM if on_platform else Place.SITE, takes_given)


def _leaves(catalogue: Catalogue, type_name: str, fields: SelectionSetNode, above: FieldPath) -> Iterator[Leaf]:
    type_ = catalogue.schema.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
    for node in fields.selections:
        assert isinstance(node, FieldNode)
        name = node.name.value
        path, named = (*above, name), get_named_type(type_.fields[name].type)
        binding = catalogue.bindings[type_name, name]
        if isinstance(binding, One) and node.selection_set is not None:
            yield from _leaves(catalogue, named.name, node.selection_set, path)
        elif isinstance(binding, GlobalId | Column | Expression) and is_leaf_type(named):
            source = catalogue.source(type_name)
            tag = source.tag if isinstance(binding, GlobalId) else ""
            is_place = type_name == SITE and (bool(tag) or name == SLUG)
            yield Leaf(path, named, tag, Place.PLATFORM in source.tables, is_place)
        else:
            raise UnboundError(f"{type_name}.{name} cannot be part of a key.")


def reference(keys: Mapping[str, tuple[Key, ...]], representation: Any, at: str) -> Reference | None:
    """What a representation refers to; None if to nothing there can be. Raises BAD_USER_INPUT with its place.

    Ids that are forged, foreign or unknown are no errors: whoever may not see a thing is not told that either.
    """
    if not isinstance(representation, dict):
        raise bad_input(at, "A representation is an object with `__typename` and the fields of a key.")
    name = representation.get("__typename")
    if not isinstance(name, str) or name not in keys:
        raise bad_input(f"{at}.__typename", "This names no type that has a key.")
    for key in keys[name]:
        values = [_value(representation, leaf.path) for leaf in key.leaves]
        if all(value is not None for value in values):
            texts = [_text(leaf, value, at) for leaf, value in zip(key.leaves, values, strict=True)]
            given = (orjson.dumps(representation).decode(),) if key.takes_given else ()
            return _reference(key, texts, given)
    wanted = ", or ".join(f"`{key.fields}`" for key in keys[name])
    raise bad_input(at, f"{name} is referred to by {wanted}.")


def _value(representation: Any, path: FieldPath) -> Any:
    for name in path:
        if not isinstance(representation, dict):
            return None
        representation = representation.get(name)
    return representation


def _text(leaf: Leaf, value: Any, at: str) -> str:
    place = ".".join((at, *leaf.path))
    try:
        text = str(leaf.type.serialize(leaf.type.parse_value(value)))
    except (GraphQLError, PleinError) as error:
        raise bad_input(place, f"This is no {leaf.type.name}.") from error
    encode(text, place)
    return text


def _reference(key: Key, texts: list[str], given: tuple[str, ...]) -> Reference | None:
    sites: set[UUID | str] = set()
    values: list[str] = []
    for leaf, text in zip(key.leaves, texts, strict=True):
        if not leaf.tag:
            if leaf.is_place:
                sites.add(text)
            else:
                values.append(text)
            continue
        node = decode_id(text)
        if node is None or node.tag != leaf.tag or (node.tenant_id == PLATFORM_ID) is not leaf.on_platform:
            return None
        if leaf.is_place:
            sites.add(node.key)
        else:
            values.append(str(node.key))
            sites |= set() if leaf.on_platform else {node.tenant_id}
    if key.place is Place.PLATFORM:
        return Reference(key, PLATFORM_ID, (*values, *given))
    return Reference(key, sites.pop(), (*values, *given)) if len(sites) == 1 else None
