"""A service of somebody else's that is told of logouts, over HTTP; it can be made to fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.wire.conftest import listening


class Service:
    """What it was told, and with which status it answers."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.status = 200
        self.url = ""
        self._news = asyncio.Event()

    async def answer(self, request: Request) -> Response:
        """Take in a logout token."""
        self.tokens.append(parse_qs((await request.body()).decode())["logout_token"][0])
        self._news.set()
        return Response(status_code=self.status)

    async def wait_for(self, count: int) -> None:
        """Until it was told so often."""
        async with asyncio.timeout(20):
            while len(self.tokens) < count:
                self._news.clear()
                await self._news.wait()


async def welcome(_request: Request) -> Response:
    """Where people come back to."""
    return Response("<!doctype html><title>Back</title><p>Welcome back</p>", media_type="text/html")


@asynccontextmanager
async def running_service() -> AsyncIterator[Service]:
    """The service, listening."""
    service = Service()
    routes = [Route("/logout", service.answer, methods=["POST"]), Route("/back", welcome)]
    async with listening(Starlette(routes=routes), lifespan="off") as url:
        service.url = f"{url}/logout"
        yield service
