"""What is revoked is told: in this process and in others, once it is committed, and not before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from time import time
from uuid import UUID, uuid4

import psycopg
import pytest
import pytest_asyncio

from auth.remembered import Remembered
from auth.revocations import (
    ACCOUNT,
    CREDENTIAL,
    RevocationFeed,
    Revocations,
    Revoked,
    load_revocations,
    prune_revocations,
    revoke_account,
    revoke_credential,
)
from auth.viewer import Viewer
from tenants.database import Database
from tenants.reader import Reader
from tenants.registry import Registry
from tenants.settings import DatabaseSettings

ACCOUNT_ID, SESSION, KEY, CLIENT, GRANT = (uuid4() for _ in range(5))
BY_SESSION = Viewer(ACCOUNT_ID, session_id=SESSION)
BY_KEY = Viewer(ACCOUNT_ID, key_id=KEY)
BY_CLIENT = Viewer(ACCOUNT_ID, client_id=CLIENT)
BY_GRANT = Viewer(ACCOUNT_ID, session_id=SESSION, client_id=CLIENT, grant_id=GRANT)
ELSE = Viewer(uuid4(), session_id=uuid4())


class Heard(list[Revoked]):
    """What was told, and a way to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.news = asyncio.Event()

    def hear(self, revoked: Revoked) -> None:
        """Note it."""
        self.append(revoked)
        self.news.set()

    async def wait_for(self, revoked: Revoked) -> None:
        """Until it is told."""
        async with asyncio.timeout(20):
            while revoked not in self:
                self.news.clear()
                await self.news.wait()


@pytest_asyncio.fixture
async def heard(square_database: str) -> AsyncIterator[tuple[Heard, RevocationFeed, str]]:
    """A process that listens, as far as revocations go, and the application name by which its connection is known."""
    name = f"plein-{uuid4().hex[:8]}"
    settings = DatabaseSettings(square_database, application_name=name)
    reader = Reader(square_database, connections=1, statement_timeout_ms=5000)
    await reader.open()
    registry = Registry(reader)
    await registry.open()
    revocations, told = Revocations(), Heard()
    revocations.hear(told.hear)
    feed = RevocationFeed(settings, revocations, partial(load_revocations, reader, registry.platform_role))
    feed.open()
    yield told, feed, name
    await feed.close()
    await reader.close()


Listening = tuple[Heard, RevocationFeed, str]


async def test_what_is_committed_is_told_in_another_process(heard: Listening, database: Database) -> None:
    told, _, _ = heard
    account, session = uuid4(), uuid4()
    async with database.transaction(None) as tx:
        await revoke_account(tx, account)
        await revoke_credential(tx, session)
    await told.wait_for(Revoked(ACCOUNT, account))
    await told.wait_for(Revoked(CREDENTIAL, session))
    assert [each.subject_id for each in told].count(account) == 1


async def test_what_is_undone_is_never_told(heard: Listening, database: Database) -> None:
    told, feed, _ = heard
    undone, done = uuid4(), uuid4()
    async with database.transaction(None) as tx:
        await revoke_account(tx, undone)
        await tx.rollback()
    async with database.transaction(None) as tx:
        await revoke_account(tx, done)
        await feed.catch_up()
        assert Revoked(ACCOUNT, done) not in told
    await feed.catch_up()
    assert Revoked(ACCOUNT, done) in told
    assert Revoked(ACCOUNT, undone) not in told


async def test_nothing_is_lost_with_the_connection(heard: Listening, database: Database, square_database: str) -> None:
    """The listening connection is killed, and something revoked before it is back."""
    told, _, name = heard
    first, account = uuid4(), uuid4()
    async with database.transaction(None) as tx:
        await revoke_account(tx, first)
    await told.wait_for(Revoked(ACCOUNT, first))  # so it is connected
    with psycopg.connect(square_database, autocommit=True) as owner:
        kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
        assert owner.execute(kill, (name,)).fetchall() == [(True,)]
    async with database.transaction(None) as tx:
        await revoke_account(tx, account)
    await told.wait_for(Revoked(ACCOUNT, account))


@pytest.mark.parametrize(
    ("kind", "subject_id", "meant"),
    [
        (ACCOUNT, ACCOUNT_ID, [BY_SESSION, BY_KEY, BY_CLIENT, BY_GRANT]),
        (CREDENTIAL, SESSION, [BY_SESSION, BY_GRANT]),
        (CREDENTIAL, KEY, [BY_KEY]),
        (CREDENTIAL, CLIENT, [BY_CLIENT, BY_GRANT]),
        (CREDENTIAL, GRANT, [BY_GRANT]),
        (CREDENTIAL, ACCOUNT_ID, []),
        (ACCOUNT, SESSION, []),
    ],
)
def test_it_is_about_whoever_came_by_it(kind: str, subject_id: UUID, meant: list[Viewer]) -> None:
    revoked = Revoked(kind, subject_id)
    everybody = [BY_SESSION, BY_KEY, BY_CLIENT, BY_GRANT, ELSE, Viewer()]
    assert [viewer for viewer in everybody if revoked.is_about(viewer)] == meant
    memory, revocations = Remembered(time), Revocations()
    for number, viewer in enumerate(everybody):
        memory.keep(str(number), viewer, time() + 60, memory.forgotten)
    revocations.hear_for(memory)
    began = revocations.count
    revocations.tell(revoked)
    assert [viewer for number, viewer in enumerate(everybody) if memory.find(str(number)) is None] == meant
    # Whoever was verified before and connects after.
    if kind == ACCOUNT or meant:
        assert [viewer for viewer in everybody if revocations.has_ended(viewer, began)] == (
            meant or [BY_SESSION, BY_GRANT]
        )
    assert not any(revocations.has_ended(viewer, revocations.count) for viewer in everybody)


def test_what_is_verified_while_something_is_revoked_is_not_remembered() -> None:
    memory = Remembered(time)
    before = memory.forgotten
    memory.forget_account(uuid4())
    memory.keep("a", BY_KEY, time() + 60, before)
    assert memory.find("a") is None
    memory.keep("a", BY_KEY, time() + 60, memory.forgotten)
    assert memory.find("a") == BY_KEY


async def test_old_ones_go(database: Database) -> None:
    account = uuid4()
    async with database.transaction(None) as tx:
        await revoke_account(tx, account)
        await prune_revocations(tx)
        found = (await tx.exec_driver_sql(f"SELECT 1 FROM platform.revocation WHERE subject_id = '{account}'")).all()
        assert len(found) == 1
        aged = f"UPDATE platform.revocation SET revoked_at = now() - interval '2 days' WHERE subject_id = '{account}'"
        await tx.exec_driver_sql(aged)
        assert await prune_revocations(tx) >= 1
        found = (await tx.exec_driver_sql(f"SELECT 1 FROM platform.revocation WHERE subject_id = '{account}'")).all()
        assert found == []
