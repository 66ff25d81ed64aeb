"""Nothing of one site reaches a viewer of another, whatever they send.

The attempts are made from the schema: every argument that takes an id, every list that takes a cursor, every field of
every type; what the schema gains is attacked from that day. `beuk` is closed: its `secret` stands in every text it has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLNonNull, get_named_type, get_nullable_type, is_leaf_type

from auth import policy
from schema.bind import Connected, Either, One, Source
from schema.catalogue import Catalogue, catalogue_of
from schema.compiler.compile import Compiler
from schema.compiler.part import Call
from schema.compiler.selection import Operation, collect
from schema.relay import PLATFORM_ID, NodeId, cursor_key, decode_id, encode_cursor, encode_id
from schema.root import graphql_schema
from tenants.errors import StatementFailed
from tenants.reader import Statement
from tenants.site_tables import TENANT
from tests.generate.everything import Place, everything, id_arguments, lists, node_types, tag_of
from tests.generate.values import REFERRED, Pools, pools
from tests.oracle.people import VIEWERS, who_sees
from tests.oracle.proof import Proof
from tests.oracle.strangers import CLOSED, OF_ACCOUNTS, TABLES, closed, flip, forgeries, ids_of, own_ids, secret
from tests.oracle.world import SiteData

SCHEMA = graphql_schema()
OF_THE_SQUARE = ("{ audit", "... on PlatformAct {")
"""What an operator sees of every site, and nobody else of any."""

OUTSIDERS = ("anonymous", "joost", "carla", "bram", "lars", "anna", "otto")
"""Nobody of the closed site: from no account at all to the owner of all the others, and an operator of the square."""


@pytest.fixture(scope="session")
def drawn_from(proof: Proof) -> Pools:
    """Ids and cursors of everything there is."""
    return pools(proof.world, secret(proof))


@pytest.mark.parametrize("viewer", OUTSIDERS)
async def test_ids_of_a_closed_site_and_forged_ids_find_nothing(proof: Proof, viewer: str) -> None:
    """All alike, to the byte."""
    there = closed(proof)
    foreign = [id_ for tag in TABLES for id_ in ids_of(there, tag)] + [encode_id(NodeId("S", PLATFORM_ID, there.id))]
    unknown = encode_id(NodeId("C", UUID(int=5), UUID(int=7)))
    wanted = [*foreign[::7], *forgeries(proof), unknown, "", "🚲"]
    one = "query ($id: ID!) { node(id: $id) { __typename id ... on Content { title } ... on Site { memberCount } } }"
    answers = {await proof.answer(one, {"id": id_}, VIEWERS[viewer]) for id_ in wanted}
    assert answers == {b'{"data":{"node":null}}'}
    many = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    all_of_them = [*foreign, *wanted]
    for start in range(0, len(all_of_them), 100):
        some = all_of_them[start : start + 100]
        body = json.loads(await proof.answer(many, {"ids": some}, VIEWERS[viewer]))
        assert body == {"data": {"nodes": [None] * len(some)}}


@pytest.mark.parametrize("viewer", OUTSIDERS)
async def test_representations_of_a_closed_site_and_forged_ones_find_nothing(proof: Proof, viewer: str) -> None:
    """By every type and every key, in one request with a thing that may be seen: the others are null beside it."""
    there, here = closed(proof), proof.world.site("ceder")
    site = encode_id(NodeId("S", PLATFORM_ID, there.id))
    people = [encode_id(NodeId("A", PLATFORM_ID, row["account_id"])) for row in there.member]
    foreign = [site, *people, *(id_ for tag in TABLES for id_ in ids_of(there, tag)[::5]), *list(forgeries(proof))[::3]]
    given: list[dict[str, Any]] = [{"__typename": type_, "id": id_} for type_ in REFERRED for id_ in foreign]
    own = encode_id(NodeId("A", PLATFORM_ID, VIEWERS[viewer].account_id or UUID(int=0)))
    given = [each for each in given if (each["__typename"], each["id"]) != ("Account", own)]
    given += [{"__typename": "Site", "slug": slug} for slug in (CLOSED.slug, "niets", CLOSED.slug.upper(), "", "é")]
    given += [
        {"__typename": "Member", "site": {"id": place}, "account": {"id": person}}
        for place in (site, encode_id(NodeId("S", here.id, here.id)), foreign[-1])
        for person in (*people, own)
    ]
    text = "query ($all: [_Any!]!) { _entities(representations: $all) { __typename ... on Node { id } } }"
    seen = {"__typename": "Site", "slug": "aster"}
    for start in range(0, len(given), 900):
        some = given[start : start + 900]
        body = json.loads(await proof.answer(text, {"all": [seen, *some, seen]}, VIEWERS[viewer]))
        aster = {"__typename": "Site", "id": encode_id(NodeId("S", PLATFORM_ID, proof.world.site("aster").id))}
        assert body == {"data": {"_entities": [aster, *[None] * len(some), aster]}}


async def test_a_narrowed_credential_reaches_no_further_by_reference(proof: Proof) -> None:
    """Other sites are not there, and what needs another scope is one error beside what may be read."""
    anna, here, there = VIEWERS["anna"], proof.world.site("aster"), proof.world.site("ceder")
    narrowed = replace(anna, scopes=frozenset({"read"}), sites=frozenset({here.id}))
    own = encode_id(NodeId("A", PLATFORM_ID, anna.account_id or UUID(int=0)))

    def references(site: SiteData) -> list[dict[str, Any]]:
        place = encode_id(NodeId("S", PLATFORM_ID, site.id))
        return [
            {"__typename": "Site", "id": place},
            {"__typename": "Site", "slug": site.row["slug"]},
            {"__typename": "Member", "site": {"id": place}, "account": {"id": own}},
            {"__typename": "Content", "id": ids_of(site, "C")[0]},
        ]

    text = "query ($all: [_Any!]!) { _entities(representations: $all) { __typename } }"
    both = [*references(here), *references(there)]
    whole = json.loads(await proof.answer(text, {"all": both}, anna))["data"]["_entities"]
    assert None not in whole
    body = json.loads(await proof.answer(text, {"all": both}, narrowed))
    assert body == {"data": {"_entities": [*whole[:4], None, None, None, None]}}
    acts = [{"__typename": "Act", "id": id_} for id_ in ids_of(here, "U")[:2]]
    body = json.loads(await proof.answer(text, {"all": [*both[:4], *acts]}, narrowed))
    assert body["data"] == {"_entities": [*whole[:4], None, None]}
    assert [(error["path"], error["extensions"]["code"]) for error in body["errors"]] == [
        (["_entities", 4], "FORBIDDEN")
    ]
    without = replace(anna, scopes=frozenset())
    body = json.loads(await proof.answer(text, {"all": both}, without))
    assert body["data"] in (None, {"_entities": [None] * len(both)})
    assert {error["extensions"]["code"] for error in body["errors"]} == {"FORBIDDEN"}


@pytest.mark.parametrize(("place", "argument"), list(id_arguments(SCHEMA)), ids=str)
async def test_every_argument_with_an_id_takes_foreign_and_unknown_alike(
    proof: Proof, drawn_from: Pools, place: Place, argument: str
) -> None:
    here, there = proof.world.site("aster"), closed(proof)
    strange = [id_ for tag in TABLES for id_ in ids_of(there, tag)[:3]]
    strange += [encode_id(NodeId(tag, here.id, UUID(int=9))) for tag in TABLES] + list(forgeries(proof))[::9]
    text = asked_on(place, "$id: ID!", argument)
    for viewer in ("carla", "anna"):
        own = owners(proof, place, viewer)
        answers = {await proof.answer(text, {"id": id_, "own": own}, VIEWERS[viewer]) for id_ in strange}
        assert len(answers) == 1
        assert CLOSED.secret.encode() not in answers.pop()


def owners(proof: Proof, place: Place, viewer: str) -> list[str]:
    """The ids of things on `aster`, or of the viewer's own, on which the field is."""
    site = proof.world.site("aster")
    tag = tag_of(SCHEMA, place.owner) if place.owner.name not in ("Query", "Viewer") else "S"
    if tag == "A" or tag in OF_ACCOUNTS:
        return own_ids(proof, viewer, tag)
    return ids_of(site, tag)[:100] if tag in TABLES else [encode_id(NodeId("S", PLATFORM_ID, site.id))]


