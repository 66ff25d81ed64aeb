"""How many statements reach Postgres: one per site that is touched, whatever the rows, the pages and the depth.

Counted at the reader, and once on the wire itself. The register knows the sites already, as it does in a gateway that
has been up for a minute.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from graphql import GraphQLInterfaceType

from gateway.documents import Prepared
from schema.relay import PLATFORM_ID, NodeId, encode_id
from schema.root import graphql_schema
from tenants.reader import Statement
from tests.generate.documents import anything
from tests.generate.everything import Place, everything, lists, tag_of
from tests.oracle.counting import noting, wired
from tests.oracle.people import VIEWERS
from tests.oracle.proof import Proof
from tests.oracle.strangers import OF_ACCOUNTS, own_ids

SCHEMA = graphql_schema()
SITE = UUID(int=9)
"""The key of nothing."""

ACROSS = ("Query", "Viewer")
"""Types whose lists ask each site on the page."""

NOTHING_GAINED = "nothing gained"

Noted = tuple[Proof, list[Statement]]


@pytest_asyncio.fixture(scope="module")
async def noted(proof: Proof) -> AsyncIterator[Noted]:
    """The proof, and a list that its statements are added to."""
    async with noting(proof) as both:
        yield both


async def asked(noted: Noted, text: str, viewer: str = "anna", here: str | None = None) -> Counter[str]:
    """The statements of a document: how many on the platform, and on each site."""
    proof, statements = noted
    statements.clear()
    body = json.loads(await proof.answer(text, {}, VIEWERS[viewer], here))
    assert body["data"] is not None
    names = {site.row["role_name"]: site.row["slug"] for site in proof.world.sites.values()}
    return Counter(names.get(statement.role, "platform") for statement in statements)


def sites_of(proof: Proof, viewer: str) -> list[str]:
    """The sites that a viewer is a member of."""
    me = VIEWERS[viewer].account_id
    return [
        site.row["slug"]
        for site in proof.world.sites.values()
        if any(row["account_id"] == me and row["left_at"] is None for row in site.member)
    ]


@pytest.mark.parametrize("below", ["", "first: 1", "first: 100", "last: 100", 'filter: {title: "e"}, orderBy: TITLE'])
async def test_a_site_is_one_statement(noted: Noted, below: str) -> None:
    arguments = f"({below})" if below else ""
    text = f"""{{ site(slug: "aster") {{ name content{arguments} {{ totalCount pageInfo {{ endCursor }} edges {{ node {{
        title author {{ account {{ name }} }} group {{ members {{ edges {{ node {{ role }} }} }} }}
        comments {{ edges {{ node {{ replies {{ edges {{ node {{ body }} }} }} }} }} }} }} }} }} }} }}"""
    assert await asked(noted, text) == {"aster": 1}


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
async def test_depth_costs_nothing(noted: Noted, depth: int) -> None:
    text = f'{{ site(slug: "aster") {everything(SCHEMA, SCHEMA.type_map["Site"], depth, 2)} }}'
    assert await asked(noted, text) == {"aster": 1}


async def test_the_host_that_was_asked_is_one_statement(noted: Noted) -> None:
    assert await asked(noted, "{ site { name memberCount } }", here="aster") == {"aster": 1}


async def test_a_suspended_site_is_asked_again_without_what_it_does_not_answer(noted: Noted) -> None:
    assert await asked(noted, '{ site(slug: "eik") { name viewerMembership { role } } }') == {"eik": 2}


@pytest.mark.parametrize("place", [each for each in lists(SCHEMA) if each.owner.name not in ACROSS], ids=str)
async def test_page_size_costs_nothing(noted: Noted, place: Place) -> None:
    """One row or a hundred, on every list of one site, or of what hangs on one's account."""
    proof, _ = noted
    tag, site = tag_of(SCHEMA, place.owner), proof.world.site("aster")
    if tag == "A" or tag in OF_ACCOUNTS:
        for size in (1, 100):
            below = f"{place.name}(first: {size}) {{ edges {{ node {{ id }} }} }}"
            ids = json.dumps(own_ids(proof, "anna", tag))
            text = f"{{ nodes(ids: {ids}) {{ ... on {place.owner.name} {{ {below} }} }} }}"
            assert await asked(noted, text) == {"platform": 1}
        return
    table, key = {"S": ("", ""), "G": ("group", "id"), "C": ("content", "id"), "K": ("comment", "id")}[tag]
    ids = [encode_id(NodeId(tag, site.id, row[key])) for row in getattr(site, table)] if table else []
    ids = ids[:100] or [encode_id(NodeId("S", PLATFORM_ID, site.id))]
    for size in (1, 100):
        below = f"{place.name}(first: {size}) {{ edges {{ node {{ id }} }} }}"
        text = f"{{ nodes(ids: {json.dumps(ids)}) {{ ... on {place.owner.name} {{ {below} }} }} }}"
        assert await asked(noted, text) == {"aster": 1}


