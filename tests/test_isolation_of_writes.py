"""No mutation of a viewer of one site reads, changes or tells of anything on another.

Made from the schema: every field of every input that takes an id is tried with ids of the closed site, forged and
unknown ones, by viewers who may do much on their own site.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from graphql import GraphQLEnumType, GraphQLField, GraphQLInputObjectType, GraphQLNonNull, get_named_type

from schema.relay import PLATFORM_ID, NodeId, encode_id
from schema.root import graphql_schema
from tests.conftest import CreateDatabase
from tests.oracle.people import VIEWERS
from tests.oracle.proof import Proof, running_proof
from tests.oracle.strangers import TABLES, closed, forgeries, ids_of
from tests.oracle.world import load

SCHEMA = graphql_schema()


@pytest_asyncio.fixture(scope="module")
async def written_to(create_database: CreateDatabase, empty_square: str) -> AsyncIterator[Proof]:
    """A square of its own, as these attempts write if they can."""
    async with running_proof(create_database(empty_square)) as proof:
        yield proof


def id_fields() -> list[tuple[str, str]]:
    """Every field of a mutation's input that takes an id."""
    mutation = SCHEMA.mutation_type
    return [
        (name, field)
        for name, definition in (mutation.fields.items() if mutation else ())
        for field, each in input_of(definition).fields.items()
        if get_named_type(each.type).name == "ID"
    ]


def input_of(definition: GraphQLField) -> GraphQLInputObjectType:
    """The type of a mutation's input."""
    type_ = get_named_type(definition.args["input"].type)
    assert isinstance(type_, GraphQLInputObjectType)
    return type_


def filled(type_: GraphQLInputObjectType, own_site: str) -> dict[str, Any]:
    """An input with all that it needs, and the viewer's own site wherever a site is meant."""
    texts = [name for name in type_.fields if name not in ("language", "idempotencyKey")]
    by_type = {"String": "iets nieuws", "Int": 1, "Boolean": True, "ID": own_site, "DateTime": "2030-01-01T00:00:00Z"}
    made: dict[str, Any] = {}
    for name, each in type_.fields.items():
        named = get_named_type(each.type)
        if isinstance(each.type, GraphQLNonNull) or (str(each.type) == "String" and name in texts):
            made[name] = next(iter(named.values)) if isinstance(named, GraphQLEnumType) else by_type[named.name]
    return made


@pytest.mark.parametrize(("mutation", "field"), id_fields())
async def test_mutations_know_nothing_of_what_is_elsewhere(written_to: Proof, mutation: str, field: str) -> None:
    """Foreign, forged and unknown ids: the same answer to the byte, and nothing written."""
    assert SCHEMA.mutation_type is not None
    here, there = written_to.world.site("aster"), closed(written_to)
    type_ = input_of(SCHEMA.mutation_type.fields[mutation])
    unknown = [encode_id(NodeId(tag, here.id, UUID(int=9))) for tag in TABLES]
    unknown += [encode_id(NodeId("S", PLATFORM_ID, UUID(int=9))), "", "x"]
    foreign = [id_ for tag in TABLES for id_ in ids_of(there, tag)[:2]] + [
        encode_id(NodeId("S", PLATFORM_ID, there.id))
    ]
    text = f"mutation ($input: {type_.name}!) {{ {mutation}(input: $input) {{ __typename }} }}"
    for viewer in ("carla", "anna", "joost"):
        answers = set()
        for id_ in [*unknown, *foreign, *list(forgeries(written_to))[::11]]:
            input_ = filled(type_, encode_id(NodeId("S", PLATFORM_ID, here.id))) | {field: id_}
            answers.add(await written_to.answer(text, {"input": input_}, VIEWERS[viewer]))
        assert len(answers) == 1, [answer.decode() for answer in answers]
        ((error,), _) = json.loads(answers.pop()).values()
        assert error["extensions"]["code"] in ("NOT_FOUND", "FORBIDDEN")
        if error["extensions"]["code"] == "NOT_FOUND":
            assert error["extensions"]["field"] == f"input.{field}"
    assert_nothing_changed(written_to)


@pytest.mark.parametrize(("mutation", "field"), id_fields())
async def test_mutations_refuse_who_is_nobody(written_to: Proof, mutation: str, field: str) -> None:
    """Without an account nothing is written anywhere, and nothing is told about any id."""
    assert SCHEMA.mutation_type is not None
    type_ = input_of(SCHEMA.mutation_type.fields[mutation])
    here, there = written_to.world.site("aster"), closed(written_to)
    text = f"mutation ($input: {type_.name}!) {{ {mutation}(input: $input) {{ __typename }} }}"
    answers = set()
    for site in (here, there):
        for id_ in [encode_id(NodeId("S", PLATFORM_ID, site.id)), *(ids_of(site, tag)[0] for tag in TABLES)]:
            input_ = filled(type_, encode_id(NodeId("S", PLATFORM_ID, here.id))) | {field: id_}
            answers.add(await written_to.answer(text, {"input": input_}, VIEWERS["anonymous"]))
    assert len(answers) == 1
    assert json.loads(answers.pop())["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert_nothing_changed(written_to)


def ordered(rows: Any) -> Any:
    """Rows in an order of their own: the database gives them in any."""
    return sorted(rows, key=str) if isinstance(rows, list) else rows


def assert_nothing_changed(proof: Proof) -> None:
    """Every row on every site is what it was."""
    now = load(proof.world.url)
    for id_, site in proof.world.sites.items():
        for table in (
            "row",
            "member",
            "group",
            "group_member",
            "content",
            "comment",
            "reaction",
            "audit",
            "ownership_offer",
        ):
            assert ordered(getattr(now.sites[id_], table)) == ordered(getattr(site, table))
    assert set(now.sites) == set(proof.world.sites)
