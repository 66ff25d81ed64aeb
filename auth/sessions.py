"""Sessions in browsers: opened at sign-in, found by the hash of an opaque token, ended by time, by sign-out or at once.

Promises: a token has 256 random bits, is told once and stored as a hash; signing in and every change of how somebody
is signed in gives a new one, and the old one is dead. A session is good on one host. It ends when it was not used for
some time, and in any case some time after the last sign-in; that it was used is written at most once a minute. A
session on a site's own host ends with the one it was made from. What ends is told to every process in the same
transaction (`revocations`). Never commits, and never writes for a visitor.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.revocations import revoke_credentials
from auth.session_limits import SessionLimits
from auth.viewer import PlatformRole
from tenants import platform_tables, session_tables
from tenants.ids import uuid7
from tenants.pruning import remove_some
from tenants.tables import table_of

SESSION = table_of(session_tables.Session)
ACCOUNT = table_of(platform_tables.Account)

TOKEN_BYTES = 32
TOKEN_CHARACTERS = 43
SEEN_EVERY = timedelta(minutes=1)
LONGEST_DEVICE = 200
LONGEST_ADDRESS = 64
REMOVED_AT_ONCE = 1_000
LISTED_MOST = 200

SQUARE = ""
"""The host of sessions on the platform's own host, under whatever name this machine is reached."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """How somebody signed in: who vouches for it, as whom, in which session of theirs, how well, with what, and when.

    `acr` and `amr` are words of OpenID Connect and RFC 8176 (`pwd`, `otp`, `mfa`).
    """

    issuer: str
    subject: str
    sid: str | None
    acr: str | None
    amr: tuple[str, ...]
    authenticated_at: datetime


@dataclass(frozen=True, slots=True)
class Device:
    """What a session is used with: the browser as it calls itself, from where, and on which host.

    `host` is `SQUARE`, or the slug or own host name of a site; `tenant_id` binds the session to one site.
    """

    name: str
    address: str
    host: str = SQUARE
    tenant_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just opened or rotated; `token` is told this once."""

    token: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is good now, and whose it is."""

    id: UUID
    account_id: UUID
    name: str
    email: str
    platform_role: PlatformRole
    how: Authentication
    device: Device
    parent_id: UUID | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


async def open_session(
    tx: AsyncConnection, account_id: UUID, how: Authentication, device: Device, *, parent_id: UUID | None = None
) -> NewSession:
    """Open a session for whoever has just signed in. `parent_id`: the session it ends with."""
    now, token = datetime.now(UTC), secrets.token_urlsafe(TOKEN_BYTES)
    row = {
        "id": uuid7(),
        "token_hash": _hash(token),
        "account_id": account_id,
        "parent_id": parent_id,
        "host": device.host,
        "tenant_id": device.tenant_id,
        **_columns_of(how),
        "device": device.name[:LONGEST_DEVICE],
        "address": device.address[:LONGEST_ADDRESS],
        "created_at": now,
        "renewed_at": now,
        "last_seen_at": now,
    }
    await tx.execute(insert(SESSION).values(row))
    return NewSession(token, row["id"])


async def load_session(tx: AsyncConnection, token: str, host: str, limits: SessionLimits) -> Session | None:
    """Return the session with this token if it is good now and on this host, or None; one statement."""
    if len(token) != TOKEN_CHARACTERS:
        return None
    found = (
        await tx.execute(_live(limits).where(SESSION.c.token_hash == _hash(token), SESSION.c.host == host))
    ).first()
    return None if found is None else _session(found, limits)


async def list_sessions(tx: AsyncConnection, account_id: UUID, limits: SessionLimits) -> list[Session]:
    """The sessions of an account that are good now, without those made from another; the latest seen first."""
    theirs = (SESSION.c.account_id == account_id, SESSION.c.parent_id.is_(None))
    order = (SESSION.c.last_seen_at.desc(), SESSION.c.id)
    rows = await tx.execute(_live(limits).where(*theirs).order_by(*order).limit(LISTED_MOST))
    return [_session(row, limits) for row in rows]


async def touch_session(tx: AsyncConnection, session: Session) -> None:
    """Write that a session is used, and the one it was made from; nothing where that was less than a minute ago."""
    now = datetime.now(UTC)
    if now - session.last_seen_at < SEEN_EVERY:
        return
    ids = [session.id] if session.parent_id is None else [session.id, session.parent_id]
    stale = and_(SESSION.c.id.in_(ids), SESSION.c.last_seen_at < now - SEEN_EVERY)
    await tx.execute(update(SESSION).where(stale).values(last_seen_at=now))


async def rotate_session(tx: AsyncConnection, session_id: UUID, how: Authentication | None = None) -> NewSession | None:
    """Give a session a new token, and where `how` is given a new beginning: somebody signed in in it once more.

    None where there is no such session any more. The old token is dead; sessions made from it stay as they are.
    """
    now, token = datetime.now(UTC), secrets.token_urlsafe(TOKEN_BYTES)
    values: dict[str, Any] = {"token_hash": _hash(token), "last_seen_at": now}
    if how is not None:
        values |= {**_columns_of(how), "renewed_at": now}
    done = await tx.execute(update(SESSION).where(SESSION.c.id == session_id).values(values))
    if not done.rowcount:
        return None
    await revoke_credentials(tx, [session_id])  # the old token, where it is remembered
    return NewSession(token, session_id)


async def close_session(tx: AsyncConnection, account_id: UUID, session_id: UUID) -> list[UUID]:
    """End one of this account's sessions, and those made from it. Gives the ids of those that ended."""
    return await _close(tx, and_(SESSION.c.id == session_id, SESSION.c.account_id == account_id))


