"""Somebody who is signed in, without the way there: a session is opened and its cookie put into the browser."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from uuid import UUID

from auth.accounts import create_account
from auth.sessions import Authentication, Device, open_session
from auth.viewer import PlatformRole
from gateway.app import Gateway
from tests.gateway.pages.visitor import Visitor


async def new_account(door: Gateway, name: str = "Sanne", role: PlatformRole = PlatformRole.NONE) -> UUID:
    """The id of a new account."""
    async with door.square.database.transaction(None) as tx:
        return (await create_account(tx, name, f"{secrets.token_hex(8)}@example.nl", role=role)).id


async def sign_in(door: Gateway, visitor: Visitor, account_id: UUID, host: str = "") -> UUID:
    """Put a session of this account into the browser; gives its id."""
    how = Authentication("urn:plein:test", str(account_id), None, None, ("pwd",), datetime.now(UTC))
    async with door.square.database.transaction(None) as tx:
        new = await open_session(tx, account_id, how, Device("Test", "192.0.2.7", host))
    name = "__Host-plein" if door.square.settings.is_production else "plein"
    visitor.keep(name, new.token)
    return new.id