@pytest.mark.parametrize("viewer", ["karin", "anna", "noor", "joost", "anonymous"])
async def test_the_viewers_sites_are_one_statement_and_one_each(noted: Noted, viewer: str) -> None:
    """`1 + K`, with K the sites on the page; none but the first if nobody asks what only the sites know."""
    mine = sites_of(noted[0], viewer)
    below = "edges { node { name memberCount content(first: 3) { edges { node { title } } } members { totalCount } } }"
    assert await asked(noted, f"{{ viewer {{ sites {{ {below} }} }} }}", viewer) == {
        "platform": 1,
        **dict.fromkeys(mine, 1),
    }
    own = "account { name } sites { totalCount edges { cursor node { name slug access state } } }"
    assert await asked(noted, f"{{ viewer {{ {own} }} }}", viewer) == {"platform": 1}


async def test_sites_on_the_page_are_asked_and_no_others(noted: Noted) -> None:
    counted = await asked(noted, "{ sites(first: 2) { totalCount edges { node { memberCount } } } }")
    assert counted["platform"] == 1
    assert sum(counted.values()) == 3
    assert set(counted.values()) == {1}


@pytest.mark.parametrize("size", [1, 5, 100])
async def test_the_feed_is_one_statement_and_one_for_each_site_on_the_page(noted: Noted, size: int) -> None:
    proof, statements = noted
    below = "edges { cursor node { title site { slug } } } pageInfo { hasNextPage }"
    text = f"{{ feed(first: {size}) {{ {below} }} }}"
    page = json.loads(await proof.answer(text, {}, VIEWERS["karin"]))["data"]["feed"]["edges"]
    there = {edge["node"]["site"]["slug"] for edge in page}
    statements.clear()
    assert await asked(noted, text, "karin") == {"platform": 1, **dict.fromkeys(there, 1)}
    assert await asked(noted, f"{{ feed(first: {size}) {{ edges {{ cursor }} }} }}", "karin") == {"platform": 1}
    assert await asked(noted, "{ feed { totalCount edges { cursor } } }", "karin") == {"platform": 2}


@pytest.mark.parametrize("size", [1, 100])
async def test_search_asks_each_site_once_and_those_on_the_page_again(noted: Noted, size: int) -> None:
    proof, _ = noted
    text = f'{{ search(query: "gemeente", first: {size}) {{ edges {{ node {{ title site {{ slug }} }} }} }} }}'
    page = json.loads(await proof.answer(text, {}, VIEWERS["karin"]))["data"]["search"]["edges"]
    there = Counter({edge["node"]["site"]["slug"] for edge in page})
    mine = Counter(site for site in sites_of(proof, "karin") if proof.world.site(site).is_active)
    assert await asked(noted, text, "karin") == Counter({"platform": 1}) + mine + there


