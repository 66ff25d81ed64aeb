"""Accounts and identities, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth import accounts
from auth.errors import AccountExists, IdentityTaken
from auth.viewer import PlatformRole, Viewer
from tenants.database import Database
from tenants.provisioning import NewTenant, provision
from tenants.settings import DatabaseSettings


@pytest_asyncio.fixture
async def tx(database: Database) -> AsyncIterator[AsyncConnection]:
    """A transaction on the shared square that leaves nothing behind."""
    with suppress(RollBackError):
        async with database.transaction(None) as tx:
            yield tx
            raise RollBackError


class RollBackError(Exception):
    """Ends a transaction that is to leave nothing behind."""


@pytest_asyncio.fixture
async def square(fresh_square: str) -> AsyncIterator[Database]:
    database = Database(DatabaseSettings(fresh_square))
    await database.open()
    yield database
    await database.close()


async def test_an_account_is_found_by_its_address_in_any_case(tx: AsyncConnection) -> None:
    made = await accounts.create_account(tx, "Ömer Yılmaz", " Omer@Example.nl ", role=PlatformRole.ANALYST)
    assert made.email == "Omer@Example.nl"
    assert await accounts.load_account_by_email(tx, "omer@example.NL") == made
    assert await accounts.load_account(tx, made.id) == made
    assert await accounts.load_account(tx, uuid4()) is None


async def test_an_address_is_one_accounts_and_the_transaction_survives_being_told(tx: AsyncConnection) -> None:
    first = await accounts.create_account(tx, "Anna", "anna@example.nl")
    with pytest.raises(AccountExists):
        await accounts.create_account(tx, "Another Anna", "ANNA@example.nl")
    assert await accounts.load_account_by_email(tx, "anna@example.nl") == first


async def test_of_several_at_once_one_gets_the_address(database: Database) -> None:
    address = f"{uuid4().hex}@example.nl"

    async def create() -> bool:
        try:
            async with database.transaction(None) as tx:
                await accounts.create_account(tx, "Anna", address)
                await asyncio.sleep(0.05)
        except AccountExists:
            return False
        return True

    assert sorted(await asyncio.gather(*(create() for _ in range(4)))) == [False, False, False, True]


async def test_an_identity_makes_a_viewer(tx: AsyncConnection) -> None:
    made = await accounts.create_account(tx, "Anna", "anna@example.nl", role=PlatformRole.OPERATOR)
    await accounts.link_identity(tx, made.id, "https://id.example", "anna")
    await accounts.link_identity(tx, made.id, "https://id.example", "anna")
    assert await accounts.load_viewer(tx, "https://id.example", "anna") == Viewer(made.id, PlatformRole.OPERATOR)
    assert await accounts.load_viewer(tx, "https://other.example", "anna") is None
    assert await accounts.load_viewer(tx, "https://id.example", "Anna") is None


async def test_an_identity_is_one_accounts(tx: AsyncConnection) -> None:
    anna, eve = [await accounts.create_account(tx, name, f"{name}@example.nl") for name in ("anna", "eve")]
    await accounts.link_identity(tx, anna.id, "https://id.example", "anna")
    with pytest.raises(IdentityTaken):
        await accounts.link_identity(tx, eve.id, "https://id.example", "anna")
    assert await accounts.load_viewer(tx, "https://id.example", "anna") == Viewer(anna.id)


async def test_an_account_that_is_gone_takes_its_identities_along(tx: AsyncConnection) -> None:
    made = await accounts.create_account(tx, "Anna", "anna@example.nl")
    await accounts.link_identity(tx, made.id, "https://id.example", "anna")
    await tx.execute(text("DELETE FROM platform.account WHERE id = :id"), {"id": made.id})
    assert await accounts.load_viewer(tx, "https://id.example", "anna") is None


async def test_the_cast_has_a_few_of_every_part_with_most_say_first(square: Database) -> None:
    async with square.transaction(None) as tx:
        names = ("olga", "carl", "dora", "emil", "fred", "gina")
        made = {name: await accounts.create_account(tx, name, f"{name}@example.nl") for name in names}
        await accounts.link_identity(tx, made["gina"].id, "https://id.example", "gina")
        await accounts.create_account(tx, "anton", "anton@example.nl", role=PlatformRole.ANALYST)
        await accounts.create_account(tx, "oscar", "oscar@example.nl", role=PlatformRole.OPERATOR)
    for slug, owner in (("one", "olga"), ("two", "olga"), ("three", "carl"), ("four", "dora"), ("five", "dora")):
        await provision(square, NewTenant(slug, slug), owner_account_id=made[owner].id)
    async with square.transaction(None) as tx:
        cast = await accounts.load_cast(tx, "https://id.example", per_part=2)
    shown = [(each.account.name, each.account.role.name, each.site_count, each.site_role) for each in cast]
    assert shown == [
        ("oscar", "OPERATOR", 0, None),
        ("anton", "ANALYST", 0, None),
        ("dora", "NONE", 2, 5),
        ("olga", "NONE", 2, 5),
        ("gina", "NONE", 0, None),
        ("emil", "NONE", 0, None),
    ]


async def test_nobody_is_cast_on_an_empty_square(square: Database) -> None:
    async with square.transaction(None) as tx:
        assert await accounts.load_cast(tx, "https://id.example") == []
