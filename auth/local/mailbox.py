"""Mail that is to be sent: written in the transaction of what it tells of, and kept until it was taken in elsewhere.

Promises: a mail server that is away loses nothing, as long as the mail is of use; two processes never send the same
mail at the same time. What a mail says is sealed, as it may hold a link that lets somebody in. A process that dies
between sending and telling so sends it twice: better than not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.seal import Seal, SealBroken
from tenants import local_tables
from tenants.ids import uuid7
from tenants.tables import table_of

MAIL = table_of(local_tables.Mail)
LEASE = timedelta(minutes=2)  # longer than a mail server may take
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Mail:
    """What is sent: plain text, in a language."""

    to: str
    subject: str
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Queued:
    """A mail whose turn it is; `attempts` counts this one. `mail` is None where the secret was changed since."""

    id: UUID
    mail: Mail | None
    attempts: int


async def put_mail(tx: AsyncConnection, seal: Seal, mail: Mail, useful_for: timedelta) -> None:
    """Let a mail be sent once this transaction is committed."""
    now, id_ = datetime.now(UTC), uuid7()
    row = {"id": id_, "sealed": seal.close(str(id_), asdict(mail)), "attempts": 0, "next_at": now}
    await tx.execute(insert(MAIL).values(row | {"expires_at": now + useful_for}))


async def take_mail(tx: AsyncConnection, seal: Seal, most: int) -> list[Queued]:
    """The mails whose turn it is; nobody else gets them for a while. Commit before sending."""
    now = datetime.now(UTC)
    turn = select(MAIL.c.id).where(MAIL.c.next_at <= now).order_by(MAIL.c.next_at).limit(most)
    taken = update(MAIL).where(MAIL.c.id.in_(turn.with_for_update(skip_locked=True)))
    values = {"next_at": now + LEASE, "attempts": MAIL.c.attempts + 1}
    rows = (await tx.execute(taken.values(values).returning(*MAIL.c))).all()
    return [Queued(row.id, _opened(seal, row.id, row.sealed), row.attempts) for row in rows]


async def drop_mail(tx: AsyncConnection, ids: Sequence[UUID]) -> None:
    """These are sent, or never will be."""
    await tx.execute(delete(MAIL).where(MAIL.c.id.in_(ids)))


async def postpone_mail(tx: AsyncConnection, queued: Queued) -> None:
    """Try again later: after 15 seconds, then twice as long each time, up to an hour."""
    wait = min(FIRST_WAIT * 2 ** min(queued.attempts - 1, 16), LONGEST_WAIT)
    await tx.execute(update(MAIL).where(MAIL.c.id == queued.id).values(next_at=datetime.now(UTC) + wait))


async def drop_useless_mail(tx: AsyncConnection) -> int:
    """Give up what could not be sent while it was of use; how many."""
    return int((await tx.execute(delete(MAIL).where(MAIL.c.expires_at < datetime.now(UTC)))).rowcount)


def _opened(seal: Seal, id_: UUID, sealed: str) -> Mail | None:
    try:
        return Mail(**seal.open(str(id_), sealed))
    except SealBroken:
        return None