async def test_nodes_are_one_statement_per_site_whatever_their_types(noted: Noted) -> None:
    proof, _ = noted
    ids = []
    for slug in ("aster", "ceder", "den"):
        site = proof.world.site(slug)
        ids += [encode_id(NodeId("C", site.id, row["id"])) for row in site.content[:9]]
        ids += [encode_id(NodeId("K", site.id, row["id"])) for row in site.comment[:9]]
        ids += [encode_id(NodeId("G", site.id, row["id"])) for row in site.group]
        ids += [encode_id(NodeId("M", site.id, row["account_id"])) for row in site.member[:9]]
    node = SCHEMA.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    text = f"{{ nodes(ids: {json.dumps(ids)}) {everything(SCHEMA, node, 0)} }}"
    assert await asked(noted, text) == {"aster": 1, "ceder": 1, "den": 1}
    for id_ in ids[::8]:
        assert sum((await asked(noted, f'{{ node(id: "{id_}") {{ id }} }}')).values()) == 1


async def test_ids_of_nowhere_ask_no_site(noted: Noted) -> None:
    assert await asked(noted, '{ node(id: "x") { id } nodes(ids: ["", "AAAA"]) { id } }') == {}


def references(proof: Proof, *slugs: str) -> list[dict[str, Any]]:
    """Representations of things of every type with ids on these sites, and of the sites themselves."""
    found: list[dict[str, Any]] = []
    for slug in slugs:
        site = proof.world.site(slug)
        own = encode_id(NodeId("S", PLATFORM_ID, site.id))
        found += [{"__typename": "Site", "id": own}, {"__typename": "Site", "slug": slug}] * 3
        for name, tag, rows, key in (
            ("Member", "M", site.member, "account_id"),
            ("Group", "G", site.group, "id"),
            ("Comment", "K", site.comment, "id"),
            ("Content", "C", site.content, "id"),
            ("Blog", "C", site.content, "id"),
        ):
            found += [{"__typename": name, "id": encode_id(NodeId(tag, site.id, row[key]))} for row in rows[:40]]
        for row in site.member[:40]:
            person = encode_id(NodeId("A", PLATFORM_ID, row["account_id"]))
            found.append({"__typename": "Member", "site": {"id": own}, "account": {"id": person}})
    return found


@pytest.mark.parametrize("type_name", ["Site", "Member", "Group", "Comment", "Content", "Blog"])
async def test_entities_are_one_statement_per_type_key_and_site(noted: Noted, type_name: str) -> None:
    """However many, in whatever order, and however much is asked of each."""
    proof, _ = noted
    slugs = ("aster", "ceder", "den")
    given = [each for each in references(proof, *slugs) if each["__typename"] == type_name]
    keys = len({tuple(each) for each in given})
    for some in (given, given[::-1], given[::3]):
        below = f"... on {type_name} {everything(SCHEMA, SCHEMA.type_map[type_name], 1)}"
        text = f"{{ _entities(representations: {anything(some)}) {{ {below} }} }}"
        assert await asked(noted, text) == dict.fromkeys(slugs, keys)


async def test_entities_of_all_types_in_one_request(noted: Noted) -> None:
    proof, _ = noted
    slugs = ("aster", "ceder", "den")
    person = {"__typename": "Account", "id": encode_id(NodeId("A", PLATFORM_ID, VIEWERS["anna"].account_id or SITE))}
    given = [*references(proof, *slugs), person, person, {"__typename": "Group", "id": "x"}]
    text = f"{{ _entities(representations: {anything(given)}) {{ __typename }} }}"
    assert await asked(noted, text) == {"platform": 1, **dict.fromkeys(slugs, 8)}


async def test_representations_of_nothing_ask_no_site(noted: Noted) -> None:
    nowhere = [{"__typename": "Blog", "id": "x"}, {"__typename": "Site", "slug": "NO"}]
    text = f"{{ _entities(representations: {anything(nowhere)}) {{ __typename }} }}"
    assert await asked(noted, text) == {}