def asked_on(place: Place, variable: str, arguments: str) -> str:
    """A document that asks a field with these arguments: at the root, of the viewer, or of the nodes `$own`."""
    named = get_named_type(place.definition.type)
    below = "" if is_leaf_type(named) else "{ __typename }"
    if "first" in place.definition.args:
        below = "{ totalCount edges { cursor node { id } } }"
    asked = f"{place.name}({arguments}) {below}"
    if place.owner.name == "Viewer":
        asked = f"viewer {{ {asked} }}"
    if place.owner.name in ("Query", "Viewer"):
        return f"query ({variable}, $own: [ID!]! = []) {{ {asked} own: nodes(ids: $own) {{ id }} }}"
    return f"query ({variable}, $own: [ID!]!) {{ nodes(ids: $own) {{ ... on {place.owner.name} {{ {asked} }} }} }}"


@pytest.mark.parametrize("bound", ["after", "before"])
@pytest.mark.parametrize("place", lists(SCHEMA), ids=str)
async def test_a_cursor_opens_its_own_list_only(proof: Proof, drawn_from: Pools, place: Place, bound: str) -> None:
    """Cursors of the closed site, of another order, of another list, tampered ones: each an error with its field."""
    own = owners(proof, place, "anna")
    fixed = 'query: "gemeente", ' if "query" in place.definition.args else ""
    text = asked_on(place, "$cursor: String", f"{fixed}{bound}: $cursor")
    for cursor in strange_cursors(proof, drawn_from, place):
        viewer = VIEWERS[who_sees(str(place), "anna")]
        body = json.loads(await proof.answer(text, {"cursor": cursor, "own": own}, viewer))
        assert body.get("errors"), cursor
        for error in body["errors"]:
            assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": bound}
            assert error["path"][-1] == place.name


