"""Saying who asks costs next to nothing of a read, by whatever it is said; measured in the same process and run.

CPU of this process only, and of each way the quietest of many rounds, so that a busy machine changes little. What it
costs a gateway that serves, `python -m tests.benchmarks.authentication` tells.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asgi_lifespan import LifespanManager

from auth.accounts import create_account, link_identity
from auth.api_keys import NewKey, create_key
from auth.issuer import DEVELOPMENT_ISSUER, DevelopmentIssuer
from auth.sessions import Authentication, Device, open_session
from gateway.app import create_app
from gateway.over_http import GraphQLOverHTTP
from gateway.settings import load_settings
from tenants.database import Database
from tests.conftest import ProvisionSite
from tests.gateway.mutations.door import SECRET, Door, id_of

ROUNDS, VISITS, READS = 20, 400, 20
MOST = 0.05
Headers = dict[bytes, bytes]


async def test_saying_who_asks_is_a_small_part_of_a_read(
    square_database: str, database: Database, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    environ = {"PLEIN_DATABASE_URL": square_database, "PLEIN_DATA_DIR": str(tmp_path), "PLEIN_SECRET": SECRET}
    app = create_app(load_settings({**environ, "PLEIN_MODE": "development", "PLEIN_SERVER_TIMING": "off"}))
    async with LifespanManager(app, startup_timeout=30):
        body = await question(Door(None, database, provision_site))  # type: ignore[arg-type]
        ways, over_http = await credentials(database), GraphQLOverHTTP(app.square)
        least_us: dict[str, float] = dict.fromkeys([*ways, "read"], float("inf"))
        for _ in range(ROUNDS):
            for name, headers in ways.items():
                scope = scope_of(headers, len(body))
                assert (await over_http.visit(scope, dict(scope["headers"]))).viewer.account_id or name == "nobody"
                given = dict(scope["headers"])
                began = time.process_time()
                for _ in range(VISITS):
                    await over_http.visit(scope, given)
                least_us[name] = min(least_us[name], (time.process_time() - began) / VISITS * 1e6)
            began = time.process_time()
            for _ in range(READS):
                await read(app, body)
            least_us["read"] = min(least_us["read"], (time.process_time() - began) / READS * 1e6)
    for name in ways:
        part = (least_us[name] - least_us["nobody"]) / least_us["read"]
        assert part < MOST, f"{name}: {part:.1%} of a read; {least_us}"


async def question(door: Door) -> bytes:
    """A read of a public item, as it is sent."""
    site, owner = await door.site()
    item = id_of("C", site)
    async with door.database.transaction(site) as tx:
        row = await tx.exec_driver_sql(
            f'INSERT INTO "{site.schema_name}".content (id, kind, title, body, author_id, access, published_at,'
            f" created_at, updated_at) VALUES ('{site.id}', 'BLOG', 'T', 'B', '{owner.id}', 4, now(), now(), now())"
        )
        assert row.rowcount == 1
    return json.dumps({"query": "query ($id: ID!) { node(id: $id) { id } }", "variables": {"id": item}}).encode()


async def credentials(database: Database) -> Mapping[str, Headers]:
    """One account, by every kind of credential."""
    now = datetime.now(UTC)
    async with database.transaction(None) as tx:
        account = await create_account(tx, "Anna", f"{now.timestamp()}@example.nl")
        await link_identity(tx, account.id, DEVELOPMENT_ISSUER, str(account.id))
        how = Authentication(DEVELOPMENT_ISSUER, str(account.id), None, None, (), now)
        session = await open_session(tx, account.id, how, Device("test", "127.0.0.1"))
        _, key = await create_key(tx, NewKey(account.id, "test", frozenset({"read"}), None, now + timedelta(1)))
    token = DevelopmentIssuer(SECRET).mint(str(account.id)).text
    return {
        "nobody": {},
        "access token": {b"authorization": f"Bearer {token}".encode()},
        "API key": {b"authorization": f"Bearer {key}".encode()},
        "session": {b"cookie": f"plein={session.token}".encode(), b"sec-fetch-site": b"same-origin"},
    }


def scope_of(headers: Headers, length: int) -> dict[str, Any]:
    """An ASGI scope of a request."""
    own = {b"host": b"localhost:8000", b"content-type": b"application/json", b"content-length": b"%d" % length}
    place = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "client": ("127.0.0.1", 1)}
    return {**place, "headers": list({**own, **headers}.items())}


async def read(app: Any, body: bytes) -> None:
    """Ask as nobody, as a server would."""
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await app(scope_of({}, len(body)), receive, send)
    assert b'"id"' in said[-1]["body"], said
