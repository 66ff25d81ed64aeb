"""What all tests share: one PostgreSQL for the whole run, and empty databases in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import servers

TEST_DIRECTORY = Path(__file__).resolve().parents[1] / ".plein" / "test"

CreateDatabase = Callable[..., str]

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
