"""Health: alive as long as the process is, ready as long as every part answers in time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
import pytest
from starlette.applications import Starlette

from gateway import health
from gateway.health import Check, health_routes


async def get(path: str, checks: Mapping[str, Check]) -> httpx.Response:
    app = Starlette(routes=health_routes(lambda: checks))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://plein.example") as http:
        return await http.get(path)


async def answers() -> None:
    return None


async def fails() -> None:
    raise ConnectionError("password authentication failed for user plein")


async def hangs() -> None:
    await asyncio.sleep(60)


async def test_it_is_alive_whatever_its_parts_do() -> None:
    response = await get("/livez", {"database": fails})
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


async def test_it_is_ready_when_every_part_answers() -> None:
    response = await get("/readyz", {"database": answers, "store": answers})
    assert response.status_code == 200
    assert response.json() == {"status": "ready", "parts": {"database": "ok", "store": "ok"}}
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("check", [fails, hangs])
async def test_a_part_that_does_not_answer_is_named_and_nothing_more(
    check: Check, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(health, "CHECK_TIME_S", 0.05)
    response = await get("/readyz", {"database": check, "store": answers})
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert response.json() == {"status": "unavailable", "parts": {"database": "unavailable", "store": "ok"}}
    assert "database is not ready" in caplog.text
