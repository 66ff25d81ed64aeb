"""A whole gateway on a square of its own, for tests of its pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager

from gateway.app import Gateway, create_app
from gateway.settings import load_settings
from tenants.migrate import migrate
from tenants.settings import DatabaseSettings
from tests.gateway.pages.post import Post, serving_mail


@pytest_asyncio.fixture(scope="session")
async def pages_database(create_database: Callable[..., str], empty_square: str) -> str:
    """The URL of the square that the tests of this folder share."""
    url = create_database(empty_square)
    await migrate(DatabaseSettings(url))  # a copy comes without the rights of PUBLIC that were taken away
    return url


@pytest.fixture(scope="session")
def post() -> Iterator[Post]:
    """The mail server that the gateways of this folder send to."""
    with serving_mail() as post:
        yield post


@pytest.fixture(scope="session")
def environ(pages_database: str, post: Post, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a gateway on it, in development."""
    data_dir: Path = tmp_path_factory.mktemp("data")
    return {
        "PLEIN_MODE": "development",
        "PLEIN_DATABASE_URL": pages_database,
        "PLEIN_DATA_DIR": str(data_dir),
        "PLEIN_SECRET": "s" * 40,
        "PLEIN_MAIL_SERVER": f"smtp+plain://127.0.0.1:{post.port}",
    }


@pytest_asyncio.fixture(scope="session")
async def door(environ: dict[str, str]) -> AsyncIterator[Gateway]:
    """A gateway in development, started."""
    gateway = create_app(load_settings(environ))
    async with LifespanManager(gateway, startup_timeout=30, shutdown_timeout=30):
        yield gateway


@pytest_asyncio.fixture(scope="session")
async def production(environ: dict[str, str]) -> AsyncIterator[Gateway]:
    """The same in production, at https://plein.example."""
    s3 = {"PLEIN_S3_ENDPOINT": "http://127.0.0.1:9", "PLEIN_S3_ACCESS_KEY": "key", "PLEIN_S3_SECRET_KEY": "x" * 20}
    more = {"PLEIN_MODE": "production", "PLEIN_BASE_HOST": "plein.example"}
    gateway = create_app(load_settings(environ | s3 | more))
    async with LifespanManager(gateway, startup_timeout=30, shutdown_timeout=30):
        yield gateway
