"""Lists, told naively: sort everything, drop what is before and after, cut, count.

Cursors are opened and sealed with `schema.relay`, as they are the one thing that both sides must spell alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from schema.errors import bad_input
from schema.relay import cursor_key, decode_cursor, encode_cursor
from tests.oracle.world import Rank, Row, World

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Args = Mapping[str, Any]


@dataclass(frozen=True)
class ListOrder:
    """An order of a list: by a column, then by key, both in the same direction."""

    column: str
    descending: bool = False


NEWEST_ITEM, OLDEST_ITEM = ListOrder("published_at", True), ListOrder("published_at")
NEWEST, OLDEST = ListOrder("created_at", True), ListOrder("created_at")
CONTENT_ORDERS = {"NEWEST": NEWEST_ITEM, "OLDEST": OLDEST_ITEM, "TITLE": ListOrder("title")}
GROUP_ORDERS = {"NAME": ListOrder("name"), "NEWEST": NEWEST}
MEMBER_ORDERS = {"OLDEST": ListOrder("joined_at"), "NEWEST": ListOrder("joined_at", True)}
SITE_ORDERS = {"NAME": ListOrder("name"), "NEWEST": NEWEST, "OLDEST": OLDEST}
SESSION_ORDERS = {"RECENT": ListOrder("last_seen_at", True), "NEWEST": NEWEST}
OWN_ORDERS = {"NEWEST": NEWEST, "OLDEST": OLDEST}
OFFER_ORDERS = {"NEWEST": NEWEST}
FIRST_ORDERS = {"OLDEST": OLDEST, "NEWEST": NEWEST}
ACT_ORDERS = {"NEWEST": ListOrder("happened_at", True)}
COMMENT_ORDERS = {"OLDEST": OLDEST}


@dataclass(frozen=True)
class Scope:
    """Which list of which site cursors belong to, and the gateway's secret that seals them."""

    secret: bytes
    tenant_id: UUID
    name: str


@dataclass(frozen=True)
class Page:
    """A page: its rows, their cursors, and what stands around it."""

    rows: list[Row]
    cursors: list[str]
    has_next: bool
    has_previous: bool
    total: int


def paged(
    world: World, rows: Sequence[Row], orders: Mapping[str, ListOrder], args: Args, key: str, scope: Scope
) -> Page:
    """The page that the arguments ask for, in the order they ask for (the first one if they do not)."""
    size, backward = page_size(args)
    order_name = args.get("orderBy") or next(iter(orders))
    order = orders[order_name]
    seal_key = cursor_key(scope.secret, scope.tenant_id, scope.name, order_name)

    def position(row: Row) -> tuple[Any, UUID]:
        return comparable(world, row[order.column]), row[key]

    def opened(name: str) -> tuple[Any, UUID] | None:
        if args.get(name) is None:
            return None
        row_key, value = decode_cursor(seal_key, args[name], name)
        return read(world, order, value), row_key

    kept = between(sorted(rows, key=position), position, opened("after"), opened("before"), order.descending)
    page = cut(kept, size, backward=backward, args=args)
    cursors = [encode_cursor(seal_key, row[key], spelled(row[order.column])) for row in page.rows]
    return Page(page.rows, cursors, page.has_next, page.has_previous, len(rows))


def page_size(args: Args) -> tuple[int, bool]:
    """How many, and whether from the back. Raises for what no page holds."""
    first, last = args.get("first"), args.get("last")
    if first is not None and last is not None:
        raise bad_input("last", "both")
    for name, size in (("first", first), ("last", last)):
        if size is not None and not 0 < size <= 100:
            raise bad_input(name, "size")
    return (last, True) if last is not None else (20 if first is None else first, False)


def between(
    ascending: list[Row], position: Callable[[Row], Any], after: Any, before: Any, descending: bool
) -> list[Row]:
    """The rows in their order, strictly between two positions."""
    ordered = ascending[::-1] if descending else ascending
    low, high = (before, after) if descending else (after, before)
    return [row for row in ordered if (low is None or position(row) > low) and (high is None or position(row) < high)]


def cut(kept: list[Row], size: int, *, backward: bool, args: Args) -> Page:
    """So many from the front or the back, without cursors."""
    more = len(kept) > size
    if backward:
        return Page(kept[-size:], [], args.get("before") is not None, more, 0)
    return Page(kept[:size], [], more, args.get("after") is not None, 0)


def comparable(world: World, value: Any) -> Any:
    """A value of an order as something Python sorts as the database does."""
    return world.rank[value] if isinstance(value, str) else value


def read(world: World, order: ListOrder, value: str) -> Any:
    """The value in a cursor, as `comparable` gives it."""
    if order.column == "rank":
        return float(value)
    if order.column in ("title", "name"):
        return world.rank[value]
    return EPOCH + timedelta(microseconds=int(value))


def spelled(value: Any) -> str:
    """A value of an order as cursors hold it."""
    if isinstance(value, Rank):
        return value.text
    return value if isinstance(value, str) else str((value - EPOCH) // timedelta(microseconds=1))
