"""Keys of entities: which build, and what a representation refers to by them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from schema.bind import Place
from schema.catalogue import UnboundError, catalogue_of
from schema.compiler.keys import SITE, Key, _key, keys_of, reference
from schema.relay import PLATFORM_ID, NodeId, encode_id
from schema.root import graphql_schema
from schema.sdl import federation_sdl, plain_sdl

CATALOGUE = catalogue_of(graphql_schema())
KEYS = keys_of(CATALOGUE)
TENANT, ROW = UUID(int=7), UUID(int=9)


def id_(tag: str, tenant: UUID = TENANT, key: UUID = ROW) -> str:
    return encode_id(NodeId(tag, tenant, key))


def test_every_type_with_an_id_has_it_as_its_key() -> None:
    schema = graphql_schema()
    types = {each.name for each in schema.get_possible_types(schema.type_map["Node"])}  # type: ignore[arg-type]
    assert {name for name, keys in KEYS.items() if keys[0].fields == "id"} == types | {"Content"}
    assert {each.name for each in schema.type_map["_Entity"].types} == types  # type: ignore[attr-defined]


def test_the_texts_of_the_schema_differ_by_federation_only() -> None:
    plain, composed = (text(graphql_schema()) for text in (plain_sdl, federation_sdl))
    assert 'type Site implements Node @key(fields: "id") @key(fields: "slug") {' in composed
    assert 'interface Content implements Node @key(fields: "id") {' in composed
    assert "type PageInfo @shareable {" in composed
    assert "federation/v2.3" in composed
    for text in (plain, composed):
        assert not [line for line in text.splitlines() if line.startswith(("scalar _", "union _", "type _", "  _"))]
    assert not [word for word in ("@key", "@link", "@shareable", "FieldSet") if word in plain]


@pytest.mark.parametrize(
    ("type_name", "fields", "why"),
    [
        ("Group", "name", "on which site"),  # which of all sites?
        ("Member", "account { id }", "on which site"),
        ("Member", "site { id }", "no more"),
        ("Group", "site { slug }", "no more"),
        ("Site", "name", "on which site"),
        ("Site", "groups { edges { node { id } } }", "cannot be part of a key"),
        ("Comment", "subject { __typename }", "cannot be part of a key"),
    ],
)
def test_a_key_that_cannot_find_a_row_does_not_build(type_name: str, fields: str, why: str) -> None:
    with pytest.raises(UnboundError, match=why):
        _key(CATALOGUE, type_name, fields)


@pytest.mark.parametrize(
    ("type_name", "fields", "place", "compared"),
    [
        ("Group", "id", Place.SITE, 1),
        ("Group", "site { slug } name", Place.SITE, 1),
        ("Member", "site { id } account { id }", Place.SITE, 1),
        ("Comment", "content { id } body", Place.SITE, 2),  # the item's id says on which site
        ("Account", "name", Place.PLATFORM, 1),
        (SITE, "slug", Place.SITE, 0),
    ],
)
def test_keys_that_build(type_name: str, fields: str, place: Place, compared: int) -> None:
    key = _key(CATALOGUE, type_name, fields)
    assert (key.place, len(key.compared)) == (place, compared)


def read(key: Key, **given: Any) -> Any:
    """Site and values that a representation gives by one key, or None."""
    found = reference({key.type_name: (key,)}, {"__typename": key.type_name, **given}, "here")
    return None if found is None else (found.site, found.values)


def test_what_a_representation_refers_to() -> None:
    member = KEYS["Member"][1]
    site, account = id_("S", PLATFORM_ID, TENANT), id_("A", PLATFORM_ID)
    assert read(KEYS["Group"][0], id=id_("G")) == (TENANT, (str(ROW),))
    assert read(KEYS["Account"][0], id=account) == (PLATFORM_ID, (str(ROW),))
    assert read(KEYS["Site"][0], id=site) == (TENANT, ())
    assert read(KEYS["Site"][1], slug="aster") == ("aster", ())
    assert read(member, site={"id": site}, account={"id": account, "more": 1}) == (TENANT, (str(ROW),))


def test_ids_that_do_not_belong_refer_to_nothing() -> None:
    member, group = KEYS["Member"][1], KEYS["Group"][0]
    site, account = id_("S", PLATFORM_ID, TENANT), id_("A", PLATFORM_ID)
    for wrong in (id_("C"), id_("G", PLATFORM_ID), id_("S", PLATFORM_ID), "", "x", id_("G")[:-1], id_("G").upper()):
        assert read(group, id=wrong) is None, wrong
    for where, who in ((account, site), (id_("S"), account), (site, id_("A")), (site, id_("M")), ("", account)):
        assert read(member, site={"id": where}, account={"id": who}) is None
    both = replace(group, leaves=(*group.leaves, *KEYS["Group"][0].leaves))
    assert read(both, id=id_("G")) == (TENANT, (str(ROW), str(ROW)))
