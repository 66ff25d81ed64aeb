"""The compiled answer is the answer: every document means what graphql-core on naive resolvers says it means.

Documents are drawn from the schema itself. An ordinary run draws the same few hundred each time; with `PLEIN_NIGHTLY=1`
it draws thousands of new ones. A failing document is shrunk and printed with its viewer and variables.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from graphql import parse, validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from auth.viewer import Viewer
from schema.relay import NodeId, encode_id
from schema.root import graphql_schema
from tests.conftest import CreateDatabase
from tests.generate.documents import requests
from tests.generate.everything import Place, everything, lists, node_types, tag_of
from tests.generate.values import REFERRED, Pools, pools
from tests.oracle.oracle import differences
from tests.oracle.people import ACCOUNT_IDS, COMMUNITIES, VIEWERS, who_sees
from tests.oracle.proof import Proof, running_proof

NIGHTLY = os.environ.get("PLEIN_NIGHTLY") == "1"
EXAMPLES = 2_500 if NIGHTLY else 250
HERE = st.sampled_from([None, None, *(each.slug for each in COMMUNITIES), "niets"])
"""The site whose host was asked."""

SIZES = (1, 3, 7) if NIGHTLY else (3,)
"""Of the pages in which lists are walked."""

SCHEMA = graphql_schema()
SEVERAL = ("anonymous", "joost", "anna", "bram", "els", "fatima", "gijs", "iris", "karin", "lars", "noor", "otto")
WHO_SEES_MOST = "anna"


@pytest.fixture(scope="session")
def drawn_from(proof: Proof) -> Pools:
    """Ids and cursors of everything there is."""
    return pools(proof.world, proof.square.settings.secret.encode())


@settings(
    max_examples=EXAMPLES,
    derandomize=not NIGHTLY,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)
@given(data=st.data())
async def test_a_drawn_document(proof: Proof, drawn_from: Pools, data: st.DataObject) -> None:
    """Twice at the same time, with other variables and by another viewer: what is compiled once serves both."""
    viewers, here = st.sampled_from(sorted(VIEWERS)), data.draw(HERE)
    first, second = data.draw(viewers), data.draw(viewers)
    request = data.draw(requests(SCHEMA, drawn_from))
    assert validate(SCHEMA, parse(request.text)) == []
    calls = ((request.variables, first), (request.others, second))
    bodies = await asyncio.gather(
        *(proof.answer(request.text, variables, VIEWERS[viewer], here) for variables, viewer in calls)
    )
    for (variables, viewer), body in zip(calls, bodies, strict=True):
        found = differences(proof.expect(request.text, variables, VIEWERS[viewer], here), body)
        assert not found, "\n".join([f"viewer {viewer}, here {here}", request.text, str(variables), *found])


@pytest.mark.parametrize("viewer", SEVERAL)
@pytest.mark.parametrize("type_", node_types(SCHEMA), ids=str)
async def test_every_field_of_a_type(proof: Proof, drawn_from: Pools, type_: Any, viewer: str) -> None:
    """Everything that hangs on things of this type, those of all sites, also the ones not to be seen."""
    ids = drawn_from.ids_by_tag[tag_of(SCHEMA, type_)]
    chosen = ids[:: max(1, len(ids) // 30)]
    document = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {type_.name} {everything(SCHEMA, type_, 1)} }} }}"
    assert await proof.differences(document, {"ids": list(chosen)}, viewer) == []


@pytest.mark.parametrize("viewer", SEVERAL)
@pytest.mark.parametrize("type_name", [*REFERRED, "Content"])
async def test_things_that_other_services_refer_to(
    proof: Proof, drawn_from: Pools, type_name: str, viewer: str
) -> None:
    """By every key, on all sites at once: those that may be seen and those that may not, and ids of other types."""
    tag = REFERRED.get(type_name, "C")
    ids = drawn_from.ids_by_tag[tag]
    strange = [each[0] for each in drawn_from.ids_by_tag.values()]
    given = [{"__typename": type_name, "id": id_} for id_ in (*ids[:900], *strange)]
    if type_name == "Site":
        given += [{"__typename": "Site", "slug": slug} for slug in (*drawn_from.slugs, "niets")]
    if type_name == "Member":
        sites, accounts = drawn_from.ids_by_tag["S"], drawn_from.ids_by_tag["A"]
        given += [
            {"__typename": "Member", "site": {"id": site}, "account": {"id": account}}
            for site in sites
            for account in accounts[::2]
        ]
    below = everything(SCHEMA, SCHEMA.type_map[type_name], 1)
    document = f"query ($all: [_Any!]!) {{ _entities(representations: $all) {{ ... on {type_name} {below} }} }}"
    assert await proof.differences(document, {"all": given}, viewer) == []


@pytest.mark.parametrize("type_name", [*REFERRED, "Content"])
async def test_things_of_every_type_are_there_to_be_referred_to(
    proof: Proof, drawn_from: Pools, type_name: str
) -> None:
    """Somebody sees some of each; else the test above would prove nothing."""
    given = [{"__typename": type_name, "id": id_} for id_ in drawn_from.ids_by_tag[REFERRED.get(type_name, "C")][:900]]
    document = "query ($all: [_Any!]!) { _entities(representations: $all) { __typename } }"
    answers = [await proof.answer(document, {"all": given}, viewer) for viewer in VIEWERS.values()]
    assert any(any((json.loads(answer)["data"] or {"_entities": []})["_entities"]) for answer in answers)


@pytest.mark.parametrize("viewer", SEVERAL)
@pytest.mark.parametrize("site", [each.slug for each in COMMUNITIES])
async def test_everything_from_the_root(proof: Proof, site: str, viewer: str) -> None:
    root = SCHEMA.query_type
    assert root is not None
    assert await proof.differences(f"{everything(SCHEMA, root, 2)}", {}, viewer, site) == []


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("place", lists(SCHEMA), ids=str)
async def test_a_list_walked_page_by_page(proof: Proof, drawn_from: Pools, place: Place, backward: bool) -> None:
    """Pages of every size, in every order, add up to the list; each page is what the oracle says."""
    fixed = 'query: "de gemeente or besluit", ' if "query" in place.definition.args else ""
    ordering = place.definition.args.get("orderBy")
    orders = sorted(ordering.type.values) if ordering else [None]  # type: ignore[attr-defined]
    owner = await fullest(proof, drawn_from, place, fixed)
    for order in orders:
        given_ = fixed + (f"orderBy: {order}, " if order else "")
        whole, more, _ = await page(proof, place, owner, f"{given_}first: 100, after: $cursor", None)
        assert not more
        for size in SIZES:
            way, beyond = ("last", "before") if backward else ("first", "after")
            walked: list[str] = []
            more, cursor = True, None
            while more:
                step = f"{given_}{way}: {size}, {beyond}: $cursor"
                edges, more, cursor = await page(proof, place, owner, step, cursor)
                walked = edges + walked if backward else walked + edges
            assert walked == whole


async def fullest(proof: Proof, drawn_from: Pools, place: Place, fixed: str) -> str:
    """The id of the thing on which the list is longest, or nothing for a list of the root's."""
    if place.owner.name in ("Query", "Viewer"):
        return ""
    ids = drawn_from.ids_by_tag[tag_of(SCHEMA, place.owner)]
    best = (-1, "")
    for start in range(0, len(ids), 100):
        wanted = f"nodes(ids: {json.dumps(ids[start : start + 100])}) {{ id ... on {place.owner.name}"
        body = await proof.answer(f"{{ {wanted} {{ list: {place.name} {{ totalCount }} }} }} }}", {}, owner_viewer())
        found = json.loads(body)["data"]["nodes"]
        best = max(best, *((each["list"]["totalCount"], each["id"]) for each in found if each and each.get("list")))
    assert best[0] > 0, f"the data has no {place}"
    return best[1]


