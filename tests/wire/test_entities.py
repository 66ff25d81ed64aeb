"""`_entities` and `_service` over HTTP: what is malformed is told, what is hidden is null, what is much is limited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from graphql import parse

from gateway.app import create_app
from gateway.settings import load_settings
from schema.federation import NESTING_MOST
from schema.relay import PLATFORM_ID, NodeId, encode_id
from tenants.registry import TenantRef
from tests.conftest import ProvisionSite

ASKED = "query ($all: [_Any!]!) { _entities(representations: $all) { __typename ... on Site { name memberCount } } }"


@pytest_asyncio.fixture
async def http(gateway_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateway_url) as client:
        yield client


@pytest_asyncio.fixture
async def site(provision_site: ProvisionSite) -> TenantRef:
    return await provision_site()


async def ask(http: httpx.AsyncClient, *representations: Any, text: str = ASKED, **headers: str) -> dict[str, Any]:
    """The answer to a request for these."""
    body = {"query": text, "variables": {"all": representations}}
    answer: dict[str, Any] = (await http.post("/graphql", json=body, headers=headers)).json()
    return answer


def shown(site: TenantRef) -> dict[str, Any]:
    return {"__typename": "Site", "name": site.slug.title(), "memberCount": 1}


async def test_a_site_by_its_id_and_by_its_slug(http: httpx.AsyncClient, site: TenantRef) -> None:
    by_id = {"__typename": "Site", "id": encode_id(NodeId("S", PLATFORM_ID, site.id)), "more": {"than": "needed"}}
    answer = await ask(http, by_id, {"__typename": "Site", "slug": site.slug}, {"__typename": "Site", "slug": "x-y"})
    assert answer == {"data": {"_entities": [shown(site), shown(site), None]}}


WRONG = [
    ("text", ""),
    (5, ""),
    (["__typename", "Site"], ""),
    ({}, ".__typename"),
    ({"__typename": None, "id": "x"}, ".__typename"),
    ({"__typename": 5}, ".__typename"),
    ({"__typename": "Nobody", "id": "x"}, ".__typename"),
    ({"__typename": "Node", "id": "x"}, ".__typename"),
    ({"__typename": "Query", "id": "x"}, ".__typename"),
    ({"__typename": "_Entity", "id": "x"}, ".__typename"),
    ({"__typename": "Site"}, ""),
    ({"__typename": "Site", "id": None, "slug": None}, ""),
    ({"__typename": "Blog", "slug": "x"}, ""),
    ({"__typename": "Member", "site": {"id": "x"}}, ""),
    ({"__typename": "Member", "site": "x", "account": "y"}, ""),
    ({"__typename": "Site", "id": {"a": 1}}, ".id"),
    ({"__typename": "Site", "id": True}, ".id"),
    ({"__typename": "Site", "slug": 5}, ".slug"),
    ({"__typename": "Site", "slug": ["x"]}, ".slug"),
    ({"__typename": "Member", "site": {"id": []}, "account": {"id": "x"}}, ".site.id"),
]


@pytest.mark.parametrize(("representation", "place"), WRONG, ids=str)
async def test_a_malformed_representation_is_told_and_the_others_answer(
    http: httpx.AsyncClient, site: TenantRef, representation: Any, place: str
) -> None:
    right = {"__typename": "Site", "slug": site.slug}
    answer = await ask(http, right, representation, right)
    assert answer["data"] == {"_entities": [shown(site), None, shown(site)]}
    (error,) = answer["errors"]
    assert error["path"] == ["_entities", 1]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": f"representations[1]{place}"}


async def test_null_for_a_representation_is_no_request(http: httpx.AsyncClient) -> None:
    for wrong in (None, [None]):
        answer = (await http.post("/graphql", json={"query": ASKED, "variables": {"all": wrong}})).json()
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}
        assert {error["extensions"]["field"].rstrip("[0]") for error in answer["errors"]} == {"all"}


async def test_a_representation_that_is_too_deep_is_refused(http: httpx.AsyncClient, site: TenantRef) -> None:
    def nested(levels: int) -> dict[str, Any]:
        inner: Any = "x"
        for level in range(levels - 1):
            inner = [inner] if level % 2 else {"a": inner}
        return {"__typename": "Site", "slug": site.slug, "more": inner}

    within, beyond = nested(NESTING_MOST - 1), nested(NESTING_MOST)
    assert await ask(http, within) == {"data": {"_entities": [shown(site)]}}
    for wrong in (beyond, nested(300)):
        answer = await ask(http, wrong)
        (error,) = answer["errors"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "all[0]"}
        assert f"{NESTING_MOST} levels" in error["message"]


async def test_how_many_there_may_be(http: httpx.AsyncClient, site: TenantRef) -> None:
    one = {"__typename": "Site", "slug": site.slug}
    within = await ask(http, *[one] * 1000)
    assert within == {"data": {"_entities": [shown(site)] * 1000}}
    beyond = await ask(http, *[one] * 1001)
    (error,) = beyond["errors"]
    assert beyond["data"] is None
    assert error["path"] == ["_entities"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED"}
    assert error["message"].startswith("Limit `representations` exceeded: at most 1000 ")


async def test_what_they_cost_is_known_before(http: httpx.AsyncClient, site: TenantRef) -> None:
    one = {"__typename": "Site", "slug": site.slug}
    text = ASKED.replace("memberCount", "content(first: 9) { edges { node { id author { id } } } }")
    answer = await ask(http, *[one] * 7, text=text, **{"plein-cost": "1"})
    assert answer["extensions"] == {"cost": {"nodes": 7 * (1 + 9 * 2)}}
    refused = await ask(http, *[one] * 600, text=text)
    (error,) = refused["errors"]
    assert error["message"].startswith("Limit `nodes` exceeded")


async def test_representations_may_stand_in_the_document(http: httpx.AsyncClient, site: TenantRef) -> None:
    text = """query ($slug: String!, $one: _Any!) {
        a: _entities(representations: [{__typename: "Site", slug: $slug}, $one]) { ... on Site { slug } }
        b: _entities(representations: []) { __typename }
        c: _entities(representations: {__typename: "Site", slug: "niets"}) { __typename } }"""
    variables = {"slug": site.slug, "one": {"__typename": "Site", "slug": site.slug}}
    answer = (await http.post("/graphql", json={"query": text, "variables": variables})).json()
    assert answer == {"data": {"a": [{"slug": site.slug}] * 2, "b": [], "c": [None]}}


@pytest.mark.parametrize(
    ("policy", "code"), [("everyone", None), ("accounts", "UNAUTHENTICATED"), ("nobody", "FORBIDDEN")]
)
async def test_the_schema_for_composing_is_told_to_whom_introspection_is(
    policy: str, code: str | None, square_database: str, listen: Any, tmp_path: Path, site: TenantRef
) -> None:
    environ = {"PLEIN_DATABASE_URL": square_database, "PLEIN_DATA_DIR": str(tmp_path), "PLEIN_INTROSPECTION": policy}
    settings = load_settings({**environ, "PLEIN_MODE": "development"})
    async with listen(create_app(settings)) as url, httpx.AsyncClient(base_url=url) as http:
        answer = (await http.post("/graphql", json={"query": "{ _service { __typename sdl } }"})).json()
        if code is None:
            told = answer["data"]["_service"]
            assert told["__typename"] == "_Service"
            names = {each.name.value for each in parse(told["sdl"]).definitions if hasattr(each, "name") and each.name}
            assert {"Site", "Content", "Query"} <= names
            assert not [name for name in names if name.startswith("_")]
        else:
            assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
            assert "type " not in str(answer)
        assert await ask(http, {"__typename": "Site", "slug": site.slug}) == {"data": {"_entities": [shown(site)]}}


async def test_clients_are_not_bothered_with_directives(http: httpx.AsyncClient) -> None:
    text = "{ __schema { directives { name } types { name } } }"
    told = (await http.post("/graphql", json={"query": text})).json()["data"]["__schema"]
    theirs = {"include", "skip", "deprecated", "specifiedBy", "oneOf", "defer", "stream"}
    assert {each["name"] for each in told["directives"]} == theirs
    own = {each["name"] for each in told["types"] if each["name"].startswith("_") and not each["name"].startswith("__")}
    assert own == {"_Any", "_Entity", "_Service"}
