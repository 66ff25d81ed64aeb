"""Whether the gateway lives and whether it can serve: two small answers for whoever keeps it running.

Promises: `/livez` answers as long as the process does; `/readyz` asks every part it depends on, all at once, each
within a moment, and says which one fails. A gateway that is about to end is not ready, though it answers. Never says
why: reasons are in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.errors import RETRY_AFTER

CHECK_TIME_S = 2.0

Check = Callable[[], Awaitable[object]]
"""Returns when a part answers, raises when it does not."""

logger = logging.getLogger(__name__)


def _stays() -> bool:
    return False


def health_routes(checks: Callable[[], Mapping[str, Check]], is_draining: Callable[[], bool] = _stays) -> list[Route]:
    """The routes `/livez` and `/readyz`. `checks` gives the parts by name once they are there."""

    async def readyz(_request: Request) -> Response:
        if is_draining():
            return _response({"status": "draining"}, 503)
        named = checks()
        answers = dict(zip(named, await asyncio.gather(*(_answers(*each) for each in named.items())), strict=True))
        ready = all(answers.values())
        parts = {name: "ok" if answer else "unavailable" for name, answer in answers.items()}
        return _response({"status": "ready" if ready else "unavailable", "parts": parts}, 200 if ready else 503)

    return [Route("/livez", _livez), Route("/readyz", readyz)]


async def _livez(_request: Request) -> Response:
    return _response({"status": "alive"}, 200)


async def _answers(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_TIME_S):
            await check()
    except Exception as error:  # a part may fail in any way of its own
        logger.warning("%s is not ready: %s", name, error or type(error).__name__)
        return False
    return True


def _response(content: object, status: int) -> Response:
    response = Response(orjson.dumps(content), status, {"cache-control": "no-store"}, "application/json")
    if status == 503:
        response.raw_headers.append(RETRY_AFTER)
    return response
