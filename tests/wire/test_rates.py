"""Rates over HTTP, where several gateways serve one square."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from gateway.app import create_app
from gateway.settings import load_settings


async def test_two_gateways_count_a_caller_once(square_database: str, listen: Any, tmp_path: Path) -> None:
    environ = {"PLEIN_DATABASE_URL": square_database, "PLEIN_DATA_DIR": str(tmp_path), "PLEIN_MODE": "development"}
    rate = {"PLEIN_SECRET": uuid4().hex, "PLEIN_RATE_ADDRESS": "30", "PLEIN_LIMIT_NODES": "20"}
    settings = load_settings({**environ, **rate})
    began = time.monotonic()
    async with listen(create_app(settings)) as one, listen(create_app(settings)) as two, httpx.AsyncClient() as http:
        statuses = []
        for number in range(40):
            url = (one, two)[number % 2]
            statuses.append((await http.post(f"{url}/graphql", json={"query": "{ __typename }"})).status_code)
        refilled = (time.monotonic() - began) * 0.5
        assert 30 - 2 * 2 <= statuses.count(200) <= 30 + refilled
        assert statuses[-1] == 429
