"""The outbox: events are written with what they tell of, and read in an order in which nothing comes in between.

An event stands at the place (number of its transaction, id). Places are read up to the oldest transaction that still
runs anywhere in the database's cluster: all before it are ended, so what is read there is final.
Promises: who reads on from a place gets every later event once, whatever the writers do at the same time. A transaction
that takes long holds the events behind it back, never drops them. Never holds text of a site's content.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    insert,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from tenants.ids import uuid7
from tenants.platform_tables import Event as EventTable
from tenants.pruning import remove_some
from tenants.reader import Reader, Statement
from tenants.registry import TenantRef, written
from tenants.site_tables import EventWindow
from tenants.tables import table_of

EVENT = table_of(EventTable)
WINDOW = table_of(EventWindow)

CHANNEL = "plein_event"
"""Where it is told that there is something new; what it is stands in the table."""

KEPT = timedelta(days=7)
PRUNED_AT_ONCE = 10_000
READ_AT_ONCE = 1_000
FIRST_ID = UUID(int=0)


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the order of events: the number of a transaction, and an id within it."""

    xid: int
    id: UUID


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happens now: which topic, what was done, to what, within what, and of which kind that is."""

    topic: str
    action: str
    subject_id: UUID
    within_id: UUID | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    position: Position
    tenant_id: UUID
    topic: str
    action: str
    subject_id: UUID
    within_id: UUID | None
    kind: str
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class News:
    """Events in order, all final. `waiting`: there are others that are not, or more than fit."""

    horizon: Position
    events: tuple[Event, ...]
    waiting: bool


async def append(tx: AsyncConnection, tenant: TenantRef, new: NewEvent) -> None:
    """Write an event, in the site's transaction of what it tells of."""
    await tx.execute(insert(WINDOW).inline().values(_row(tenant.id, new)))  # nothing to return: it may not be read


async def append_on_platform(tx: AsyncConnection, tenant_id: UUID, new: NewEvent) -> None:
    """Write an event of a site, in a transaction of the platform's owner."""
    await tx.execute(insert(EVENT).inline().values(_row(tenant_id, new)))


async def announce(tx: AsyncConnection) -> None:
    """Tell every process that listens, when `tx` ends, that there is something new."""
    await tx.execute(select(func.pg_notify(CHANNEL, "")))


async def prune(tx: AsyncConnection, before: datetime) -> int:
    """Remove up to `PRUNED_AT_ONCE` events that happened before; how many. `tx` is the platform owner's."""
    return await remove_some(tx, EVENT, EVENT.c.happened_at < before, PRUNED_AT_ONCE, first=EVENT.c.xid)


async def load_horizon(reader: Reader, role: str) -> Position:
    """The place before which everything is final now. Raises a `ReadError`."""
    rows = await reader.fetch(Statement(find_horizon(), role), ())
    return Position(_int(rows[0][0]), FIRST_ID)


async def load_news(reader: Reader, role: str, after: Position) -> News:
    """What became final since, up to `READ_AT_ONCE` events of all sites. Raises a `ReadError`."""
    params = (*_encoded(after), str(READ_AT_ONCE).encode())
    rows = await reader.fetch(Statement(find_news(), role), params)
    horizon = _int(rows[0][0])
    events = [_event(row[1:]) for row in rows if row[1] is not None]
    final = tuple(event for event in events if event.position.xid < horizon)
    waiting = len(final) < len(events) or len(events) == READ_AT_ONCE
    return News(Position(horizon, FIRST_ID), final, waiting)


async def load_missed(
    reader: Reader,
    role: str,
    tenant_id: UUID,
    topic: str,
    within_id: UUID | None,
    between: tuple[Position, Position],
    most: int,
) -> list[Event]:
    """One site's events on a topic after the first place, up to and with the second, `most` at the most."""
    within = None if within_id is None else str(within_id).encode()
    after, until = (_encoded(each) for each in between)
    params = (str(tenant_id).encode(), topic.encode(), within, *after, *until, str(most).encode())
    return [_event(row) for row in await reader.fetch(Statement(find_missed(), role), params)]


@cache
def find_horizon() -> str:
    """SQL text without parameters."""
    return written(select(_horizon()))


@cache
def find_news() -> str:
    """SQL text; $1 and $2 are the place, $3 how many."""
    later = select(*_columns()).where(_place() > _parameter("after")).order_by(EVENT.c.xid, EVENT.c.id)
    news = later.limit(bindparam("most", type_=Integer)).subquery()
    now = select(_horizon().label("horizon")).subquery()
    return written(select(now.c.horizon, *news.c).select_from(now.outerjoin(news, true())).order_by(*list(news.c)[:2]))


@cache
def find_missed() -> str:
    """SQL text; $1 site, $2 topic, $3 what it is within or null, $4 to $7 two places, $8 how many."""
    within = bindparam("within", type_=Uuid)
    limit = bindparam("most", type_=Integer)
    return written(
        select(*_columns())
        .where(
            EVENT.c.tenant_id == bindparam("tenant", type_=Uuid),
            EVENT.c.topic == bindparam("topic", type_=Text),
            or_(cast(within, Uuid).is_(None), EVENT.c.within_id == within),
            _place() > _parameter("after"),
            _place() <= _parameter("until"),
        )
        .order_by(EVENT.c.xid, EVENT.c.id)
        .limit(limit)
    )


def _row(tenant_id: UUID, new: NewEvent) -> dict[str, Any]:
    return {
        "xid": _number(func.pg_current_xact_id()),
        "id": uuid7(),
        "tenant_id": tenant_id,
        "topic": new.topic,
        "action": new.action,
        "subject_id": new.subject_id,
        "within_id": new.within_id,
        "kind": new.kind,
        "happened_at": datetime.now(UTC),
    }


def _columns() -> tuple[ColumnElement[Any], ...]:
    """What an `Event` is made of, in order; the time as seconds since 1970."""
    row = EVENT.c
    seconds = func.extract("epoch", row.happened_at).label("happened_at")
    return (row.xid, row.id, row.tenant_id, row.topic, row.action, row.subject_id, row.within_id, row.kind, seconds)


def _place() -> Any:
    return tuple_(EVENT.c.xid, EVENT.c.id)


def _parameter(name: str) -> Any:
    xid, id_ = bindparam(f"{name}_xid", type_=BigInteger), bindparam(f"{name}_id", type_=Uuid)
    return tuple_(cast(xid, BigInteger), cast(id_, Uuid))


def _horizon() -> ColumnElement[int]:
    return _number(func.pg_snapshot_xmin(func.pg_current_snapshot()))


def _number(xid: ColumnElement[Any]) -> ColumnElement[int]:
    """A transaction's number, which has no way to a number of another type but by its text."""
    return cast(cast(xid, Text), BigInteger)


def _encoded(position: Position) -> tuple[bytes, bytes]:
    return str(position.xid).encode(), str(position.id).encode()


def _event(row: tuple[bytes | None, ...]) -> Event:
    xid, id_, tenant_id, topic, action, subject_id, within_id, kind, seconds = ((each or b"").decode() for each in row)
    return Event(
        Position(int(xid), UUID(id_)),
        UUID(tenant_id),
        topic,
        action,
        UUID(subject_id),
        UUID(within_id) if within_id else None,
        kind,
        datetime.fromtimestamp(float(seconds), UTC),
    )


def _int(value: bytes | None) -> int:
    return int(value or b"0")