def strange_cursors(proof: Proof, drawn_from: Pools, place: Place) -> Iterator[str]:
    """Cursors that are not this list's on `aster` in its first order."""
    tag = place.owner.name if place.owner.name in ("Query", "Viewer") else tag_of(SCHEMA, place.owner)
    name = f"{tag}.{place.name}"
    on_platform = place.owner.name in ("Query", "Viewer") or tag == "A" or tag in OF_ACCOUNTS
    site = PLATFORM_ID if on_platform else proof.world.site("aster").id
    other_site = proof.world.site("aster").id if on_platform else closed(proof).id
    ordering = place.definition.args.get("orderBy")
    orders = list(get_nullable_type(ordering.type).values) if ordering else ["OLDEST"]  # type: ignore[union-attr]
    order = orders[0]
    row, value = UUID(int=3), "1709254799500000"

    def sealed(tenant_id: UUID, list_name: str, order_name: str) -> str:
        return encode_cursor(cursor_key(secret(proof), tenant_id, list_name, order_name), row, value)

    real = sealed(site, name, order)
    yield sealed(other_site, name, order)
    yield from (sealed(site, name, other) for other in [*orders[1:], "NONE"])
    yield from (sealed(site, other, order) for other in drawn_from.cursors if other != name)
    yield encode_cursor(cursor_key(b"another secret", site, name, order), row, value)
    yield from (flip(real, place_, 0) for place_ in range(0, len(real), 5))
    yield from (real[:-1], real[1:], real + "A", real + "=", "", "x", real.swapcase(), "é", " " + real)


