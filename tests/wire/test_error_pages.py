"""The pages about error codes: every example in them is asked of a whole gateway, and answered as the page says.

The request is the page's own, sent over HTTP. Of the answer everything is compared: the status, the headers that the
page shows, and the body. Only ids of requests and what is left of a rate differ each time, and are masked.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest
import pytest_asyncio
from psycopg import sql
from sqlalchemy import update

from gateway.app import create_app
from gateway.settings import load_settings
from schema.errors import ErrorCode
from tenants.database import Database
from tenants.migrate import migrate
from tenants.platform_tables import Tenant
from tenants.provisioning import NewTenant, provision
from tenants.registry import TenantRef
from tenants.settings import DatabaseSettings
from tenants.tables import table_of
from tests.conftest import CreateDatabase
from tests.examples import Block, blocks, is_answer
from tests.gateway.mutations.door import SECRET, Door, Person, id_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = DOCS / "errors"
HERE = "http://localhost:8000"
"""Where the gateway is in the pages."""
MODERN = "application/graphql-response+json"
WHO = re.compile(r"[Ss]igned in as ([^:,]+)")
DIFFERING = re.compile(r"\b(r|t)=\d+")
ALL_OF_A_MINUTE = 60


@dataclass(frozen=True)
class Example:
    """A request in a page, who asks it, and the answer that is shown: status, headers and body."""

    code: ErrorCode
    number: int
    request: Block
    variables: dict[str, Any]
    head: str
    answer: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.code.value}-{self.number}"

    @property
    def who(self) -> str | None:
        """The person who is signed in."""
        found = WHO.search(self.request.before)
        return None if found is None else found[1]

    @property
    def status(self) -> str:
        """The first line of the answer."""
        return self.head.splitlines()[0]

    @property
    def headers(self) -> dict[str, str]:
        """The headers that are shown, by name."""
        pairs = [line.split(": ", 1) for line in self.head.splitlines()[1:]]
        return {name.lower(): value for name, value in pairs}


def examples(code: ErrorCode) -> Iterator[Example]:
    """The examples in the page about this code: a request, perhaps its variables, then status, headers and body."""
    request, variables, head, number = None, {}, "", 0
    for block in blocks(PAGES / f"{code.value}.md"):
        if block.kind in {"graphql", "bash"}:
            request, variables, head = block, {}, ""
        elif block.is_head:
            head = block.text
        elif block.kind == "json":
            told = json.loads(block.text)
            if not is_answer(told):
                variables = told
                continue
            assert request is not None
            assert head, f"{block} has no status"
            yield Example(code, number, request, variables, head, told)
            number += 1


EXAMPLES = [example for code in ErrorCode for example in examples(code)]


@dataclass
class Town:
    """A gateway on a square with the sites and people that the pages name, and the way to more gateways on it."""

    url: str
    database_url: str
    people: dict[str, Person]
    site: TenantRef
    listen: Any
    create_database: CreateDatabase
    empty_square: str
    directory: Path

    def other(self, database_url: str | None = None, **settings: str) -> AbstractAsyncContextManager[str]:
        """Another gateway with these settings, listening while the block lasts; gives its address."""
        return serving(self.listen, database_url or self.database_url, self.directory, **settings)

    def in_place(self, text: str) -> str:
        """The text with this square's own ids in the place of the page's words for them."""
        return text.replace("SITE_ID", id_of("S", self.site))

    async def ask(self, example: Example, url: str) -> httpx.Response:
        """Send the request of an example to the gateway at this address."""
        async with httpx.AsyncClient(timeout=30) as http:
            if example.request.kind == "bash":
                return await http.send(curled(self.in_place(example.request.text), url))
            headers = {"accept": MODERN}
            if example.who is not None:
                headers["authorization"] = f"Bearer {self.people[example.who].token}"
            variables = json.loads(self.in_place(json.dumps(example.variables)))
            body = {"query": example.request.text, "variables": variables}
            return await http.post(f"{url}/graphql", json=body, headers=headers)


def serving(listen: Any, database_url: str, directory: Path, **settings: str) -> AbstractAsyncContextManager[str]:
    """A gateway in development, listening while the block lasts; gives its address."""
    environ = {
        "PLEIN_MODE": "development",
        "PLEIN_DATABASE_URL": database_url,
        "PLEIN_DATA_DIR": str(directory),
        "PLEIN_SECRET": SECRET,
        "PLEIN_READER_CONNECTIONS": "1",
    }
    context: AbstractAsyncContextManager[str] = listen(create_app(load_settings(environ | settings)))
    return context


def curled(text: str, url: str) -> httpx.Request:
    """The request that curl would send, to the gateway at this address."""
    words = shlex.split(text.replace("\\\n", " "))
    assert words[0] == "curl"
    method, address, body, headers = "", "", None, {"accept": "*/*"}
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-si":
                pass
            case "-X":
                method = next(rest)
            case "-d":
                body = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case _:
                assert word.startswith(HERE), f"curl knows {word}, this test does not"
                address = url + word.removeprefix(HERE)
    return httpx.Request(method or ("GET" if body is None else "POST"), address, headers=headers, content=body)


@pytest_asyncio.fixture(scope="module")
async def town(
    create_database: CreateDatabase,
    empty_square: str,
    listen: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Town]:
    """The sites and people of the pages, and a gateway that serves them."""
    url, directory = create_database(empty_square), tmp_path_factory.mktemp("town")
    await migrate(DatabaseSettings(url))  # a copy comes without the rights of PUBLIC that were taken away
    database = Database(DatabaseSettings(url))
    await database.open()

    async def open_site(slug: str, **fields: Any) -> TenantRef:
        new = NewTenant(slug=slug, name=slug.title(), access=4, visibility=4, joining="OPEN")
        return await provision(database, new, **fields)

    try:
        async with serving(listen, url, directory) as at, httpx.AsyncClient(base_url=at) as client:
            door = Door(client, database, open_site)
            owner = await door.person()
            sites = {
                slug: await open_site(slug, owner_account_id=owner.id) for slug in ("vlieland", "zwolle", "amsterdam")
            }
            kees = await door.member(sites["vlieland"])
            await door.join(sites["amsterdam"], kees)
            await door.change(owner, "suspendSite", "site { state }", id=id_of("S", sites["zwolle"]))
            tenant = table_of(Tenant)
            async with database.transaction(None) as tx:
                await tx.execute(update(tenant).where(tenant.c.slug == "amsterdam").values(second_factor=True))
            yield Town(
                at, url, {"Kees Brouwer": kees}, sites["vlieland"], listen, create_database, empty_square, directory
            )
    finally:
        await database.close()


@asynccontextmanager
async def ordinary(town: Town, _example: Example) -> AsyncIterator[str]:
    """The town's gateway as it is."""
    yield town.url


