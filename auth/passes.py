"""Passes: how a session on the platform's own host becomes one on a site's host, for one browser and once.

Promises: a pass is good for a minute, on the one host it was made for, for the browser that asked for it there (it
knows what the challenge is a hash of); whoever else sees it can do nothing with it. Taking it uses it up. A session
on a site's own name, which is not in the platform's hands, is good for that site only. It ends with the one it came
from.
"""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.sessions import (
    SESSION,
    Authentication,
    Device,
    NewSession,
    Session,
    open_session,
)
from tenants.pruning import remove_some
from tenants.session_tables import Pass
from tenants.tables import table_of

PASS = table_of(Pass)
LIFETIME = timedelta(minutes=1)
SECRET_BYTES = 32
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
REMOVED_AT_ONCE = 10_000


def new_verifier() -> str:
    """What the browser keeps on the site's host, and nobody else learns."""
    return secrets.token_urlsafe(SECRET_BYTES)


def challenge_of(verifier: str) -> str:
    """What is told of a verifier on the way."""
    digest = sha256(verifier.encode("utf-8", "surrogatepass")).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


async def create_pass(tx: AsyncConnection, session: Session, host: str, tenant_id: UUID | None, challenge: str) -> str:
    """Make a pass from a session on the platform's host; gives its code. Raises ValueError for no challenge."""
    if not CHALLENGE.fullmatch(challenge):
        raise ValueError("a challenge is the hash of a verifier")
    code = secrets.token_urlsafe(SECRET_BYTES)
    row = {
        "code_hash": _hash(code),
        "session_id": session.id,
        "host": host,
        "tenant_id": tenant_id,
        "state_hash": _hash(challenge),
        "expires_at": datetime.now(UTC) + LIFETIME,
    }
    await tx.execute(insert(PASS).values(row))
    return code


async def use_pass(
    tx: AsyncConnection, code: str, verifier: str, device: Device
) -> tuple[NewSession, UUID, Authentication] | None:
    """Open the session that a pass is for, on the device's host; gives it, its account and how it was signed in.

    None where there is no such pass for this host and browser; then it is used up all the same.
    """
    row = (await tx.execute(delete(PASS).where(PASS.c.code_hash == _hash(code)).returning(*PASS.c))).first()
    if row is None or row.expires_at < datetime.now(UTC) or row.host != device.host:
        return None
    if bytes(row.state_hash) != _hash(challenge_of(verifier)):
        return None
    # Locked, so that it cannot end in between and leave this one behind.
    parent = select(SESSION).where(SESSION.c.id == row.session_id).with_for_update(read=True)
    above = (await tx.execute(parent)).first()
    if above is None:
        return None
    how = Authentication(above.issuer, above.subject, above.sid, above.acr, tuple(above.amr), above.authenticated_at)
    there = Device(device.name, device.address, device.host, row.tenant_id)
    session = await open_session(tx, above.account_id, how, there, parent_id=above.id)
    return session, above.account_id, how


async def remove_old_passes(tx: AsyncConnection) -> int:
    """Remove up to `REMOVED_AT_ONCE` passes that expired; how many."""
    return await remove_some(tx, PASS, PASS.c.expires_at < datetime.now(UTC), REMOVED_AT_ONCE)


def _hash(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
