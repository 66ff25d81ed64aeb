"""A gateway on a port of this machine for other people's clients, with a site that has something on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tenants.database import Database
from tenants.registry import TenantRef
from tests.conftest import ProvisionSite
from tests.gateway.live.running import Running, running_gateway
from tests.gateway.mutations.door import Person, id_of

PACKAGES = {
    "@apollo/client": "4.3.8",
    "@urql/core": "6.0.3",
    "@urql/exchange-auth": "3.0.0",
    "@urql/exchange-graphcache": "9.0.2",
    "@urql/exchange-persisted": "5.0.1",
    "graphql": "17.1.0",
    "graphql-ws": "6.4.2",
    "rxjs": "7.8.2",
    "ws": "8.23.0",
}
"""Clients from npm that need no building, installed together."""

PACKAGES_OF_RELAY = {
    "graphql": "17.1.0",
    "graphql-ws": "6.4.2",
    "react": "19.3.1",
    "react-relay": "21.0.1",
    "react-test-renderer": "19.3.1",
    "relay-compiler": "21.0.1",
    "relay-runtime": "21.0.1",
    "ws": "8.23.0",
}

PACKAGES_OF_CODEGEN = {
    "@graphql-codegen/cli": "7.4.3",
    "@graphql-codegen/client-preset": "6.2.0",
    "@graphql-typed-document-node/core": "3.2.0",
    "graphql": "17.1.0",
    "typescript": "7.0.2",
}

PACKAGES_OF_ESLINT = {
    "@graphql-eslint/eslint-plugin": "4.4.1",
    "eslint": "9.39.1",
    "graphql": "16.11.0",  # it knows no later one
}

TITLES = ("een", "twee", "drie", "vier", "vijf")


@pytest_asyncio.fixture(scope="session")
async def running(
    square_database: str,
    database: Database,
    provision_site: ProvisionSite,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Running]:
    directory: Path = tmp_path_factory.mktemp("clients")
    async with running_gateway(square_database, directory, database, provision_site) as running:
        yield running


@dataclass(frozen=True)
class Place:
    """A site, its owner, and the ids of its items by title."""

    site: TenantRef
    owner: Person
    items: dict[str, str]

    @property
    def id(self) -> str:
        """The site's id, as answers have it."""
        return id_of("S", self.site)


@pytest_asyncio.fixture
async def place(running: Running) -> Place:
    """A site of one's own."""
    return await make_place(running)


async def make_place(running: Running, owner: Person | None = None) -> Place:
    """Open a site with five items, the third of which is news; the first has a comment."""
    owner = owner or await running.person()
    site = await running.provision_site(owner_account_id=owner.id)
    items = {}
    for number, title in enumerate(TITLES):
        given = {"kind": "NEWS" if number == 2 else "BLOG", "title": title, "body": "Tekst", "access": "PUBLIC"}
        made = await running.change(owner, "createContent", "content { id }", site=id_of("S", site), **given)
        items[title] = str(made["content"]["id"])
    await running.change(owner, "addComment", "__typename", subject=items["een"], body="Mooi")
    return Place(site, owner, items)
