"""CORS: which pages may read answers, as a browser finds out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from gateway.app import create_app
from gateway.settings import load_settings
from tests.conftest import ProvisionSite

PRODUCTION = {
    "PLEIN_MODE": "production",
    "PLEIN_SECRET": "s" * 32,
    "PLEIN_BASE_HOST": "plein.example",
    "PLEIN_S3_ENDPOINT": "http://127.0.0.1:1",
    "PLEIN_S3_ACCESS_KEY": "id",
    "PLEIN_S3_SECRET_KEY": "secret",
    "PLEIN_CORS_ORIGINS": "https://page.example:8443, https://Other.example/",
}
ASKED = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,authorization"}


@pytest.fixture(scope="session")
async def sites(provision_site: ProvisionSite, square_database: str) -> str:
    """The slug of a site that also answers under `wij-<slug>.nl`."""
    site = await provision_site()
    async with await psycopg.AsyncConnection.connect(square_database, autocommit=True) as connection:
        values = (f"wij-{site.slug}.nl", site.id)
        await connection.execute("INSERT INTO platform.host (host, tenant_id) VALUES (%s, %s)", values)
    return site.slug


@pytest.fixture(scope="session")
async def production(square_database: str, tmp_path_factory: Any, listen: Any) -> AsyncIterator[httpx.AsyncClient]:
    data_dir: Path = tmp_path_factory.mktemp("production")
    settings = load_settings({**PRODUCTION, "PLEIN_DATABASE_URL": square_database, "PLEIN_DATA_DIR": str(data_dir)})
    async with listen(create_app(settings)) as url, httpx.AsyncClient(base_url=url) as client:
        client.headers["host"] = "plein.example"
        yield client


async def readers(http: httpx.AsyncClient, origin: str) -> str | None:
    """Who may read the answer to a request from this origin, and that its preflight says the same."""
    sent = await http.post("/graphql", json={"query": "{ __typename }"}, headers={"origin": origin})
    assert sent.json() == {"data": {"__typename": "Query"}}
    assert "origin" in sent.headers["vary"]
    assert "access-control-allow-credentials" not in sent.headers
    allowed = sent.headers.get("access-control-allow-origin")
    preflight = await http.options("/graphql", headers={"origin": origin, **ASKED})
    assert preflight.status_code == 204
    assert preflight.headers.get("access-control-allow-origin") == allowed
    assert ("access-control-allow-headers" in preflight.headers) is (allowed is not None)
    if allowed:
        assert {"authorization", "*"} <= set(preflight.headers["access-control-allow-headers"].split(", "))
        assert "ratelimit" in sent.headers["access-control-expose-headers"]
    return allowed


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://page.example:8443", True),
        ("https://other.example", True),
        ("https://page.example", False),
        ("http://page.example:8443", False),
        ("https://{slug}.plein.example", True),
        ("http://{slug}.plein.example", False),
        ("https://{slug}.plein.example:8443", False),
        ("https://no-such-site.plein.example", False),
        ("https://wij-{slug}.nl", True),
        ("https://wij-{slug}.nl.evil.example", False),
        ("https://evil.example", False),
        ("https://plein.example.evil.example", False),
        ("https://evilplein.example", False),
        ("http://localhost:5173", False),
        ("null", False),
        ("https://a@plein.example", False),
        ("https://[", False),
        ("https://plein.example:99999", False),
        ("x" * 5000, False),
    ],
)
async def test_pages_that_may_read_in_production(
    production: httpx.AsyncClient, sites: str, origin: str, allowed: bool
) -> None:
    origin = origin.format(slug=sites)
    assert await readers(production, origin) == (origin if allowed else None)


async def test_a_page_of_the_same_origin_needs_no_leave(production: httpx.AsyncClient) -> None:
    assert await readers(production, "https://plein.example") is None


async def test_the_square_may_be_read_by_a_page_of_a_site(production: httpx.AsyncClient, sites: str) -> None:
    headers = {"origin": "https://plein.example", "host": f"{sites}.plein.example"}
    answer = await production.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
    assert answer.headers["access-control-allow-origin"] == "https://plein.example"


async def test_in_development_pages_of_this_machine_may_read(gateway_url: str) -> None:
    async with httpx.AsyncClient(base_url=gateway_url) as http:
        for origin in ("http://localhost:5173", "http://127.0.0.1:3000", "http://zwolle.localhost:5173"):
            assert await readers(http, origin) == origin
        assert await readers(http, "https://evil.example") is None


async def test_errors_can_be_read_as_well(production: httpx.AsyncClient) -> None:
    headers = {"origin": "https://page.example:8443", "accept": "text/html"}
    refused = await production.post("/graphql", json={}, headers=headers)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (406, headers["origin"])
