"""What callers may still ask for, shared by all processes: each takes some of it in advance, and then spends that.

Promises: what is taken was there, however many processes take at once, so all together never spend more than one
would; a caller's allowance is refilled evenly, up to a minute's worth, by the database's clock. What is full again is
forgotten. Never asks who a caller is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Executable,
    Float,
    Integer,
    Uuid,
    bindparam,
    case,
    column,
    func,
    literal,
    select,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from tenants.platform_tables import Allowance
from tenants.pruning import remove_some
from tenants.tables import table_of

ALLOWANCE = table_of(Allowance)
WINDOW_SECONDS = 60
REMOVED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What a process wants for a caller: `want`, or whatever there is if that is at least `need`; else nothing."""

    caller: UUID
    rate: int
    need: float
    want: float


@dataclass(frozen=True, slots=True)
class Grant:
    """What it got, and how much is left for everybody."""

    taken: float
    left: float


async def take(tx: AsyncConnection, wishes: Sequence[Wish]) -> Mapping[UUID, Grant]:
    """Take for these callers, each of them once, what they wish for."""
    granted = await _take(tx, wishes)
    new = [each for each in wishes if each.caller not in granted]
    if not new:
        return granted
    rows = [{"caller": each.caller, "amount": float(each.rate), "at": func.now()} for each in _in_order(new)]
    await tx.execute(insert(ALLOWANCE).values(rows).on_conflict_do_nothing())
    return {**granted, **await _take(tx, new)}


async def remove_full(tx: AsyncConnection) -> int:
    """Forget callers who have everything left; how many, of ten thousand at the most."""
    long_ago = func.now() - literal(timedelta(seconds=WINDOW_SECONDS))
    return await remove_some(tx, ALLOWANCE, ALLOWANCE.c.at < long_ago, REMOVED_AT_ONCE)


async def _take(tx: AsyncConnection, wishes: Sequence[Wish]) -> dict[UUID, Grant]:
    wishes = _in_order(wishes)
    parameters = {
        "callers": [each.caller for each in wishes],
        "rates": [each.rate for each in wishes],
        "needs": [each.need for each in wishes],
        "wants": [each.want for each in wishes],
    }
    rows = await tx.execute(_TAKE, parameters)
    return {row.caller: Grant(row.taken, row.amount) for row in rows}


def _in_order(wishes: Sequence[Wish]) -> list[Wish]:
    """In the order of callers, in which everybody locks rows, so that nobody waits in a circle."""
    return sorted(wishes, key=lambda each: each.caller)


def _taking() -> Executable:
    """The statement: lock the callers' rows, refill them, take."""

    def given(name: str, type_: type[Uuid[UUID]] | type[Integer] | type[Float[float]]) -> ColumnElement[object]:
        return sql_cast(bindparam(name), ARRAY(type_))

    wish = (
        func.unnest(given("callers", Uuid), given("rates", Integer), given("needs", Float), given("wants", Float))
        .table_valued(column("caller", Uuid), column("rate", Integer), column("need", Float), column("want", Float))
        .render_derived("wish")
    )
    seconds = func.greatest(func.extract("epoch", func.now() - ALLOWANCE.c.at), 0)
    refilled = func.least(wish.c.rate, ALLOWANCE.c.amount + seconds * wish.c.rate / WINDOW_SECONDS)
    there = (
        select(ALLOWANCE.c.caller, wish.c.need, wish.c.want, sql_cast(refilled, Float).label("amount"))
        .join(wish, wish.c.caller == ALLOWANCE.c.caller)
        .order_by(ALLOWANCE.c.caller)
        .with_for_update(of=ALLOWANCE)
        .cte("there")
    )
    taken = case(
        (there.c.amount >= there.c.want, there.c.want), (there.c.amount >= there.c.need, there.c.amount), else_=0.0
    )
    return (
        update(ALLOWANCE)
        .where(ALLOWANCE.c.caller == there.c.caller)
        .values(amount=there.c.amount - taken, at=func.greatest(ALLOWANCE.c.at, func.now()))
        .returning(ALLOWANCE.c.caller, ALLOWANCE.c.amount, taken.label("taken"))
    )


_TAKE = _taking()
