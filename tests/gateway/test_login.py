"""Development sign-in: who may use it, what it gives, and that there is none in production."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager

from auth.accounts import create_account
from auth.issuer import DevelopmentIssuer
from auth.viewer import PlatformRole
from gateway.app import Gateway
from gateway.settings import Settings, load_settings
from tenants.database import Database
from tenants.provisioning import NewTenant, provision
from tenants.settings import DatabaseSettings

SECRET = "s" * 40
WHO = {"query": "{ viewer { account { name } } }"}
S3 = {"PLEIN_S3_ENDPOINT": "http://127.0.0.1:9", "PLEIN_S3_ACCESS_KEY": "key", "PLEIN_S3_SECRET_KEY": "x" * 20}


async def tell(*args: Any) -> bytes:
    """Stands where operations are executed: tells who asks."""
    viewer = args[2]
    return orjson.dumps({"data": {"id": viewer.account_id, "role": viewer.platform_role.name}})


def settings_for(url: str, data_dir: Path, mode: str, **more: str) -> Settings:
    environ = {"PLEIN_MODE": mode, "PLEIN_DATABASE_URL": url, "PLEIN_DATA_DIR": str(data_dir), "PLEIN_SECRET": SECRET}
    return load_settings(environ | {"PLEIN_READER_CONNECTIONS": "1"} | more)


@pytest.fixture(scope="module")
def square(create_database: Callable[..., str], empty_square: str) -> str:
    """The URL of a square with nobody but Anna on it, for the tests of this file."""
    return create_database(empty_square)


@pytest_asyncio.fixture(scope="module")
async def door(square: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    gateway = Gateway(settings_for(square, tmp_path_factory.mktemp("data"), "development"), tell)
    async with LifespanManager(gateway, startup_timeout=30, shutdown_timeout=30):
        yield gateway


@pytest_asyncio.fixture(scope="module")
async def anna(square: str) -> str:
    """The id of Anna, an analyst who owns a site."""
    database = Database(DatabaseSettings(square))
    await database.open()
    async with database.transaction(None) as tx:
        account = await create_account(tx, "Anna de Boer", "anna@example.nl", role=PlatformRole.ANALYST)
    await provision(database, NewTenant("utrecht", "Utrecht"), owner_account_id=account.id)
    await database.close()
    return str(account.id)


def client(
    door: Gateway, *, at: str = "http://localhost:8000", peer: str = "127.0.0.1", **headers: str
) -> httpx.AsyncClient:
    """A client at an address, from an address; header names with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    transport = httpx.ASGITransport(door, client=(peer, 5000))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url=at, headers=named)


async def test_the_accounts_one_can_be(door: Gateway, anna: str) -> None:
    async with client(door) as http:
        answer = await http.get("/dev/accounts")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "accounts": [
            {"id": anna, "name": "Anna de Boer", "platformRole": "ANALYST", "siteRole": "OWNER", "siteCount": 1}
        ]
    }


@pytest.mark.usefixtures("anna")
async def test_no_address_and_nothing_secret_is_told(door: Gateway) -> None:
    async with client(door) as http:
        assert "anna@" not in (await http.get("/dev/accounts")).text


async def test_with_the_token_one_is_that_account(door: Gateway, anna: str) -> None:
    async with client(door) as http:
        signed_in = (await http.post("/dev/sign-in", json={"accountId": anna})).json()
        again = (await http.post("/dev/sign-in", json={"accountId": anna})).json()
        assert signed_in["account"] == {"id": anna, "name": "Anna de Boer"}
        for token in (signed_in["token"], again["token"]):
            asked = await http.post("/graphql", json=WHO, headers={"authorization": f"Bearer {token}"})
            assert asked.json() == {"data": {"id": anna, "role": "ANALYST"}}
        assert (await http.post("/graphql", json=WHO)).json() == {"data": {"id": None, "role": "NONE"}}


NEAR = [
    {},
    {"at": "http://127.0.0.1:8000"},
    {"at": "http://[::1]:8000", "peer": "::1"},
    {"at": "http://utrecht.localhost:8000", "origin": "http://utrecht.localhost:8000", "sec_fetch_site": "same-origin"},
]
FAR = [
    {"peer": "192.0.2.7"},
    {"at": "http://plein.example"},
    {"at": "http://localhost.example"},
    {"origin": "https://elsewhere.example"},
    {"origin": "null"},
    {"origin": "http://localhost:9000"},
    {"origin": "http://utrecht.localhost:8000"},
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
]


@pytest.mark.parametrize("how", NEAR, ids=str)
async def test_this_machine_and_this_origin_may_sign_in(door: Gateway, anna: str, how: dict[str, str]) -> None:
    async with client(door, **how) as http:
        assert (await http.get("/dev/accounts")).status_code == 200
        assert (await http.post("/dev/sign-in", json={"accountId": anna})).status_code == 200


@pytest.mark.parametrize("how", FAR, ids=str)
async def test_nobody_else_may(door: Gateway, anna: str, how: dict[str, str]) -> None:
    async with client(door, **how) as http:
        for answer in (await http.get("/dev/accounts"), await http.post("/dev/sign-in", json={"accountId": anna})):
            assert answer.status_code == 403
            assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
            assert anna not in answer.text


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"", "application/json", "BAD_USER_INPUT"),
        (b"null", "application/json", "BAD_USER_INPUT"),
        (b"[]", "application/json", "BAD_USER_INPUT"),
        (b'{"accountId": 7}', "application/json", "BAD_USER_INPUT"),
        (b'{"accountId": "anna"}', "application/json", "BAD_USER_INPUT"),
        (b"\xff\xfe", "application/json", "BAD_USER_INPUT"),
        (b"[" * 1000, "application/json", "BAD_USER_INPUT"),
        (b" " * 1025, "application/json", "LIMIT_EXCEEDED"),
        (b'{"accountId": "{id}"}', "text/plain", "BAD_USER_INPUT"),
        (b"accountId={id}", "application/x-www-form-urlencoded", "BAD_USER_INPUT"),
    ],
)
async def test_what_is_no_request_to_sign_in(
    door: Gateway, anna: str, body: bytes, content_type: str, code: str
) -> None:
    async with client(door) as http:
        content = body.replace(b"{id}", anna.encode())
        answer = await http.post("/dev/sign-in", content=content, headers={"content-type": content_type})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == code


async def test_an_account_that_is_not_there(door: Gateway) -> None:
    async with client(door) as http:
        answer = await http.post("/dev/sign-in", json={"accountId": str(uuid4())})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")


async def test_in_production_there_is_no_sign_in_and_no_such_token(square: str, tmp_path: Path, anna: str) -> None:
    gateway = Gateway(settings_for(square, tmp_path, "production", **S3), tell)
    token = DevelopmentIssuer(SECRET).mint(anna).text
    async with LifespanManager(gateway, startup_timeout=30, shutdown_timeout=30), client(gateway) as http:
        assert (await http.get("/dev/accounts")).status_code == 404
        assert (await http.post("/dev/sign-in", json={"accountId": anna})).status_code == 404
        asked = await http.post("/graphql", json=WHO, headers={"authorization": f"Bearer {token}"})
        assert asked.status_code == 401
        assert asked.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert 'data-mode="production"' in (await http.get("/")).text