def owner_viewer(place: Place | None = None) -> Viewer:
    """The account that owns most sites; for what is for operators, one of those."""
    return VIEWERS[who_sees(str(place), WHO_SEES_MOST)]


async def page(
    proof: Proof, place: Place, owner: str, arguments: str, cursor: str | None
) -> tuple[list[str], bool, str | None]:
    """The cursors on a page, whether there is more in its direction, and where it goes on; the oracle must agree."""
    wanted = "totalCount edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
    asked = f"list: {place.name}({arguments}) {{ {wanted} }}"
    below = {"Query": asked, "Viewer": f"on: viewer {{ {asked} }}"}.get(
        place.owner.name, f'on: node(id: "{owner}") {{ ... on {place.owner.name} {{ {asked} }} }}'
    )
    text = f"query ($cursor: String) {{ {below} }}"
    body = await proof.answer(text, {"cursor": cursor}, owner_viewer(place))
    assert differences(proof.expect(text, {"cursor": cursor}, owner_viewer(place)), body) == []
    data = json.loads(body)["data"]
    got = data.get("on", data)["list"]
    info = got["pageInfo"]
    more, end = ("hasPreviousPage", "startCursor") if "last:" in arguments else ("hasNextPage", "endCursor")
    return [each["cursor"] for each in got["edges"]], info[more], info[end]


