"""Telling clients that a session is over (OpenID Connect Back-Channel Logout), however it ended.

Promises: whatever ends a session (signing out, another device, the operator, its time), every client that took part in
it and wants to know is told, once it can be reached; what is still to be told stands in the database, so a restart
loses nothing, and of several processes one tells at a time. After two days of trying it is given up.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from joserfc import jwt
from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.provider.clients import CLIENT, Client, client_from
from auth.provider.grants import GRANT
from auth.provider.provider import Provider
from auth.provider.scopes import OFFLINE
from auth.provider.signing_keys import Signer
from auth.provider.tokens import LOGOUT_TYPE
from auth.relying.faults import SignInRefused
from auth.relying.outside import Outside
from tenants.ids import uuid7
from tenants.provider_tables import LogoutNotice
from tenants.tables import table_of

NOTICE = table_of(LogoutNotice)
EVENT = "http://schemas.openid.net/event/backchannel-logout"
TOKEN_LIFETIME = timedelta(minutes=2)
AT_ONCE = 20
COLLECTED_AT_ONCE = 500
FIRST_PAUSE = timedelta(seconds=30)  # longer than one attempt may take, so that nobody else begins meanwhile
LAST_PAUSE = timedelta(hours=4)
GIVEN_UP = timedelta(days=2)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a client is to be told."""

    id: UUID
    client: Client
    subject: str
    sid: str
    created_at: datetime


async def collect_ended(tx: AsyncConnection, now: datetime) -> int:
    """Write down what clients are to be told of sessions that are over; how many grants that was about."""
    over = (GRANT.c.session_id.is_(None), GRANT.c.sid.is_not(None), GRANT.c.told_at.is_(None))
    found = select(GRANT.c.id).where(*over).limit(COLLECTED_AT_ONCE).with_for_update(skip_locked=True)
    over_since = func.coalesce(GRANT.c.ended_at, now)
    told = (
        update(GRANT)
        .where(GRANT.c.id.in_(found), CLIENT.c.id == GRANT.c.client_id)
        .values(told_at=now, ended_at=case((GRANT.c.scopes.contains([OFFLINE]), GRANT.c.ended_at), else_=over_since))
        .returning(GRANT.c.account_id, GRANT.c.sid, *CLIENT.c)
    )
    rows = (await tx.execute(told)).all()
    notices: dict[tuple[UUID, str], dict[str, Any]] = {}
    for row in rows:
        client = client_from(row)
        if client.logout_uri is not None:
            notices[client.id, row.sid] = {
                "id": uuid7(),
                "client_id": client.id,
                "subject": client.subject_of(row[0]),
                "sid": row.sid,
                "attempts": 0,
                "due_at": now,
                "created_at": now,
            }
    if notices:
        await tx.execute(insert(NOTICE).values(list(notices.values())).on_conflict_do_nothing())
    return len(rows)


async def claim_notices(tx: AsyncConnection, now: datetime) -> list[Notice]:
    """What is to be told now. Nobody else gets it before the pause is over that it is given here."""
    due = (
        select(NOTICE.c.id)
        .where(NOTICE.c.due_at <= now)
        .order_by(NOTICE.c.due_at)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    rows = (await tx.execute(select(NOTICE).where(NOTICE.c.id.in_(due)))).all()
    found = await tx.execute(select(CLIENT).where(CLIENT.c.id.in_([row.client_id for row in rows])))
    clients = {row.id: client_from(row) for row in found}
    again = case(
        {each: now + FIRST_PAUSE * 2**each for each in range(9)}, value=NOTICE.c.attempts, else_=now + LAST_PAUSE
    )
    ids = [row.id for row in rows]
    await tx.execute(update(NOTICE).where(NOTICE.c.id.in_(ids)).values(attempts=NOTICE.c.attempts + 1, due_at=again))
    return [Notice(row.id, clients[row.client_id], row.subject, row.sid, row.created_at) for row in rows]


async def tell(provider: Provider, outside: Outside, notice: Notice) -> None:
    """Tell a client, and forget the notice if it heard it, or if it is time to give up."""
    heard = await _is_heard(provider, outside, notice)
    given_up = not heard and provider.clock() - notice.created_at > GIVEN_UP
    if given_up:
        logger.warning("client %s was not told of a logout: it could not be reached for two days", notice.client.id)
    if heard or given_up:
        async with provider.transaction() as tx:
            await tx.execute(delete(NOTICE).where(NOTICE.c.id == notice.id))


async def _is_heard(provider: Provider, outside: Outside, notice: Notice) -> bool:
    client = notice.client
    if client.logout_uri is None:
        return True  # it does not want to know any more
    signer = await provider.keys.current(client.id_token_algorithm)
    token = logout_token(signer, provider.settings.issuer, notice, provider.clock())
    body = urlencode({"logout_token": token}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "user-agent": "Plein"}
    try:
        answer = await outside.post(client.logout_uri, body, headers, near=not provider.settings.is_production)
    except SignInRefused as refused:
        logger.info("client %s was not told of a logout: %s", client.id, refused)
        return False
    if not 200 <= answer.status < 300:
        logger.info("client %s was not told of a logout: it answered %d", client.id, answer.status)
        return False
    return True


def logout_token(signer: Signer, issuer: str, notice: Notice, now: datetime) -> str:
    """The token that tells it: no ID token, as it has no nonce and a type of its own."""
    seconds = int(now.timestamp())
    claims = {
        "iss": issuer,
        "aud": str(notice.client.id),
        "sub": notice.subject,
        "sid": notice.sid,
        "iat": seconds,
        "exp": seconds + int(TOKEN_LIFETIME.total_seconds()),
        "jti": uuid4().hex,
        "events": {EVENT: {}},
    }
    header = {"alg": signer.algorithm, "kid": signer.id, "typ": LOGOUT_TYPE}
    return jwt.encode(header, claims, signer.key, algorithms=[signer.algorithm])