@pytest.mark.parametrize("viewer", OUTSIDERS)
async def test_nothing_that_is_only_there_ever_comes(proof: Proof, drawn_from: Pools, viewer: str) -> None:
    """Everything that can be asked from every start, four steps deep (a list and its nodes are one)."""
    for text, variables in everything_from_everywhere(proof, drawn_from):
        if VIEWERS[viewer].is_operator and any(each in text for each in OF_THE_SQUARE):
            continue
        body = await proof.answer(text, variables, VIEWERS[viewer], CLOSED.slug)
        assert CLOSED.secret.encode() not in body
        assert closed(proof).id.hex.encode() not in body


async def test_the_secrets_are_there_to_be_found(proof: Proof, drawn_from: Pools) -> None:
    """The same documents show them to who belongs there; else the test above would prove nothing."""
    found = [
        CLOSED.secret.encode() in await proof.answer(text, variables, VIEWERS["mies"], CLOSED.slug)
        for text, variables in everything_from_everywhere(proof, drawn_from)
    ]
    assert sum(found) > len(found) / 2


def everything_from_everywhere(proof: Proof, drawn_from: Pools) -> Iterator[tuple[str, dict[str, Any]]]:
    """Documents that select all there is: from the root, from nodes of every type, and by search."""
    root = SCHEMA.query_type
    assert root is not None
    here = {"of": "aster"}, {"of": CLOSED.slug}
    for name, definition in root.fields.items():
        named = get_named_type(definition.type)
        needed = [each for each, argument in definition.args.items() if isinstance(argument.type, GraphQLNonNull)]
        if not needed:
            first = "(first: 100)" if "first" in definition.args else ""
            yield f"{{ {name}{first} {everything(SCHEMA, named, 2, 20)} }}", {}
    for word in ("gemeente", "zwijg beuk", "besluit or water or fietspad"):
        below = everything(SCHEMA, get_named_type(root.fields["search"].type), 1, 20)
        yield f"query ($q: String!) {{ search(query: $q, first: 100) {below} }}", {"q": word}
    for each in here:
        text = f"query ($of: String!) {{ site(slug: $of) {everything(SCHEMA, SCHEMA.type_map['Site'], 3, 5)} }}"
        yield text, each
    for type_ in node_types(SCHEMA):
        ids = drawn_from.ids_by_tag[tag_of(SCHEMA, type_)]
        text = (
            f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {type_.name} {everything(SCHEMA, type_, 2, 2)} }} }}"
        )
        for start in range(0, len(ids), 100):
            yield text, {"ids": list(ids[start : start + 100])}
        below = f"... on {type_.name} {everything(SCHEMA, type_, 2, 2)}"
        text = f"query ($all: [_Any!]!) {{ _entities(representations: $all) {{ {below} }} }}"
        yield text, {"all": [{"__typename": type_.name, "id": id_} for id_ in ids[:1000]]}


# --- with the policy taken out ---------------------------------------------------------------------------------------


def without_policy() -> Catalogue:
    """The catalogue as it would be if every policy let everybody through: what is left is the database itself."""
    real = catalogue_of(SCHEMA)
    opened: dict[int, Any] = {}

    def open_source(source: Any) -> Any:
        if isinstance(source, Source):
            opened.setdefault(id(source), replace(source, policy=policy.everyone))
        return opened.get(id(source), source)

    def open_binding(binding: Any) -> Any:
        match binding:
            case One() | Connected():
                return replace(binding, policy=policy.everyone)
            case Either(_, (first, one), (other, another)):
                return replace(binding, first=(first, open_binding(one)), other=(other, open_binding(another)))
        return binding

    sources = {name: open_source(source) for name, source in real.sources.items()}
    bindings = {key: open_binding(binding) for key, binding in real.bindings.items()}
    return replace(real, sources=sources, bindings=bindings)


