"""The door of a whole gateway on the shared square."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager

from gateway.app import create_app
from gateway.settings import load_settings
from tenants.database import Database
from tests.conftest import ProvisionSite
from tests.gateway.mutations.door import SECRET, Door


@pytest_asyncio.fixture(scope="session")
async def door(
    square_database: str,
    database: Database,
    provision_site: ProvisionSite,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Door]:
    directory: Path = tmp_path_factory.mktemp("gateway")
    environ = {"PLEIN_DATABASE_URL": square_database, "PLEIN_DATA_DIR": str(directory), "PLEIN_SECRET": SECRET}
    app = create_app(load_settings({**environ, "PLEIN_MODE": "development", "PLEIN_READER_CONNECTIONS": "1"}))
    async with LifespanManager(app, startup_timeout=30, shutdown_timeout=30):
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
            yield Door(client, database, provision_site)