@pytest_asyncio.fixture(scope="module")
async def with_broken_site(create_database: CreateDatabase, empty_square: str) -> Any:
    """A square of its own on which one site's content table is gone."""
    url = create_database(empty_square)
    async with running_proof(url) as proof:
        pools(proof.world, proof.square.settings.secret.encode())  # searches once, while everything is there
        schema = proof.world.site("ceder").row["schema_name"]
        with psycopg.connect(url) as connection:
            connection.execute(sql.SQL("ALTER TABLE {}.content RENAME TO gone").format(sql.Identifier(schema)))
        yield proof


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("{ viewer { sites { edges { node { slug content(first: 2) { edges { node { title } } } } } } } }", "sites"),
        ("{ sites { edges { node { slug commentless: content { totalCount } } } } }", "sites"),
    ],
)
async def test_a_broken_site_fails_alone(with_broken_site: Proof, document: str, place: str) -> None:
    """Null and one error for what hangs on it; the others answer as ever."""
    answered = json.loads(await with_broken_site.answer(document, {}, owner_viewer()))
    expected = with_broken_site.expect(document, {}, owner_viewer()).data
    data, wanted = answered["data"], expected
    while place not in data:
        data, wanted = data["viewer"], wanted["viewer"]
    edges, wanted_edges = data[place]["edges"], wanted[place]["edges"]
    broken = [number for number, edge in enumerate(wanted_edges) if edge["node"] and edge["node"]["slug"] == "ceder"]
    assert [
        number for number, (edge, other) in enumerate(zip(edges, wanted_edges, strict=True)) if edge != other
    ] == broken
    assert edges[broken[0]]["node"] is None
    errors = [error for error in answered["errors"] if error["extensions"]["code"] != "SITE_SUSPENDED"]
    assert [(error["path"][-3:-1], error["extensions"]["code"]) for error in errors] == [
        ([broken[0], "node"], "INTERNAL_SERVER_ERROR")
    ]
    assert "gone" not in json.dumps(errors)
    assert "ceder" not in json.dumps(errors)


