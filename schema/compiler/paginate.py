"""Relay connections in SQL: pages by keyset, sealed cursors, exact page info, totals on demand.

A page is cut from the list by `(order column, key)`, so it stays right when rows are added or removed. Cursors are
written in SQL in the format of `schema.relay`. Promises: one subquery per connection whatever the page size; the row
after the page is read only when somebody asked whether there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    cast,
    extract,
    func,
    literal_column,
    select,
    tuple_,
)

from schema.bind import Order
from schema.compiler.selection import Value
from schema.errors import bad_input
from schema.relay import SEAL_BYTES

PAGE_SIZE = 20
"""How many a page holds if nobody says."""

PAGE_SIZE_MOST = 100
NUMBER = "~n"
"""The column of `numbered` with a row's number in the direction of paging, from 1."""

CUT = "~cut"
"""The column of `numbered` with how many rows were cut."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Page:
    """Which stretch of a list is asked for."""

    size: int
    backward: bool
    after: Value | None
    before: Value | None


def page_of(arguments: Mapping[str, Value]) -> Page:
    """The page that the four arguments name, or a coded error that names the wrong one."""
    given = {name: value for name, value in arguments.items() if value.given}
    if "first" in given and "last" in given:
        raise bad_input("last", "Give `first` or `last`, not both.")
    backward = "last" in given
    name = "last" if backward else "first"
    size = given[name].current if name in given else PAGE_SIZE
    if not 1 <= size <= PAGE_SIZE_MOST:
        raise bad_input(name, f"A page holds 1 to {PAGE_SIZE_MOST}, not {size}.")
    return Page(size, backward, given.get("after"), given.get("before"))


def order_of(arguments: Mapping[str, Value], orders: Mapping[str, Order]) -> tuple[str, Order]:
    """The name and definition of the order asked for; the first one if none is."""
    value = arguments.get("orderBy")
    name = value.current.name if value is not None and value.given else next(iter(orders))
    return name, orders[name]


def keyset(row: Any, order: Order, key: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The two columns that a list is ordered by."""
    return row.c[order.column], row.c[key]


def beyond(
    row: Any, order: Order, key: str, bound: tuple[ColumnElement[Any], ColumnElement[Any]], *, after: bool
) -> ColumnElement[bool]:
    """Rows after (or before) a position in the order."""
    columns = tuple_(*keyset(row, order, key))
    position = tuple_(*bound)
    return columns > position if after is not order.descending else columns < position


def cut(query: Select[Any], row: Any, order: Order, key: str, page: Page, *, one_more: bool) -> FromClause:
    """The rows of the page as a subquery, in the direction of paging, with one more if it matters whether there is."""
    descending = order.descending is not page.backward
    columns = [column.desc() if descending else column.asc() for column in keyset(row, order, key)]
    return query.order_by(*columns).limit(page.size + one_more).subquery()


def numbered(rows: FromClause, order: Order, key: str, page: Page) -> FromClause:
    """The cut with each row's number in the direction of paging and how many were cut."""
    descending = order.descending is not page.backward
    columns = [column.desc() if descending else column.asc() for column in keyset(rows, order, key)]
    return select(
        rows, func.row_number().over(order_by=columns).label(NUMBER), func.count().over().label(CUT)
    ).subquery()


def cursor_sql(row: Any, order: Order, key: str, seal_key: ColumnElement[Any]) -> ColumnElement[str]:
    """The cursor of a row, as `schema.relay.encode_cursor` writes it."""
    column, key_column = keyset(row, order, key)
    value = cast(cast(extract("epoch", column) * 1_000_000, BigInteger), Text) if order.numeric else column
    payload = func.convert_to(func.replace(cast(key_column, Text), "-", "").concat("|").concat(value), "UTF8")
    seal = func.substr(func.sha256(func.convert_to(seal_key, "UTF8").op("||")(payload)), 1, SEAL_BYTES)
    raw = func.encode(seal.op("||")(payload), "base64")
    return func.translate(raw, literal_column("E'+/=\\n'"), "-_")


def position(value: str, order: Order, field: str) -> str:
    """A cursor's order value as Postgres compares it."""
    if not order.numeric:
        return value
    try:
        return (EPOCH + timedelta(microseconds=int(value))).isoformat()
    except (ValueError, OverflowError):
        raise bad_input(field, "This cursor names no moment.") from None
