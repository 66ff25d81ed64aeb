"""A whole gateway in this process, on a real database, with whatever watches it set by the environment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from asgi_lifespan import LifespanManager

from gateway.app import Gateway, create_app
from gateway.settings import load_settings

SECRET = "watched-" * 5
QUERY = (
    "query Front($slug: String!) { site(slug: $slug) { content(first: 3, filter: {kinds: [BLOG]}) { totalCount } } }"
)


class Watched:
    """The gateway, and a client of it."""

    def __init__(self, gateway: Gateway, http: httpx.AsyncClient) -> None:
        self.gateway = gateway
        self.http = http

    async def ask(self, query: str = QUERY, headers: dict[str, str] | None = None, **variables: Any) -> httpx.Response:
        """The answer to an operation."""
        body = {"query": query, "variables": variables}
        return await self.http.post("/graphql", json=body, headers=headers)


@asynccontextmanager
async def watched(url: str, data_dir: Path, **environ: str) -> AsyncIterator[Watched]:
    """A gateway on this database."""
    base = {"PLEIN_MODE": "development", "PLEIN_DATABASE_URL": url, "PLEIN_SECRET": SECRET}
    quiet = {"PLEIN_SERVER_TIMING": "off", "PLEIN_DATA_DIR": str(data_dir), "PLEIN_READER_CONNECTIONS": "1"}
    gateway = create_app(load_settings(base | quiet | environ))
    transport = httpx.ASGITransport(gateway)  # type: ignore[arg-type]
    async with (
        LifespanManager(gateway, startup_timeout=30, shutdown_timeout=30),
        httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as http,
    ):
        yield Watched(gateway, http)