@asynccontextmanager
async def after_the_first(town: Town, example: Example) -> AsyncIterator[str]:
    """A gateway with a rate, of which most was just spent by the same request."""
    async with town.other(PLEIN_SECRET=uuid4().hex, PLEIN_RATE_ADDRESS="12000") as url:
        first = await town.ask(example, url)
        assert first.status_code == 200
        assert first.headers["ratelimit-policy"] == example.headers["ratelimit-policy"]
        yield url


@asynccontextmanager
async def without_database(town: Town, _example: Example) -> AsyncIterator[str]:
    """A gateway whose database lets nobody in any more."""
    database_url = town.create_database(town.empty_square)
    await migrate(DatabaseSettings(database_url))
    name = urlsplit(database_url).path.removeprefix("/")
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(town.database_url, autocommit=True) as connection:
        async with town.other(database_url) as url:
            connection.execute(allow.format(sql.Identifier(name), sql.Literal(False)))
            try:
                ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
                connection.execute(ending, (name,))
                yield url
            finally:
                connection.execute(allow.format(sql.Identifier(name), sql.Literal(True)))


@asynccontextmanager
async def registered_only(town: Town, _example: Example) -> AsyncIterator[str]:
    """A gateway that runs what is in its manifest, and nothing else."""
    manifest = town.directory / "documents.json"
    manifest.write_text(json.dumps({"sites": "{ sites { totalCount } }"}))
    async with town.other(PLEIN_DOCUMENTS=str(manifest), PLEIN_DOCUMENTS_ONLY="on") as url:
        yield url


@asynccontextmanager
async def damaged(town: Town, _example: Example) -> AsyncIterator[str]:
    """The town's gateway, while a table of a site is not where it should be."""
    schema = sql.Identifier(town.site.schema_name)
    with psycopg.connect(town.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER TABLE {}.content RENAME TO gone").format(schema))
        try:
            yield town.url
        finally:
            connection.execute(sql.SQL("ALTER TABLE {}.gone RENAME TO content").format(schema))


SITUATIONS = {
    ErrorCode.RATE_LIMITED: after_the_first,
    ErrorCode.UNAVAILABLE: without_database,
    ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED: registered_only,
    ErrorCode.INTERNAL_SERVER_ERROR: damaged,
}
"""What has to be so for a code to come, where it is not about the request and who asks."""


def same_every_time(value: Any) -> Any:
    """The answer's body without ids of requests."""
    if isinstance(value, dict):
        return {key: "…" if key == "requestId" else same_every_time(each) for key, each in value.items()}
    return [same_every_time(each) for each in value] if isinstance(value, list) else value


def same_header(code: ErrorCode, name: str, value: str) -> str:
    """A header's value without what differs each time: the id of a request, and how much is left of a rate."""
    if name == "x-request-id" or (name == "retry-after" and code is ErrorCode.RATE_LIMITED):
        return "…"
    return DIFFERING.sub(r"\1=…", value) if name == "ratelimit" else value


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_the_answer_is_as_the_page_says(town: Town, example: Example) -> None:
    async with SITUATIONS.get(example.code, ordinary)(town, example) as url:
        response = await town.ask(example, url)
    assert f"{response.http_version} {response.status_code} {response.reason_phrase}" == example.status
    assert same_every_time(response.json()) == same_every_time(example.answer)
    for name, value in example.headers.items():
        assert same_header(example.code, name, response.headers[name]) == same_header(example.code, name, value)
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == example.code
    if "requestId" in error["extensions"]:
        assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    if example.code is ErrorCode.RATE_LIMITED:
        assert 1 <= int(response.headers["retry-after"]) <= ALL_OF_A_MINUTE
    # What comes by itself with a code is on its page.
    telling = {"retry-after", "www-authenticate", "ratelimit", "ratelimit-policy", "allow"}
    assert telling & set(response.headers) == telling & set(example.headers)


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert sorted(page.name for page in PAGES.iterdir()) == sorted(f"{code.value}.md" for code in ErrorCode)
    for code in ErrorCode:
        assert (PAGES / f"{code.value}.md").read_text().startswith(f"# {code.value}\n")


def test_every_page_is_linked_from_the_index() -> None:
    linked = re.findall(r"\]\(errors/(\w+)\.md\)", (DOCS / "errors.md").read_text())
    assert set(linked) == {code.value for code in ErrorCode}


def test_every_code_has_an_example_but_the_one_that_is_not_used_yet() -> None:
    assert {example.code for example in EXAMPLES} == set(ErrorCode) - {ErrorCode.UPLOAD_REJECTED}
