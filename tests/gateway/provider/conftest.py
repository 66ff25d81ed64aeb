"""A whole gateway that is an OpenID Provider, on a square of its own, at the address that it says it has."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.app import create_app
from gateway.settings import load_settings
from tests.gateway.provider.plein import Plein, opened
from tests.wire.conftest import listening


@pytest.fixture(scope="session")
def provider_database(create_database: Callable[..., str], empty_square: str) -> str:
    """The URL of the square that the tests of this folder share."""
    return create_database(empty_square)


@pytest_asyncio.fixture(scope="session")
async def plein(provider_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plein]:
    """The gateway, listening, with two sites and a person on both."""
    data_dir: Path = tmp_path_factory.mktemp("data")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {
        "PLEIN_MODE": "development",
        "PLEIN_DATABASE_URL": provider_database,
        "PLEIN_DATA_DIR": str(data_dir),
        "PLEIN_BASE_HOST": f"localhost:{port}",
        "PLEIN_RATE_TOKENS": "0",
        "PLEIN_READER_CONNECTIONS": "1",
    }
    gateway = create_app(load_settings(environ))
    async with listening(gateway, port=port):
        yield await opened(gateway, port)