async def close_sessions_of(tx: AsyncConnection, account_id: UUID, *, but: UUID | None = None) -> list[UUID]:
    """End all of an account's sessions; `but` keeps one, and those made from it. Gives the ids of those that ended."""
    theirs = SESSION.c.account_id == account_id
    if but is not None:
        theirs = and_(theirs, SESSION.c.id != but, or_(SESSION.c.parent_id.is_(None), SESSION.c.parent_id != but))
    return await _close(tx, theirs)


async def close_sessions_of_identity(
    tx: AsyncConnection, account_id: UUID, issuer: str, subject: str, *, but: UUID | None = None
) -> list[UUID]:
    """End an account's sessions that began with this identity; `but` keeps one. Gives the ids of those that ended."""
    began = and_(SESSION.c.account_id == account_id, SESSION.c.issuer == issuer, SESSION.c.subject == subject)
    if but is not None:
        began = and_(began, SESSION.c.id != but, or_(SESSION.c.parent_id.is_(None), SESSION.c.parent_id != but))
    return await _close(tx, began)


async def close_sessions_by_issuer(
    tx: AsyncConnection, issuer: str, *, sid: str | None = None, subject: str | None = None
) -> list[UUID]:
    """End the sessions that an issuer says are over: of one session of theirs, or of one subject.

    Gives the ids of those that ended. Raises `ValueError` where neither is named.
    """
    if sid is None and subject is None:
        raise ValueError("an issuer ends the sessions of a sid or of a subject")
    named = [SESSION.c.issuer == issuer]
    if sid is not None:
        named.append(SESSION.c.sid == sid)
    if subject is not None:
        named.append(SESSION.c.subject == subject)
    return await _close(tx, and_(*named))


async def remove_ended_sessions(tx: AsyncConnection, limits: SessionLimits) -> int:
    """Remove up to `REMOVED_AT_ONCE` sessions that ended by time; how many."""
    now = datetime.now(UTC)
    over = or_(SESSION.c.last_seen_at < now - limits.idle, SESSION.c.renewed_at < now - limits.absolute)
    return await remove_some(tx, SESSION, over, REMOVED_AT_ONCE)


async def _close(tx: AsyncConnection, which: ColumnElement[bool]) -> list[UUID]:
    """End these, and the ids of all that ended. Those made from them go by the foreign key."""
    child = SESSION.alias()
    ending = select(SESSION.c.id).where(which)
    below = select(child.c.id).where(child.c.parent_id.in_(ending))
    ids: Sequence[UUID] = (await tx.execute(ending.union(below))).scalars().all()
    if ids:
        await tx.execute(delete(SESSION).where(SESSION.c.id.in_(ids)))
        await revoke_credentials(tx, ids)
    return list(ids)


def _live(limits: SessionLimits) -> Select[Any]:
    """Sessions that are good now, with their accounts."""
    now = datetime.now(UTC)
    account = (ACCOUNT.c.name, ACCOUNT.c.email, ACCOUNT.c.role)
    return (
        select(*SESSION.c, *account)
        .join(ACCOUNT, ACCOUNT.c.id == SESSION.c.account_id)
        .where(ACCOUNT.c.suspended_at.is_(None))
        .where(SESSION.c.last_seen_at > now - limits.idle, SESSION.c.renewed_at > now - limits.absolute)
    )


def _session(row: Any, limits: SessionLimits) -> Session:
    return Session(
        row.id,
        row.account_id,
        row.name,
        row.email,
        PlatformRole(row.role),
        Authentication(row.issuer, row.subject, row.sid, row.acr, tuple(row.amr), row.authenticated_at),
        Device(row.device, row.address, row.host, row.tenant_id),
        row.parent_id,
        row.created_at,
        row.last_seen_at,
        row.renewed_at + limits.absolute,
    )


def _columns_of(how: Authentication) -> dict[str, Any]:
    return {
        "issuer": how.issuer,
        "subject": how.subject,
        "sid": how.sid,
        "acr": how.acr,
        "amr": list(how.amr),
        "authenticated_at": how.authenticated_at,
    }


def _hash(token: str) -> bytes:
    """What a token is found by. It has 256 random bits, so a plain hash is as good as a slow one."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
