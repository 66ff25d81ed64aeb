"""Plein, two other services and a gateway over all of them, each on a port of this machine."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from auth.policy import Role
from schema.relay import PLATFORM_ID, NodeId, encode_id
from tenants.database import Database
from tenants.registry import TenantRef
from tests.conftest import ProvisionSite
from tests.gateway.live.running import Running, running_gateway
from tests.gateway.mutations.door import Person, id_of
from tests.wire.node import require_packages

PACKAGES = {
    "@apollo/composition": "2.14.4",
    "@apollo/gateway": "2.14.4",
    "@apollo/subgraph": "2.11.2",
    "@graphql-hive/gateway": "2.15.1",
    "@graphql-hive/router-runtime": "1.4.23",
    "@theguild/federation-composition": "0.26.3",
    "graphql": "16.11.0",
    "graphql-yoga": "5.24.1",
}
START_SECONDS = 60


def ref(tag: str, site: TenantRef, key: Any = None) -> dict[str, str]:
    """How a service refers to a thing by its id."""
    return {"id": id_of(tag, site, key)}


def account_id(person: Person) -> str:
    """The global id of an account."""
    return encode_id(NodeId("A", PLATFORM_ID, person.id))


def site_id(site: TenantRef) -> str:
    """The global id of a site."""
    return encode_id(NodeId("S", PLATFORM_ID, site.id))


@dataclass(frozen=True)
class Composed:
    """The gateway over all services, and what stands on the sites that they tell of."""

    gateway: str
    url: str
    hints: list[str]
    sites: list[TenantRef]
    hidden: TenantRef
    owner: Person
    guest: Person
    items: list[str]
    secret_item: str

    async def ask(self, who: Person | None, query: str, **variables: Any) -> dict[str, Any]:
        """What the gateway answers."""
        headers = {"authorization": f"Bearer {who.token}"} if who else {}
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            body = {"query": query, "variables": variables}
            answer: dict[str, Any] = (await client.post("/graphql", json=body, headers=headers)).json()
        return answer

    async def asked(self) -> list[dict[str, Any]]:
        """What the services were asked since the last time."""
        async with httpx.AsyncClient(base_url=self.url) as client:
            told: list[dict[str, Any]] = (await client.get("/asked")).json()
        return told


@pytest_asyncio.fixture(scope="session")
async def plein(
    square_database: str,
    database: Database,
    provision_site: ProvisionSite,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Running]:
    directory: Path = tmp_path_factory.mktemp("federation")
    async with running_gateway(square_database, directory, database, provision_site) as running:
        yield running


@pytest_asyncio.fixture(scope="session", params=["hive", "hive-router", "apollo"])
async def composed(plein: Running, request: pytest.FixtureRequest) -> AsyncIterator[Composed]:
    """Three open sites with an item each, and a hidden one, behind gateways of both families."""
    home = require_packages("federation", PACKAGES)
    owner, guest = await plein.person(), await plein.person()
    sites = [await plein.provision_site(owner_account_id=owner.id) for _ in range(3)]
    hidden = await plein.provision_site(owner_account_id=owner.id, access=2, visibility=2, joining="INVITATION")
    items = []
    for site in (*sites, hidden):
        given = {"kind": "NEWS" if site is sites[0] else "BLOG", "title": f"On {site.slug}", "body": "Tekst"}
        access = "MEMBERS" if site is hidden else "PUBLIC"
        made = await plein.change(owner, "createContent", "content { id }", site=site_id(site), access=access, **given)
        items.append(made["content"]["id"])
    await plein.give_role(sites[0], owner, Role.OWNER)
    badges = [
        {
            "id": f"badge-{number}",
            "name": f"Badge {number}",
            "site": {"id": site_id(site)},
            "item": {"id": items[number]},
            "member": {"site": {"id": site_id(site)}, "account": {"id": account_id(owner)}},
            "account": {"id": account_id(owner)},
        }
        for number, site in enumerate((*sites, hidden))
    ]
    forged = items[0][:30] + ("0" if items[0][30] != "0" else "1") + items[0][31:]
    badges.append({"id": "forged", "name": "Forged", "site": {"id": "nonsense"}, "item": {"id": forged}})
    data = json.dumps(
        {"set": "square", "badges": badges, "slugs": [*(site.slug for site in (*sites, hidden)), "niets"]}
    )
    async with gateway_over(home, request.param, f"{plein.url}/graphql", owner.token, data) as told:
        yield Composed(request.param, told["url"], told["hints"], sites, hidden, owner, guest, items[:3], items[3])


@asynccontextmanager
async def gateway_over(home: Path, gateway: str, url: str, token: str, data: str) -> AsyncIterator[dict[str, Any]]:
    """The other services and the gateway, until the block ends."""
    script = Path(__file__).with_name("square.mjs")
    pipe = asyncio.subprocess.PIPE
    environ = {**os.environ, "NODE_ENV": "production"}
    process = await asyncio.create_subprocess_exec(
        *("node", str(script), str(home), gateway, url, token, data),
        stdin=pipe,
        stdout=pipe,
        env=environ,
        limit=2**20,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            told = json.loads(await process.stdout.readline())
        assert "errors" not in told, told["errors"]
        yield told
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()
