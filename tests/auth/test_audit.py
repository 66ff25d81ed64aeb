"""The audit itself: who may write, read and change it is settled by the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import AUDIT, WINDOW, Act, Client, prune_audit, record, record_on_site
from tenants.database import Database, become
from tenants.registry import TenantRef
from tests.conftest import ProvisionSite

CLIENT = Client("192.0.2.7", "curl/8", "session:1", "r1")


async def rows(database: Database, action: str) -> list[tuple[object, ...]]:
    columns = (AUDIT.c.account_id, AUDIT.c.tenant_id, AUDIT.c.subject, AUDIT.c.details, AUDIT.c.address, AUDIT.c.agent)
    async with database.transaction(None) as tx:
        return [tuple(row) for row in await tx.execute(select(*columns).where(AUDIT.c.action == action))]


async def test_an_act_is_written_with_what_it_is_about(database: Database, provision_site: ProvisionSite) -> None:
    site, me = await provision_site(), uuid4()
    async with database.transaction(None) as tx:
        await record(tx, Act("test.platform", me, None, "x", {"a": [1, "b"]}, CLIENT))
        await become(tx, site)
        await record_on_site(tx, Act("test.site", None, site.id, "y", {}, CLIENT))
    assert await rows(database, "test.platform") == [(me, None, "x", {"a": [1, "b"]}, "192.0.2.7", "curl/8")]
    assert await rows(database, "test.site") == [(None, site.id, "y", {}, "192.0.2.7", "curl/8")]


async def test_what_is_undone_leaves_no_row(database: Database) -> None:
    async with database.transaction(None) as tx:
        await record(tx, Act("test.undone", None, None, "x"))
        await tx.rollback()
    assert await rows(database, "test.undone") == []


@pytest.mark.parametrize("name", ["secret", "newPassword", "access_token", "backupCodes", "keyHash"])
async def test_details_that_read_like_a_secret_are_refused(database: Database, name: str) -> None:
    async with database.transaction(None) as tx:
        with pytest.raises(ValueError, match="secrets"):
            await record(tx, Act("test.secret", None, None, "x", {name: "s"}))


async def test_what_a_client_says_of_itself_cannot_deceive(database: Database) -> None:
    agent = "curl\r\n2026 owner deleted\0\u2028" + "x" * 5000
    async with database.transaction(None) as tx:
        await record(tx, Act("test.agent", None, None, "x", {}, Client("", agent)))
    ((*_, written),) = await rows(database, "test.agent")
    assert isinstance(written, str)
    assert written.startswith("curl  2026 owner deleted  xx")
    assert len(written) == 300


async def test_no_role_but_the_owner_changes_anything(database: Database, provision_site: ProvisionSite) -> None:
    """The site's role adds and reads its own; the platform's reader reads; neither changes or removes."""
    site, other = await provision_site(), await provision_site()
    async with database.transaction(None) as tx:
        await record(tx, Act("test.kept", None, site.id, "x"))
        await record(tx, Act("test.kept", None, other.id, "x"))
        await record(tx, Act("test.kept", None, None, "x"))

    async def refused(be: Callable[[AsyncConnection], Awaitable[object]], statement: Any) -> None:
        async with database.transaction(None) as tx:
            await be(tx)
            with pytest.raises(DBAPIError) as caught:
                await tx.execute(statement)
            await tx.rollback()
        assert getattr(caught.value.orig, "sqlstate", None) in ("42501", "44000")

    async def as_site(tx: AsyncConnection) -> None:
        await become(tx, site)

    async def as_reader(tx: AsyncConnection) -> None:
        role = await tx.scalar(text("SELECT reader_role_name FROM platform.square"))
        await tx.exec_driver_sql(f'SET LOCAL ROLE "{role}"')

    for be, table in ((as_site, WINDOW), (as_site, AUDIT), (as_reader, AUDIT)):
        await refused(be, update(table).values(action="test.changed"))
        await refused(be, delete(table))
    await refused(as_reader, insert(AUDIT).values(_foreign(None)))
    await refused(as_site, insert(WINDOW).values(_foreign(other.id)))
    await refused(as_site, insert(WINDOW).values(_foreign(None)))
    await refused(as_site, select(AUDIT))
    async with database.transaction(site) as tx:
        seen = set((await tx.execute(select(WINDOW.c.tenant_id))).scalars())
    assert seen == {site.id}
    assert [row[1] for row in await rows(database, "test.kept")] == [site.id, other.id, None]


def _foreign(tenant_id: UUID | None) -> dict[str, object]:
    given = {"id": uuid4(), "tenant_id": tenant_id, "account_id": None, "action": "test.foreign", "subject": "x"}
    return {**given, "details": {}, "address": "", "agent": "", "credential": "", "request_id": "", **_now()}


def _now() -> dict[str, object]:
    return {"happened_at": datetime.now(UTC)}


async def test_old_acts_go_and_others_stay(database: Database, provision_site: ProvisionSite) -> None:
    site: TenantRef = await provision_site()
    for _ in range(2):
        async with database.transaction(None) as tx:
            await record(tx, Act("test.aged", None, site.id, "x"))
    long_ago = datetime.now(UTC) - timedelta(days=4000)
    async with database.transaction(None) as tx:
        one = await tx.scalar(select(AUDIT.c.id).where(AUDIT.c.tenant_id == site.id).limit(1))
        await tx.execute(update(AUDIT).where(AUDIT.c.id == one).values(happened_at=long_ago))
        assert await prune_audit(tx, long_ago + timedelta(days=1)) == 1
        assert len((await tx.execute(select(AUDIT).where(AUDIT.c.tenant_id == site.id))).all()) == 1