async def test_a_broken_site_among_nodes_and_feed(with_broken_site: Proof) -> None:
    """By id it fails for itself; in the feed and in search the other sites' items come."""
    world = with_broken_site.world
    drawn = pools(world, with_broken_site.square.settings.secret.encode())
    here, there = world.site("ceder"), world.site("aster")
    ids = [
        next(id_ for id_ in drawn.ids_by_tag["C"] if id_.endswith(row["id"].hex))
        for row in (here.content[0], there.content[0])
    ]
    answered = json.loads(
        await with_broken_site.answer("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids}, owner_viewer())
    )
    assert answered["data"]["nodes"] == [None, {"id": ids[1]}]
    assert [error["path"] for error in answered["errors"]] == [["nodes", 0]]
    feed = json.loads(
        await with_broken_site.answer("{ feed(first: 50) { edges { node { id site { slug } } } } }", {}, owner_viewer())
    )
    seen = {edge["node"]["site"]["slug"] for edge in feed["data"]["feed"]["edges"] if edge["node"]}
    assert "aster" in seen
    assert "ceder" not in seen
    search = json.loads(
        await with_broken_site.answer(
            '{ search(query: "gemeente") { edges { node { site { slug } } } } }', {}, owner_viewer()
        )
    )
    assert all(edge["node"]["site"]["slug"] != "ceder" for edge in search["data"]["search"]["edges"])
    assert search["data"]["search"]["edges"]


def test_the_proof_has_everybody_and_everything(proof: Proof) -> None:
    """What is not in the data is not proven."""
    world = proof.world
    assert {site.row["state"] for site in world.sites.values()} == {"ACTIVE", "SUSPENDED"}
    assert {row["role"] for site in world.sites.values() for row in site.member} == set(range(6))
    assert any(row["left_at"] for site in world.sites.values() for row in site.member)
    aster = world.site("aster")
    gone = {row["account_id"] for row in aster.member if row["left_at"]}
    assert gone & {row["account_id"] for row in aster.group_member}  # a place that was left behind
    assert {row["access"] for site in world.sites.values() for row in site.group} == {1, 2, 3, 4}
    assert {row["access"] for site in world.sites.values() for row in site.content} == set(range(5))
    assert {row["kind"] for row in world.site("aster").content} == {
        each.name.upper() for each in node_types(SCHEMA) if tag_of(SCHEMA, each) == "C"
    }
    assert any(row["deleted_at"] for row in world.site("aster").content)
    assert any(row["parent_id"] for row in world.site("aster").comment)
    assert set(ACCOUNT_IDS) < set(VIEWERS)


@pytest.mark.parametrize(("field", "type_"), [("nodes(ids: ", "ID"), ("_entities(representations: ", "_Any")])
async def test_two_long_fields_that_ask_one_site_at_once(proof: Proof, field: str, type_: str) -> None:
    """While one is compiled in slices, the other begins: each gets what it asked for."""
    site = proof.world.site("aster")
    ids = [encode_id(NodeId("C", site.id, row["id"])) for row in site.content[:10]]
    given = ids if type_ == "ID" else [{"__typename": "Content", "id": id_} for id_ in ids]
    below = "{ totalCount edges { cursor node { id body author { id joinedAt } } } }"
    lists = " ".join(f"a{n}: comments(first: {n % 5 + 1}) {below}" for n in range(25))
    fields = " ".join(f"{key}: {field}${key}) {{ ... on Content {{ id {lists} }} }}" for key in ("x", "y"))
    document = f"query ($x: [{type_}!]!, $y: [{type_}!]!) {{ {fields} }}"
    assert await proof.differences(document, {"x": given[:5], "y": given[5:]}, "anna") == []


BROKEN_OFF = """{{
    viewer {{
        broken: sites(after: "") {{ edges {{ node {{ memberCount }} }} }}
        sites {{ edges {{ node {{ {later}slug viewerMembership {{ id }} name memberCount }} }} }}
    }}
}}"""


async def test_a_list_that_cannot_be_read_is_not_taken_for_another(proof: Proof) -> None:
    """What the sites of the other list answer is known by its place, and the first list has none any more."""
    assert await proof.differences(BROKEN_OFF.format(later=""), {}, "anna") == []
