"""Every directive of federation at work in a schema declared as Plein's is, on tables, under a gateway.

These are the points of Apollo's list of what a subgraph can do; what only shows when composed is asked for through
gateways of both families.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from gateway.app import open_square
from gateway.context import Square
from gateway.documents import Documents
from gateway.execute import Executor
from gateway.over_http import GraphQLOverHTTP
from gateway.settings import load_settings
from tests.conftest import CreateDatabase
from tests.federation.conftest import PACKAGES, gateway_over
from tests.federation.library import METADATA, ROWS, library_schema
from tests.wire.conftest import listening
from tests.wire.node import require_packages

BOOK = {"__typename": "Book", "id": "apart"}


@dataclass(frozen=True)
class Shown:
    """The library over HTTP, and what its statements were."""

    url: str
    statements: list[str]

    async def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        async with httpx.AsyncClient() as client:
            answer = (await client.post(self.url, json={"query": query, "variables": variables})).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def entities(self, below: str, *representations: Any) -> Any:
        """What these refer to."""
        text = f"query ($all: [_Any!]!) {{ _entities(representations: $all) {{ {below} }} }}"
        return (await self.ask(text, all=representations))["_entities"]


def fill(url: str, role: str) -> None:
    """Make the library's tables and rows, for the platform's role to read."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA library")
        for table in METADATA.sorted_tables:
            kinds = {"VARCHAR": "text", "FLOAT": "float8", "INTEGER": "integer", "BOOLEAN": "boolean"}
            columns = [
                sql.SQL(f"{{}} {kinds[str(each.type)]}").format(sql.Identifier(each.name)) for each in table.columns
            ]
            name = sql.Identifier("library", table.name)
            connection.execute(sql.SQL("CREATE TABLE {} ({})").format(name, sql.SQL(", ").join(columns)))
            for row in ROWS[table]:
                names = sql.SQL(", ").join(map(sql.Identifier, row))
                values = sql.SQL(", ").join(map(sql.Literal, row.values()))
                connection.execute(sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(name, names, values))
            connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(name, sql.Identifier(role)))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA library TO {}").format(sql.Identifier(role)))


@pytest_asyncio.fixture(scope="module")
async def library(
    create_database: CreateDatabase, empty_square: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shown]:
    url, directory = create_database(empty_square), tmp_path_factory.mktemp("library")
    settings = load_settings({"PLEIN_MODE": "development", "PLEIN_DATA_DIR": str(directory)})
    statements: list[str] = []
    executor = Executor()
    async with open_square(replace(settings, database_url=url), executor.execute, executor.weigh) as opened:
        fill(url, opened.registry.platform_role)
        schema = library_schema()
        documents = Documents(schema, settings.limits)
        square = replace(opened, schema=schema, documents=documents, reader=noting(opened, statements))
        async with listening(GraphQLOverHTTP(square), lifespan="off") as address:
            yield Shown(f"{address}/graphql", statements)


def noting(square: Square, statements: list[str]) -> Any:
    """The reader, telling what it was asked."""
    fetch = square.reader.fetch

    class Noting:
        async def fetch(self, statement: Any, params: Any) -> Any:
            statements.append(statement.text)
            return await fetch(statement, params)

    return Noting()


async def test_the_schema_says_all_of_it(library: Shown) -> None:
    """`_service`, `@link`, and each directive where it was declared."""
    told = " ".join((await library.ask("{ _service { sdl } }"))["_service"]["sdl"].split())
    for text in (
        '@link(url: "https://specs.apollo.dev/federation/v2.3", import: [',
        '@composeDirective(name: "@curated") ',
        '@link(url: "https://specs.plein.example/curated/v1.0", import: ["@curated"])',
        "directive @curated on OBJECT",
        'type Book @key(fields: "id") @key(fields: "isbn edition") @key(fields: "isbn series { id }") @curated {',
        'type Review @key(fields: "study { caseNumber }") {',
        'author: Reader @provides(fields: "booksWritten")',
        'notes: String @tag(name: "internal")',
        "type Size @shareable {",
        "unit: String @inaccessible",
        'extend type Reader @key(fields: "email") {',
        "email: ID! @external",
        'name: String @override(from: "readers")',
        'booksPerYear: Int @requires(fields: "booksWritten yearsActive")',
        'type Shelf @key(fields: "id") @interfaceObject {',
    ):
        assert text in told
    assert "_Any" not in told


async def test_keys_of_one_field_of_several_and_of_fields_of_fields(library: Shown) -> None:
    """Each key is one statement, however many are asked for by it."""
    library.statements.clear()
    by_all = [
        BOOK,
        {"__typename": "Book", "isbn": "222", "edition": ""},
        {"__typename": "Book", "isbn": "111", "series": {"id": "blue"}},
        {"__typename": "Book", "isbn": "111", "series": {"id": "red"}},
        {"__typename": "Book", "isbn": "111", "edition": "second"},
        {"__typename": "Book", "id": "none"},
    ]
    shown = await library.entities("... on Book { id }", *by_all, *by_all)
    assert shown == [{"id": "apart"}, {"id": "beyond"}, {"id": "apart"}, None, None, None] * 2
    assert len(library.statements) == 3
    review = {"__typename": "Review", "study": {"caseNumber": "1235"}}
    shown = await library.entities("... on Review { outcome study { caseNumber description } }", review)
    assert shown == [{"outcome": "Good", "study": {"caseNumber": "1235", "description": "Of ink"}}]
    lost = {"__typename": "LostBook", "isbn": "999", "edition": "last"}
    assert await library.entities("... on LostBook { reason }", lost) == [{"reason": "Lent"}]


