"""What all tests share: one PostgreSQL for the whole run, empty databases in it, and a square to open sites on."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import pytest_asyncio

from tenants.database import Database
from tenants.ids import uuid7
from tenants.migrate import migrate
from tenants.provisioning import NewTenant, provision
from tenants.registry import TenantRef
from tenants.settings import DatabaseSettings
from tests import servers

if TYPE_CHECKING:
    from tests.oracle.proof import Proof

TEST_DIRECTORY = Path(__file__).resolve().parents[1] / ".plein" / "test"

CreateDatabase = Callable[..., str]
ProvisionSite = Callable[..., Awaitable[TenantRef]]

_postgres_of_all_workers = pytest.StashKey[tuple[ExitStack, str]]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """Start the one server of a parallel run in the process that outlives the workers, and tell each where it is."""
    if "PLEIN_TEST_DATABASE_URL" in os.environ:
        return
    stash = node.config.stash
    if _postgres_of_all_workers not in stash:
        stack = ExitStack()
        url = stack.enter_context(servers.running_postgres(TEST_DIRECTORY))
        stash[_postgres_of_all_workers] = (stack, url)
    node.workerinput["postgres_url"] = stash[_postgres_of_all_workers][1]


def pytest_unconfigure(config: pytest.Config) -> None:
    if _postgres_of_all_workers in config.stash:
        config.stash[_postgres_of_all_workers][0].close()


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a role that may create databases and roles, on a server of our own or PLEIN_TEST_DATABASE_URL's."""
    worker = getattr(request.config, "workerinput", {})
    given = os.environ.get("PLEIN_TEST_DATABASE_URL") or worker.get("postgres_url")
    if given:
        yield given
        return
    with servers.running_postgres(TEST_DIRECTORY) as url:
        yield url


@pytest.fixture(scope="session")
def create_database(postgres_url: str) -> Iterator[CreateDatabase]:
    """A function that makes an empty database, or a copy of `template` (a URL), which lives until the run ends."""
    created = []

    def create(template: str | None = None) -> str:
        created.append(servers.create_database(postgres_url, template))
        return created[-1]

    yield create
    for url in reversed(created):
        servers.drop_database(postgres_url, url)


@pytest.fixture
def fresh_database(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database for one test; it goes afterwards, with the roles that were made for it."""
    url = servers.create_database(postgres_url)
    yield url
    servers.drop_database(postgres_url, url)


@pytest_asyncio.fixture(scope="session")
async def empty_square(create_database: CreateDatabase) -> str:
    """The URL of a migrated database without sites, to be copied: never connect to it."""
    url = create_database()
    await migrate(DatabaseSettings(url))
    return url


@pytest_asyncio.fixture
async def fresh_square(postgres_url: str, empty_square: str) -> AsyncIterator[str]:
    """The URL of a migrated database for one test, for tests that look at all sites or break something."""
    url = servers.create_database(postgres_url, empty_square)
    await migrate(DatabaseSettings(url))  # a copy comes without the rights of PUBLIC that were taken away
    yield url
    servers.drop_database(postgres_url, url)


@pytest_asyncio.fixture(scope="session")
async def square_database(create_database: CreateDatabase, empty_square: str) -> str:
    """The URL of the migrated database that all tests share: each opens its own sites there."""
    url = create_database(empty_square)
    await migrate(DatabaseSettings(url))
    return url


@pytest_asyncio.fixture(scope="session")
async def database(square_database: str) -> AsyncIterator[Database]:
    """The writing side of `square_database`, open."""
    database = Database(DatabaseSettings(square_database))
    await database.open()
    yield database
    await database.close()


@pytest.fixture(scope="session")
def provision_site(database: Database) -> ProvisionSite:
    """A function that opens a site on the shared square, open to all unless told otherwise (fields of NewTenant)."""

    async def open_site(slug: str | None = None, *, owner_account_id: UUID | None = None, **fields: Any) -> TenantRef:
        slug = slug or f"site-{secrets.token_hex(6)}"
        new = NewTenant(slug=slug, **{"name": slug.title(), "access": 4, "visibility": 4, "joining": "OPEN"} | fields)
        return await provision(database, new, owner_account_id=owner_account_id or uuid7())

    return open_site


@pytest_asyncio.fixture(scope="session")
async def proof(create_database: CreateDatabase, empty_square: str) -> AsyncIterator[Proof]:
    """A running square full of everything, with the oracle that knows all of it. To be read only."""
    from tests.oracle.proof import running_proof  # noqa: PLC0415 - most tests do without the gateway

    async with running_proof(create_database(empty_square)) as running:
        yield running
