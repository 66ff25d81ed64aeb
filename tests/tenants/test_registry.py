"""The register: finds sites, remembers them within bounds, and is never fooled for good by what it remembers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import insert, update

from tenants import registry as module
from tenants.database import Database
from tenants.errors import NotMigrated, StatementFailed
from tenants.ids import uuid7
from tenants.provisioning import drop
from tenants.reader import Reader, Statement
from tenants.registry import HOST, TENANT, Registry, list_tenants, load_tenant
from tenants.scripts import load_scripts
from tests.conftest import ProvisionSite


@pytest_asyncio.fixture(scope="module")
async def plain_reader(square_database: str) -> AsyncIterator[Reader]:
    reader = Reader(square_database, connections=1)
    await reader.open()
    yield reader
    await reader.close()


@pytest_asyncio.fixture
async def registry(plain_reader: Reader) -> Registry:
    registry = Registry(plain_reader)
    await registry.open()
    return registry


async def test_finds_by_slug_id_and_host(registry: Registry, database: Database, provision_site: ProvisionSite) -> None:
    site = await provision_site()
    async with database.transaction(None) as tx:
        await tx.execute(insert(HOST).values(host=f"{site.slug}.example.nl", tenant_id=site.id))
        assert await load_tenant(tx, site.slug) == site
        assert await load_tenant(tx, "nowhere") is None
    assert await registry.by_slug(site.slug) == site
    assert await registry.by_id(site.id) == site
    assert await registry.by_host(f"{site.slug}.EXAMPLE.nl") == site


@pytest.mark.parametrize("name", ["nowhere", "", "a\0b", "' OR true --", "ü", "\udcff", "x" * 10_000])
async def test_unknown_names_are_none(registry: Registry, name: str) -> None:
    assert await registry.by_slug(name) is None
    assert await registry.by_host(name) is None


async def test_many_in_one_read_and_in_order(registry: Registry, provision_site: ProvisionSite) -> None:
    sites = [await provision_site() for _ in range(3)]
    await registry.by_id(sites[1].id)
    asked = [sites[2].id, uuid7(), sites[0].id, sites[1].id, sites[2].id]
    found = await registry.many(asked)
    assert list(found.items()) == [(site.id, site) for site in (sites[2], sites[0], sites[1])]
    assert await registry.many([]) == {}


async def test_a_site_made_after_it_was_asked_for_is_found(registry: Registry, provision_site: ProvisionSite) -> None:
    slug = f"late-{uuid7().hex[-12:]}"
    assert await registry.by_slug(slug) is None
    site = await provision_site(slug)
    assert await registry.by_slug(slug) == site


async def test_what_is_remembered_asks_nothing(
    square_database: str, registry: Registry, provision_site: ProvisionSite
) -> None:
    site = await provision_site()
    reader = Reader(square_database, connections=1)
    await reader.open()
    known = Registry(reader)
    await known.open()
    await known.by_slug(site.slug)
    await reader.close()
    assert await known.by_slug(site.slug) == site
    assert await known.by_id(site.id) == site


async def test_forgetting(registry: Registry, database: Database, provision_site: ProvisionSite) -> None:
    site = await provision_site()
    assert await registry.by_slug(site.slug) == site
    renamed = f"new-{site.slug}"
    async with database.transaction(None) as tx:
        await tx.execute(update(TENANT).where(TENANT.c.id == site.id).values(slug=renamed))
    registry.forget(site.id)
    assert await registry.by_slug(site.slug) is None
    found = await registry.by_slug(renamed)
    assert found is not None
    assert found.id == site.id
    async with database.transaction(None) as tx:
        await drop(tx, site)
    registry.forget(site.id)
    assert await registry.by_id(site.id) is None


async def test_memory_is_bounded(
    registry: Registry, provision_site: ProvisionSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED_MAX", 2)
    sites = [await provision_site() for _ in range(4)]
    for _ in range(2):
        for site in sites:
            assert await registry.by_slug(site.slug) == site
    assert len(await registry.many([site.id for site in sites])) == 4
    assert (len(registry._by_id), len(registry._by_slug)) == (2, 2)


async def test_the_platforms_role_reads_the_platform_and_not_its_secrets(
    registry: Registry, plain_reader: Reader, provision_site: ProvisionSite
) -> None:
    site = await provision_site()
    role = registry.platform_role
    assert role.startswith("square_")
    assert await plain_reader.fetch(Statement("SELECT current_user", role), []) == [(role.encode(),)]
    allowed = "SELECT id, name, email, role, created_at FROM platform.account LIMIT 0"
    assert await plain_reader.fetch(Statement(allowed, role), []) == []
    for forbidden in (
        "SELECT subject FROM platform.identity",
        "SELECT token_hash FROM platform.session",
        "SELECT secret FROM platform.issuer",
        "SELECT * FROM platform.request",
        f"SELECT * FROM {site.schema_name}.content",
    ):
        with pytest.raises(StatementFailed, match="42501"):
            await plain_reader.fetch(Statement(forbidden, role), [])


async def test_a_database_without_a_square_is_told(fresh_database: str) -> None:
    reader = Reader(fresh_database, connections=1)
    await reader.open()
    registry = Registry(reader)
    with pytest.raises(NotMigrated):
        await registry.open()
    with pytest.raises(NotMigrated):
        await registry.by_slug("x")
    await reader.close()


async def test_lists_sites_a_page_at_a_time(database: Database, provision_site: ProvisionSite) -> None:
    sites = {(await provision_site()).slug for _ in range(3)}
    async with database.transaction(None) as tx:
        everything = await list_tenants(tx)
        slugs = [each.ref.slug for each in everything]
        assert sites <= set(slugs)
        assert slugs == sorted(slugs)
        page = await list_tenants(tx, after_slug=slugs[0], limit=2)
    assert [each.ref.slug for each in page] == slugs[1:3]
    assert {(each.state, each.schema_version) for each in page} == {("ACTIVE", load_scripts().tenant_version)}