async def test_the_policy_counts_whatever_the_key(library: Shown) -> None:
    hidden = [
        {"__typename": "Book", "id": "secret"},
        {"__typename": "Book", "isbn": "333", "edition": "first"},
        {"__typename": "Book", "isbn": "333", "series": {"id": "blue"}},
    ]
    assert await library.entities("... on Book { id }", *hidden) == [None] * 3


async def test_what_is_required_comes_from_the_representation(library: Shown) -> None:
    """Each row is made with what was sent along with it, and only with that."""
    anna = {"__typename": "Reader", "email": "anna@example.nl", "booksWritten": 130, "yearsActive": 10}
    young = anna | {"yearsActive": 1, "more": ["things", {"nobody": 'asked "for"'}]}
    bram = {"__typename": "Reader", "email": "bram@example.nl", "booksWritten": None, "yearsActive": 4}
    less = {"__typename": "Reader", "email": "anna@example.nl"}
    library.statements.clear()
    shown = await library.entities("... on Reader { email name booksPerYear }", anna, young, bram, less)
    assert [each["booksPerYear"] for each in shown] == [13, 130, None, None]
    assert [each["name"] for each in shown] == ["Anna", "Anna", "Bram", "Anna"]
    assert len(library.statements) == 1
    text = "{ library { book { author { email booksWritten booksPerYear } } } }"
    author = (await library.ask(text))["library"]["book"]["author"]
    assert author == {"email": "anna@example.nl", "booksWritten": 130, "booksPerYear": None}


async def test_inaccessible_and_shareable_fields_can_be_asked_of_the_service_itself(library: Shown) -> None:
    shown = await library.entities("... on Book { notes dimensions { size weight unit } reviews { outcome } }", BOOK)
    dimensions = {"size": "small", "weight": 1.5, "unit": "kg"}
    assert shown == [{"notes": "ask Anna", "dimensions": dimensions, "reviews": [{"outcome": None}]}]


@dataclass(frozen=True)
class Together:
    """The library and two other services under a gateway."""

    gateway: str
    url: str

    async def ask(self, query: str) -> Any:
        """The answer, and how often each service was asked."""
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            await client.get("/asked")
            answer = (await client.post("/graphql", json={"query": query})).json()
            asked = (await client.get("/asked")).json()
        return answer, Counter(each["service"] for each in asked)


@pytest_asyncio.fixture(scope="module", params=["hive", "hive-router", "apollo"])
async def together(library: Shown, request: pytest.FixtureRequest) -> AsyncIterator[Together]:
    home = require_packages("federation", PACKAGES)
    async with gateway_over(home, request.param, library.url, "", json.dumps({"set": "library"})) as told:
        yield Together(request.param, told["url"])


async def test_requires_in_both_directions(together: Together) -> None:
    """Readers send what the library requires, the library what shelves require."""
    text = "{ readers { email booksPerYear } library { book { id postage } } }"
    answer, _ = await together.ask(text)
    assert answer["data"]["readers"] == [
        {"email": "anna@example.nl", "booksPerYear": 13},
        {"email": "bram@example.nl", "booksPerYear": None},
    ]
    assert answer["data"]["library"] == {"book": {"id": "apart", "postage": "small, 1.5"}}


async def test_provided_fields_are_not_asked_for_elsewhere(together: Together) -> None:
    answer, asked = await together.ask("{ library { book { author { email booksWritten } } } }")
    assert answer == {"data": {"library": {"book": {"author": {"email": "anna@example.nl", "booksWritten": 130}}}}}
    if together.gateway != "hive":  # it asks the other service all the same
        assert asked == {"plein": 1}


async def test_an_overridden_field_comes_from_here(together: Together) -> None:
    answer, _ = await together.ask("{ readers { name } }")
    assert answer == {"data": {"readers": [{"name": "Anna"}, {"name": "Bram"}]}}


async def test_an_interface_of_another_service_has_fields_from_here(together: Together) -> None:
    answer, _ = await together.ask('{ shelf(id: "shelf-1") { __typename id lostBooks { reason } } }')
    shelf = {"__typename": "OpenShelf", "id": "shelf-1", "lostBooks": [{"reason": "Lent"}]}
    assert answer == {"data": {"shelf": shelf}}


async def test_what_is_inaccessible_is_in_no_composed_schema(together: Together) -> None:
    answer, asked = await together.ask("{ library { book { dimensions { unit } } } }")
    assert "unit" in answer["errors"][0]["message"]
    assert not answer.get("data")
    assert asked == {}
    answer, _ = await together.ask("{ library { book { notes dimensions { size } } } }")
    assert answer == {"data": {"library": {"book": {"notes": "ask Anna", "dimensions": {"size": "small"}}}}}