async def test_unknown_sites_are_one_look_at_the_register(noted: Noted) -> None:
    """By slug and by id, however many."""
    named = [{"__typename": "Site", "slug": f"niets-{n}"} for n in range(50)]
    numbered = [{"__typename": "Group", "id": encode_id(NodeId("G", UUID(int=n + 1), SITE))} for n in range(50)]
    text = f"{{ _entities(representations: {anything([*named, *numbered])}) {{ __typename }} }}"
    assert await asked(noted, text) == {"platform": 2}


async def test_the_wire_carries_what_was_counted(proof: Proof) -> None:
    """Every statement is one request on the wire, with one change of role and one end: a round trip of its own."""
    async with wired(proof.world.url) as (url, wire), noting(proof, url) as both:
        wire.syncs = wire.roles = 0
        below = "edges { node { memberCount content(first: 3) { edges { node { title } } } } }"
        counted = await asked(
            both, f"{{ viewer {{ sites {{ {below} }} }} feed {{ edges {{ node {{ title }} }} }} }}", "karin"
        )
        assert (wire.syncs, wire.roles) == (sum(counted.values()),) * 2


@pytest.mark.parametrize(
    ("whole", "late"),
    [
        ("viewer {{ sites {{ edges {{ node {{ name {0} {{ memberCount content {{ totalCount }} }} }} }} }} }}", "node"),
        (
            "viewer {{ sites {{ edges {{ node {{ memberCount {0} {{ content {{ totalCount }} }} }} }} }} }}",
            NOTHING_GAINED,
        ),
        ("viewer {{ {0} {{ sites {{ edges {{ node {{ memberCount }} }} }} }} }} sites {{ totalCount }}", "viewer"),
        ("feed(first: 9) {{ {0} {{ totalCount }} edges {{ cursor {0} {{ node {{ title }} }} }} }}", "feed"),
        ('search(query: "gemeente") {{ edges {{ cursor {0} {{ node {{ title }} }} }} }}', "search"),
        (
            "{0} {{ feed {{ edges {{ node {{ id }} }} }} }} {0} {{ sites {{ edges {{ node {{ memberCount }} }} }} }}",
            "root",
        ),
        ("viewer {{ sites {{ edges {1} {{ node {{ memberCount }} }} }} }}", "streamed sites"),
        ("feed {{ edges {1} {{ node {{ title {0} {{ body }} }} }} }}", "streamed feed"),
    ],
)
@pytest.mark.parametrize("viewer", ["karin", "anna"])
async def test_parts_cost_no_more_statements(noted: Noted, whole: str, late: str, viewer: str) -> None:
    """As many as without `@defer` and `@stream`, on the same sites."""
    proof, statements = noted
    names = {site.row["role_name"]: site.row["slug"] for site in proof.world.sites.values()}
    expected = await asked(noted, f"{{ {whole.format('...', '')} }}", viewer)
    statements.clear()
    text = f"{{ {whole.format('... @defer', '@stream(initialCount: 1)')} }}"
    payloads = await proof.parts(text, {}, VIEWERS[viewer])
    assert Counter(names.get(statement.role, "platform") for statement in statements) == expected
    assert (len(payloads) > 1) is (late != NOTHING_GAINED)


async def test_parts_are_not_made_ahead_of_who_takes_them_slowly(noted: Noted) -> None:
    """While the first part is not taken, only as many sites are asked as there are connections."""
    proof, statements = noted
    square = proof.square
    document = square.documents.get("{ viewer { sites { edges { node { name ... @defer { memberCount } } } } } }")
    statements.clear()
    payloads = square.deliver(square, Prepared(document, document.operation(None), {}), VIEWERS["anna"], None)
    first = await anext(payloads)
    assert isinstance(first, dict)
    assert len(first["pending"]) > 3
    await asyncio.sleep(0.2)
    assert len(statements) == 1 + 2
    assert len([each async for each in payloads]) > 1
    assert len(statements) == 1 + len(first["pending"])
