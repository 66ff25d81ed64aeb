"""A gateway that listens on a port, for tests that speak HTTP to it as strangers do."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn

from gateway.app import create_app
from gateway.at_once import Protocol, closing_quiet
from gateway.settings import load_settings


@asynccontextmanager
async def listening(app: Any, *, lifespan: str = "on", port: int = 0, keep_alive_s: float = 75) -> AsyncIterator[str]:
    """Serve an application on this or a free port of this machine; gives its address without a path."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        config = uvicorn.Config(
            app,
            lifespan=lifespan,  # type: ignore[arg-type]
            http=partial(Protocol, closing_quiet(keep_alive_s)),  # type: ignore[arg-type]
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn tells it by an attribute only
            await asyncio.sleep(0.01)
        assert server.started, "the gateway did not start"
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            with suppress(asyncio.CancelledError):
                await serving


@pytest.fixture(scope="session")
def listen() -> Callable[..., Any]:
    """`listening`, for tests that serve an application of their own."""
    return listening


@pytest_asyncio.fixture(scope="session")
async def gateway_url(square_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a whole gateway on the square that all tests share, without a path."""
    data_dir: Path = tmp_path_factory.mktemp("gateway")
    environ = {"PLEIN_MODE": "development", "PLEIN_DATABASE_URL": square_database, "PLEIN_DATA_DIR": str(data_dir)}
    async with listening(create_app(load_settings(environ))) as url:
        yield url
