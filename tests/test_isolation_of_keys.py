"""A credential with scopes and sites is good for those and for nothing else, whatever its account may do.

Made from the schema: every root field, every mutation, every subscription and every field of an account is tried by
credentials that are not for it; what the schema gains is attacked from that day. `zwijg-<slug>` stands in every text
that is only on that site.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLNonNull, GraphQLObjectType, get_named_type, is_leaf_type

from auth.scopes import SQUARE_WIDE, Scope, with_included
from auth.viewer import PlatformRole, Viewer
from gateway.documents import Prepared
from gateway.live.question import read_question
from gateway.variables import coerce_variables
from schema.account import ACCOUNTS
from schema.bind import Mutates, Place, Source, needs_of
from schema.catalogue import catalogue_of
from schema.errors import PleinError
from schema.relay import PLATFORM_ID, NodeId, encode_id
from schema.root import graphql_schema
from tests.conftest import CreateDatabase
from tests.generate.everything import everything
from tests.generate.values import Pools, pools
from tests.oracle.people import COMMUNITIES, VIEWERS
from tests.oracle.proof import Proof, running_proof
from tests.oracle.strangers import OF_ACCOUNTS, TABLES, ids_of, own_ids, secret
from tests.oracle.world import load
from tests.test_isolation import everything_from_everywhere
from tests.test_isolation_of_writes import assert_nothing_changed, filled, id_fields, input_of

SCHEMA = graphql_schema()
CATALOGUE = catalogue_of(SCHEMA)
assert SCHEMA.query_type is not None
assert SCHEMA.mutation_type is not None
assert SCHEMA.subscription_type is not None
QUERIES, MUTATIONS = SCHEMA.query_type.fields, SCHEMA.mutation_type.fields
SUBSCRIPTIONS = SCHEMA.subscription_type.fields
HOME = "aster"
ON_MANY = ("anna", "karin")
"""The owner of nearly all sites, and a member of nearly all."""

SETS: dict[str, frozenset[str]] = {
    "none": frozenset(),
    "unknown": frozenset({"everything", "*", "READ", "read write"}),
    **{str(scope): with_included([scope]) for scope in Scope},
}
"""Every scope by itself, none, and words that are no scopes."""


def key_of(name: str, proof: Proof, *, scopes: str = "admin") -> Viewer:
    """A credential of this viewer for one site."""
    return VIEWERS[name].narrowed_to(SETS[scopes], frozenset({proof.world.site(HOME).id}))


@pytest.fixture(scope="session")
def drawn_from(proof: Proof) -> Pools:
    """Ids and cursors of everything there is."""
    return pools(proof.world, secret(proof))


@pytest_asyncio.fixture(scope="module")
async def written_to(create_database: CreateDatabase, empty_square: str) -> AsyncIterator[Proof]:
    """A square of its own, as these attempts write if they can."""
    async with running_proof(create_database(empty_square)) as proof:
        yield proof


# Sites


@pytest.mark.parametrize("name", ON_MANY)
async def test_a_key_for_one_site_sees_nothing_of_another(proof: Proof, drawn_from: Pools, name: str) -> None:
    """Everything that can be asked from every start: the account sees it, the key does not."""
    others = [each.secret.encode() for each in COMMUNITIES if each.slug != HOME]
    seen_by_account = seen_by_key = 0
    for text, variables in everything_from_everywhere(proof, drawn_from):
        for here in (None, HOME, "ceder"):
            body = await proof.answer(text, variables, key_of(name, proof), here)
            assert not [each for each in others if each in body], text
            assert sites_in(proof, body) <= {HOME}, text
            seen_by_key += f"zwijg-{HOME}".encode() in body
        whole = await proof.answer(text, variables, VIEWERS[name])
        seen_by_account += any(each in whole for each in others)
    assert seen_by_account > 10
    assert seen_by_key > 10


def sites_in(proof: Proof, body: bytes) -> set[str]:
    """The sites whose slug stands in an answer as such, or whose id does."""
    slugs = {site.row["slug"] for site in proof.world.sites.values()}
    named = set(re.findall(rb'"slug[^"]*":"([a-z]+)"', body))
    ids = {
        site.row["slug"]
        for site in proof.world.sites.values()
        if encode_id(NodeId("S", PLATFORM_ID, site.id)).encode() in body
    }
    return {each.decode() for each in named if each.decode() in slugs} | ids


@pytest.mark.parametrize("name", ON_MANY)
async def test_lists_over_sites_hold_the_keys_own(proof: Proof, name: str) -> None:
    text = """{ viewer { sites { totalCount edges { node { slug } } } } sites { totalCount edges { node { slug } } }
        feed(first: 100) { totalCount edges { node { site { slug } } } }
        search(query: "gemeente", first: 100) { totalCount edges { node { site { slug } } } } }"""
    whole = json.loads(await proof.answer(text, {}, VIEWERS[name]))["data"]
    narrow = json.loads(await proof.answer(text, {}, key_of(name, proof)))["data"]
    for mine, all_of_it in ((narrow["viewer"]["sites"], whole["viewer"]["sites"]), (narrow["sites"], whole["sites"])):
        assert [edge["node"]["slug"] for edge in mine["edges"]] == [HOME]
        assert mine["totalCount"] == 1 < all_of_it["totalCount"]
    for field in ("feed", "search"):
        assert {edge["node"]["site"]["slug"] for edge in narrow[field]["edges"]} == {HOME}
        assert 0 < narrow[field]["totalCount"] < whole[field]["totalCount"]


async def test_a_key_for_a_site_that_is_gone_or_for_none_sees_nothing(proof: Proof) -> None:
    for sites in (frozenset(), frozenset({PLATFORM_ID})):
        viewer = VIEWERS["anna"].narrowed_to(SETS["admin"], sites)
        text = f'{{ site(slug: "{HOME}") {{ id }} viewer {{ sites {{ totalCount }} }} feed {{ totalCount }} }}'
        assert json.loads(await proof.answer(text, {}, viewer)) == {
            "data": {"site": None, "viewer": {"sites": {"totalCount": 0}}, "feed": {"totalCount": 0}}
        }


async def test_what_is_compiled_for_one_credential_serves_no_other(proof: Proof) -> None:
    """The same document by turns: as the account, by its key, by a key for another site, by one without scopes."""
    text = "{ viewer { sites { edges { node { slug } } } } }"
    den = VIEWERS["anna"].narrowed_to(SETS["read"], frozenset({proof.world.site("den").id}))
    for _ in range(3):
        whole = json.loads(await proof.answer(text, {}, VIEWERS["anna"]))["data"]["viewer"]["sites"]["edges"]
        assert len(whole) > 3
        for viewer, slugs in ((key_of("anna", proof), [HOME]), (den, ["den"])):
            found = json.loads(await proof.answer(text, {}, viewer))["data"]["viewer"]["sites"]["edges"]
            assert [edge["node"]["slug"] for edge in found] == slugs
        nothing = json.loads(await proof.answer(text, {}, VIEWERS["anna"].narrowed_to(SETS["none"], None)))
        assert nothing["data"] is None


@pytest.mark.parametrize(("mutation", "field"), id_fields())
async def test_a_key_for_one_site_changes_nothing_on_another(written_to: Proof, mutation: str, field: str) -> None:
    """By the owner of both sites, who may do all of it by another credential."""
    type_ = input_of(MUTATIONS[mutation])
    home, there = (encode_id(NodeId("S", PLATFORM_ID, written_to.world.site(slug).id)) for slug in (HOME, "ceder"))
    ids = [there, *(id_ for tag in TABLES for id_ in ids_of(written_to.world.site("ceder"), tag)[:3])]
    text = f"mutation ($input: {type_.name}!) {{ {mutation}(input: $input) {{ __typename }} }}"
    for id_ in ids:
        for scopes in ("admin", "write"):
            input_ = filled(type_, home) | {field: id_}
            body = json.loads(
                await written_to.answer(text, {"input": input_}, key_of("anna", written_to, scopes=scopes))
            )
            assert body["data"] == {mutation: None}
            assert body["errors"][0]["extensions"]["code"] in ("NOT_FOUND", "FORBIDDEN")
    assert_nothing_changed(written_to)


async def test_a_key_for_some_sites_starts_no_other(written_to: Proof) -> None:
    text = 'mutation { createSite(input: {name: "Nieuw", slug: "nieuw-en-fout"}) { site { id } } }'
    body = json.loads(await written_to.answer(text, {}, key_of("anna", written_to)))
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "nieuw-en-fout" not in {site.row["slug"] for site in load(written_to.world.url).sites.values()}


# Scopes


def asked(fields: Any, name: str, pooled: str) -> str:
    """A root field with what it needs, selecting all that it has."""
    definition = fields[name]
    arguments = []
    for argument, each in definition.args.items():
        if isinstance(each.type, GraphQLNonNull):
            kind = str(each.type)
            listed = "[" in kind
            value = '{__typename: "Site", slug: "aster"}' if "_Any" in kind else f'"{pooled}"'
            arguments.append(f"{argument}: {f'[{value}]' if listed else value}")
    named = get_named_type(definition.type)
    below = "" if is_leaf_type(named) else everything(SCHEMA, named, 0)
    given = f"({', '.join(arguments)})" if arguments else ""
    return f"{name}{given} {below}"


@pytest.mark.parametrize("scopes", SETS)
@pytest.mark.parametrize("name", QUERIES)
async def test_a_root_field_is_for_credentials_with_its_scope(proof: Proof, name: str, scopes: str) -> None:
    """Also for the owner of everything and an operator; all of them get nothing but the error."""
    site = encode_id(NodeId("S", PLATFORM_ID, proof.world.site(HOME).id))
    binding = CATALOGUE.bindings["Query", name]
    needs = needs_of(binding)
    text = f"{{ {asked(QUERIES, name, site)} }}"
    for who in ("anna", "otto"):
        viewer = VIEWERS[who].narrowed_to(SETS[scopes], None)
        body = json.loads(await proof.answer(text, {}, viewer))
        codes = [(error["path"], error["extensions"]["code"]) for error in body.get("errors", ())]
        if needs in SETS[scopes] and (who == "otto" or getattr(binding, "only", None) is None):
            assert ([name], "FORBIDDEN") not in codes
        else:
            assert codes == [([name], "FORBIDDEN")]
            assert body["data"] in (None, {name: None})


@pytest.mark.parametrize("scopes", SETS)
@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_mutation_is_for_credentials_with_its_scope(written_to: Proof, name: str, scopes: str) -> None:
    type_ = input_of(MUTATIONS[name])
    binding = CATALOGUE.bindings["Mutation", name]
    assert isinstance(binding, Mutates)
    home = encode_id(NodeId("S", PLATFORM_ID, written_to.world.site(HOME).id))
    text = f"mutation ($input: {type_.name}!) {{ {name}(input: $input) {{ __typename }} }}"
    if binding.needs in SETS[scopes]:
        return  # what it may do then is its account's affair
    for who in ("anna", "otto"):
        viewer = VIEWERS[who].narrowed_to(SETS[scopes], None)
        body = json.loads(await written_to.answer(text, {"input": filled(type_, home)}, viewer))
        assert body["data"] == {name: None}
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
        assert f"`{binding.needs}`" in body["errors"][0]["message"]
    assert_nothing_changed(written_to)


def test_no_mutation_is_for_who_may_only_read() -> None:
    for name in MUTATIONS:
        assert needs_of(CATALOGUE.bindings["Mutation", name]) not in (Scope.READ, Scope.STATISTICS), name


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
async def test_nothing_is_followed_without_leave(proof: Proof, name: str) -> None:
    """Without the scope, and on a site that the credential is not for."""
    (argument,) = [each for each, one in SUBSCRIPTIONS[name].args.items() if isinstance(one.type, GraphQLNonNull)]
    tag = {"site": "S", "content": "C"}[argument]
    home, there = proof.world.site(HOME), proof.world.site("ceder")

    async def follow(site: Any, viewer: Viewer) -> str:
        id_ = encode_id(NodeId("S", PLATFORM_ID, site.id)) if tag == "S" else first_seen(site)
        document = proof.square.documents.get(f'subscription {{ {name}({argument}: "{id_}") {{ __typename }} }}')
        operation = document.operation(None)
        variables = coerce_variables(SCHEMA, operation.variables, {}, hide_suggestions=False)
        try:
            question = read_question(
                proof.square, proof.square.live.plans, Prepared(document, operation, variables, 0), viewer
            )
            await question.enter(proof.square, viewer)
        except PleinError as error:
            return error.code.value
        return "followed"

    anna = VIEWERS["anna"]
    assert [await follow(site, anna) for site in (home, there)] == ["followed"] * 2
    assert await follow(home, key_of("anna", proof, scopes="read")) == "followed"
    assert await follow(there, key_of("anna", proof)) == "NOT_FOUND"
    for scopes in ("none", "unknown", "statistics:read", "platform:admin"):
        assert await follow(home, anna.narrowed_to(SETS[scopes], None)) == "FORBIDDEN"


def first_seen(site: Any) -> str:
    """An item that everybody on the site sees."""
    row = next(row for row in site.content if row["access"] == 4 and not row["group_id"] and not row["deleted_at"])
    return encode_id(NodeId("C", site.id, row["id"]))


# The account


def own_fields() -> Iterator[tuple[str, str]]:
    """Fields of an account that lead to what hangs on it."""
    account = SCHEMA.type_map["Account"]
    assert isinstance(account, GraphQLObjectType)
    for name, field in account.fields.items():
        named = get_named_type(field.type)
        if named.name.endswith("Connection"):
            node = get_named_type(named.fields["edges"].type).fields["node"]  # type: ignore[union-attr]
            yield name, get_named_type(node.type).name


@pytest.mark.parametrize("scopes", [each for each in SETS if each != "account"])
@pytest.mark.parametrize(("field", "type_name"), list(own_fields()))
async def test_what_hangs_on_an_account_is_for_no_key(proof: Proof, field: str, type_name: str, scopes: str) -> None:
    """Neither by the account, nor by its id, nor as an entity."""
    viewer = VIEWERS["anna"].narrowed_to(SETS[scopes] | {"read"}, None)
    for narrowed in (viewer, viewer.narrowed_to(SETS["account"] | {"read"}, frozenset({proof.world.site(HOME).id}))):
        body = json.loads(
            await proof.answer(f"{{ viewer {{ account {{ {field} {{ totalCount }} }} }} }}", {}, narrowed)
        )
        assert body["data"] == {"viewer": {"account": {field: None}}}
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
        tag = CATALOGUE.source(type_name).tag
        ids = own_ids(proof, "anna", tag)
        assert ids
        of_type = f"... on {type_name} {everything(SCHEMA, SCHEMA.type_map[type_name], 0)}"
        for below in ("__typename", of_type):
            text = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ {below} }} }}"
            answered = json.loads(await proof.answer(text, {"ids": ids}, narrowed))
            assert not [each for each in (answered["data"] or {}).get("nodes") or () if each], answered
    whole = json.loads(
        await proof.answer(f"{{ viewer {{ account {{ {field} {{ totalCount }} }} }} }}", {}, VIEWERS["anna"])
    )
    assert whole["data"]["viewer"]["account"][field]["totalCount"] > 0


def test_every_row_of_the_platform_says_for_which_credentials_it_is() -> None:
    """It is of a site, or of the square as a whole, or an account's public profile; what is elsewhere may be null."""
    for name, source in CATALOGUE.sources.items():
        if not isinstance(source, Source) or Place.PLATFORM not in source.tables or source is ACCOUNTS:
            continue
        assert source.site or source.needs.get(Place.PLATFORM) in SQUARE_WIDE, name
    for field, type_name in own_fields():
        if Place.SITE not in CATALOGUE.source(type_name).tables:
            assert not isinstance(SCHEMA.type_map["Account"].fields[field].type, GraphQLNonNull), field  # type: ignore[attr-defined]
            assert CATALOGUE.source(type_name).tag in OF_ACCOUNTS


# Roles


def test_a_credential_holds_no_role_that_it_is_not_for() -> None:
    operator = Viewer(VIEWERS["otto"].account_id, PlatformRole.OPERATOR)
    for scopes, expected in (
        ("admin", PlatformRole.NONE),
        ("none", PlatformRole.NONE),
        ("statistics:read", PlatformRole.ANALYST),
        ("platform:admin", PlatformRole.OPERATOR),
    ):
        narrowed = operator.narrowed_to(SETS[scopes], None)
        assert narrowed.platform_role is expected
        assert narrowed.is_operator is (expected is PlatformRole.OPERATOR)
        assert operator.narrowed_to(SETS[scopes], frozenset()).platform_role is PlatformRole.NONE
    member = Viewer(VIEWERS["anna"].account_id)
    assert member.narrowed_to(SETS["platform:admin"], None).platform_role is PlatformRole.NONE
