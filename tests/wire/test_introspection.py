"""Introspection by policy: who may ask what can be asked."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
import pytest_asyncio
from graphql import execute_sync, get_introspection_query, parse

from auth.accounts import create_account, link_identity
from auth.issuer import DEVELOPMENT_ISSUER, DevelopmentIssuer
from gateway.app import create_app
from gateway.documents import Documents
from gateway.execute.introspection import KEPT_ANSWERS, KEPT_BYTES, Introspections
from gateway.limits import Limits
from gateway.settings import load_settings
from schema.compiler.selection import Operation, collect
from schema.root import graphql_schema
from tenants.database import Database

SECRET = "a secret for tests, of some length"
ASKED = {"query": '{ __type(name: "Site") { name } viewer { __typename } }'}


@pytest.mark.parametrize(
    ("policy", "anonymous", "signed_in"),
    [("everyone", None, None), ("accounts", "UNAUTHENTICATED", None), ("nobody", "FORBIDDEN", "FORBIDDEN")],
)
async def test_the_schema_is_told_to_whom_the_policy_says(
    policy: str,
    anonymous: str | None,
    signed_in: str | None,
    square_database: str,
    database: Database,
    listen: Any,
    tmp_path: Path,
) -> None:
    environ = {"PLEIN_DATABASE_URL": square_database, "PLEIN_DATA_DIR": str(tmp_path), "PLEIN_MODE": "development"}
    settings = load_settings({**environ, "PLEIN_SECRET": SECRET, "PLEIN_INTROSPECTION": policy})
    async with database.transaction(None) as tx:
        account = await create_account(tx, "Anna", f"{policy}@introspection.example")
        await link_identity(tx, account.id, DEVELOPMENT_ISSUER, str(account.id))
    token = DevelopmentIssuer(SECRET).mint(str(account.id)).text
    async with listen(create_app(settings)) as url, httpx.AsyncClient(base_url=url) as http:
        for headers, code in (({}, anonymous), ({"authorization": f"Bearer {token}"}, signed_in)):
            answer = (await http.post("/graphql", json=ASKED, headers=headers)).json()
            told = {"name": "Site"} if code is None else None
            assert answer["data"] == {"__type": told, "viewer": {"__typename": "Viewer"}}
            errors = [(each["path"], each["extensions"]["code"]) for each in answer.get("errors", ())]
            assert errors == ([] if code is None else [(["__type"], code)])
        whole = (await http.post("/graphql", json={"query": "{ __schema { queryType { name } } __typename }"})).json()
        assert (whole["data"] is None) is (anonymous is not None)  # `__schema` cannot be null, so nothing is left
        typename = await http.post("/graphql", json={"query": "{ __typename }"})
        assert typename.json() == {"data": {"__typename": "Query"}}


WHOLE = get_introspection_query(input_value_deprecation=True, specified_by_url=True, schema_description=True)
BY_NAME = "query ($name: String!) { a: __type(name: $name) { name kind } b: __type(name: $name) { fields { name } } }"
# From a fragment of twenty fields in twenty places, five megabytes that took a second and a half.
EVERYWHERE = (
    "fragment F on __Schema { types { fields { type { fields { name args { name type { name } } } } } } } query {"
)
HOSTILE = EVERYWHERE + " ".join(f"a{number}: __schema {{ ...F }}" for number in range(20)) + "}"


@pytest_asyncio.fixture
async def http(square_database: str, listen: Any, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    environ = {"PLEIN_DATABASE_URL": square_database, "PLEIN_DATA_DIR": str(tmp_path), "PLEIN_MODE": "development"}
    settings = load_settings({**environ, "PLEIN_SECRET": SECRET, "PLEIN_INTROSPECTION": "accounts"})
    async with listen(create_app(settings)) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


async def test_what_is_kept_is_told_to_nobody_who_may_not_ask(http: httpx.AsyncClient, database: Database) -> None:
    signed_in = await headers_of_somebody(database)
    first, again = [(await http.post("/graphql", json={"query": WHOLE}, headers=signed_in)).content for _ in range(2)]
    assert first == again
    expected = execute_sync(graphql_schema(), parse(WHOLE)).data
    assert orjson.loads(first) == {"data": expected}
    refused = (await http.post("/graphql", json={"query": WHOLE})).json()
    assert refused["data"] is None
    assert [each["extensions"]["code"] for each in refused["errors"]] == ["UNAUTHENTICATED"]


async def test_an_answer_is_kept_by_its_variables_and_its_field(http: httpx.AsyncClient, database: Database) -> None:
    signed_in = await headers_of_somebody(database)
    for name in ("Site", "Group", "Site", "Nothing"):
        asked = {"query": BY_NAME, "variables": {"name": name}}
        data = (await http.post("/graphql", json=asked, headers=signed_in)).json()["data"]
        assert data == execute_sync(graphql_schema(), parse(BY_NAME), variable_values={"name": name}).data


async def test_a_persisted_introspection_has_a_tag(http: httpx.AsyncClient, database: Database) -> None:
    signed_in = await headers_of_somebody(database)
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256(WHOLE.encode()).hexdigest()}}
    asked = {"query": WHOLE, "extensions": extensions}
    assert (await http.post("/graphql", json=asked, headers=signed_in)).status_code == 200
    address = {"extensions": orjson.dumps(extensions).decode()}
    whole = await http.get("/graphql", params=address, headers=signed_in)
    assert "queryType" in whole.json()["data"]["__schema"]
    known = {**signed_in, "if-none-match": whole.headers["etag"]}
    assert (await http.get("/graphql", params=address, headers=known)).status_code == 304
    assert (
        await http.get("/graphql", params=address, headers={"if-none-match": whole.headers["etag"]})
    ).status_code != 304


async def test_a_question_with_a_long_answer_is_given_up_in_milliseconds(
    http: httpx.AsyncClient, database: Database
) -> None:
    signed_in = await headers_of_somebody(database)
    began = time.process_time()
    answer = (await http.post("/graphql", json={"query": HOSTILE}, headers=signed_in)).json()
    assert time.process_time() - began < 0.5
    messages = {each["message"] for each in answer["errors"]}
    assert messages == {
        f"Limit `introspection` exceeded: at most {Limits().introspection // 20} fields in an answer about the schema."
    }


def test_what_is_kept_is_bounded() -> None:
    schema, documents, introspections = graphql_schema(), Documents(graphql_schema(), Limits()), Introspections()
    document = documents.get("query ($name: String!) { __type(name: $name) { name } }")
    operation = document.operation(None)
    query = schema.query_type
    assert query is not None
    (selected,) = collect(Operation(schema, {}, {}), query, (operation.node.selection_set,))
    for number in range(KEPT_ANSWERS + 50):
        variables = {"name": f"{number}" * 10}
        introspections.field(schema, document, operation, selected, variables, 100)
    assert introspections.kept == KEPT_ANSWERS
    for number in range(20):
        introspections.field(schema, document, operation, selected, {"name": f"{number:0900000}"}, 100)
    assert introspections.kept == KEPT_BYTES // 3_600_000


async def headers_of_somebody(database: Database) -> dict[str, str]:
    async with database.transaction(None) as tx:
        account = await create_account(tx, "Bram", f"{uuid4()}@introspection.example")
        await link_identity(tx, account.id, DEVELOPMENT_ISSUER, str(account.id))
    return {"authorization": f"Bearer {DevelopmentIssuer(SECRET).mint(str(account.id)).text}"}