def whole_site(proof: Proof) -> tuple[Statement, list[bytes | None], str]:
    """Everything of the site `aster` without any policy: the statement under its role, and its schema's name."""
    text = """{ site(slug: "aster") { id slug
        content(first: 100) { totalCount edges { node {
            id title author { id account { id } } comments { edges { node { id } } } } } }
        groups { totalCount edges { node { id name members { edges { node { id } } } } } }
        members(first: 100) { totalCount edges { node { id } } } } }"""
    document = proof.square.documents.get(text)
    operation = Operation(SCHEMA, {}, {})
    assert SCHEMA.query_type is not None
    (selected,) = collect(operation, SCHEMA.query_type, (document.operation(None).node.selection_set,))
    part = Compiler(operation, without_policy()).site(selected.selection_sets, (selected.key,), (True,))
    site = proof.world.site("aster")
    call = Call({}, None, secret(proof))
    parameters = [getter(call, site.id) for getter in part.getters]
    schema = site.row["schema_name"]
    return Statement(part.text.replace(f'"{TENANT}"', f'"{schema}"'), site.row["role_name"]), parameters, schema


async def test_without_policy_a_sites_role_shows_that_site_only(proof: Proof) -> None:
    """All of it comes, deleted and private items included, and nothing of any other site."""
    statement, parameters, _ = whole_site(proof)
    ((_, body),) = await proof.square.reader.fetch(statement, parameters)
    site, answered = proof.world.site("aster"), json.loads(body or b"")
    counted = {name: answered[name]["totalCount"] for name in ("content", "groups", "members")}
    assert counted == {"content": len(site.content), "groups": len(site.group), "members": len(site.member)}
    assert CLOSED.secret not in json.dumps(answered)
    for node in map(decode_id, found_ids(answered)):
        assert node is not None
        assert node.tenant_id in (site.id, PLATFORM_ID)
        if node.tag in TABLES:
            assert site.find(*TABLES[node.tag], node.key)


def found_ids(value: Any) -> Iterator[str]:
    """Every id in an answer."""
    if isinstance(value, dict):
        yield from (item for key, item in value.items() if key == "id")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from found_ids(item)


async def test_a_sites_role_cannot_name_another_site_or_the_platform(proof: Proof) -> None:
    statement, parameters, schema = whole_site(proof)
    for other in (closed(proof).row["schema_name"], "platform"):
        text = statement.text.replace(f'"{schema}"', f'"{other}"')
        await refused(proof, Statement(text, statement.role), parameters)
    for table in ("member", "group", "group_member", "content", "comment", "reaction", "site", "person", "membership"):
        text = f'SELECT * FROM "{closed(proof).row["schema_name"]}"."{table}"'
        await refused(proof, Statement(text, statement.role), [])
        await refused(proof, Statement(text, proof.square.registry.platform_role), [])
    for table in ("tenant", "account", "membership", "activity", "ceiling", "identity", "request", "host"):
        await refused(proof, Statement(f'SELECT * FROM platform."{table}"', statement.role), [])


async def refused(proof: Proof, statement: Statement, parameters: list[bytes | None]) -> None:
    """The database itself says no."""
    with pytest.raises(StatementFailed) as caught:
        await proof.square.reader.fetch(statement, parameters)
    assert caught.value.sqlstate == "42501"


async def test_windows_on_the_platform_show_one_sites_rows(proof: Proof) -> None:
    site = proof.world.site("aster")
    schema, role = site.row["schema_name"], site.row["role_name"]
    for window, column in (
        ("site", "id"),
        ("membership", "tenant_id"),
        ("activity", "tenant_id"),
        ("ceiling", "tenant_id"),
    ):
        rows = await proof.square.reader.fetch(
            Statement(f'SELECT DISTINCT {column} FROM "{schema}"."{window}"', role), []
        )
        assert rows == [(str(site.id).encode(),)]
    people = await proof.square.reader.fetch(Statement(f'SELECT id FROM "{schema}".person', role), [])
    assert {UUID((row[0] or b"").decode()) for row in people} == {row["account_id"] for row in site.member}
