"""The application as a whole, on a real database: its start, its paths, its health, and an outage in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import pytest
from asgi_lifespan import LifespanManager

from gateway.app import Gateway
from gateway.parts import database_settings
from gateway.settings import Settings, load_settings
from tenants.errors import DatabaseUnavailable, NotMigrated
from tenants.migrate import migrate
from tests.gateway.small_square import run


@pytest.fixture
def settings(fresh_database: str, tmp_path: Path) -> Settings:
    environ = {"PLEIN_MODE": "development", "PLEIN_DATABASE_URL": fresh_database, "PLEIN_DATA_DIR": str(tmp_path)}
    return load_settings({**environ, "PLEIN_READER_CONNECTIONS": "1"})


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    await migrate(database_settings(settings))
    async with serving(settings) as client:
        yield client


def serving(settings: Settings) -> _Serving:
    return _Serving(Gateway(settings, run))


class _Serving:
    """A client of an application that has been started."""

    def __init__(self, app: Gateway) -> None:
        self._lifespan = LifespanManager(app, startup_timeout=30, shutdown_timeout=30)
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        self._client = httpx.AsyncClient(transport=transport, base_url="http://localhost:8000")

    async def __aenter__(self) -> httpx.AsyncClient:
        await self._lifespan.__aenter__()
        return self._client

    async def __aexit__(self, *error: object) -> None:
        await self._client.aclose()
        await self._lifespan.__aexit__(*error)  # type: ignore[arg-type]


async def test_it_serves_graphql_health_and_the_console(http: httpx.AsyncClient) -> None:
    graphql = await http.post("/graphql", json={"query": "{ nothing }"})
    assert graphql.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert (await http.get("/livez")).json() == {"status": "alive"}
    ready = await http.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "parts": {"database": "ok"}})
    page = await http.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert (await http.get("/dev/accounts")).json() == {"accounts": []}


async def test_what_is_not_there_is_told_in_the_shape_of_all_errors(http: httpx.AsyncClient) -> None:
    missing = await http.get("/nowhere")
    assert missing.status_code == 404
    assert missing.json()["errors"][0]["extensions"] == {"code": "NOT_FOUND"}
    wrong = await http.post("/livez")
    assert (wrong.status_code, set(wrong.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})
    assert wrong.json()["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_production_has_no_way_to_be_anybody_and_the_console_can_be_off(settings: Settings) -> None:
    await migrate(database_settings(settings))
    production = replace(settings, mode=type(settings.mode).PRODUCTION, console=False)
    async with serving(production) as http:
        for path in ("/", "/dev/accounts", "/dev/sign-in"):
            assert (await http.get(path)).status_code == 404


async def test_it_does_not_start_without_a_database_or_a_square(settings: Settings) -> None:
    with pytest.raises(NotMigrated):
        await serving(settings).__aenter__()
    nowhere = replace(settings, database_url="postgresql://plein:none@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnavailable):
        await serving(nowhere).__aenter__()


async def test_it_recovers_from_an_outage_without_a_restart(
    http: httpx.AsyncClient, fresh_database: str, postgres_url: str
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(fresh_database)["dbname"]
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as admin:
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            down = await http.get("/readyz")
            assert (down.status_code, down.json()["parts"]) == (503, {"database": "unavailable"})
            assert down.headers["retry-after"]
            assert (await http.get("/livez")).status_code == 200
            assert (await http.get("/dev/accounts")).status_code == 503
        finally:
            await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    for _ in range(100):
        if (await http.get("/readyz")).status_code == 200:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it has not recovered within ten seconds")
