"""A gateway that listens on a port of this machine, on the shared square, with its door and its insides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tenants.database import Database
from tests.conftest import ProvisionSite
from tests.gateway.live.running import Running, running_gateway


@pytest_asyncio.fixture(scope="session")
async def live(
    square_database: str,
    database: Database,
    provision_site: ProvisionSite,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Running]:
    directory: Path = tmp_path_factory.mktemp("live")
    async with running_gateway(square_database, directory, database, provision_site) as running:
        yield running
