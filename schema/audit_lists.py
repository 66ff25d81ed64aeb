"""How lists of acts are ordered and narrowed, on a site and on the square."""

from datetime import datetime
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, Text, cast, func

from auth.policy import Row, Terms
from schema.bind import Filter, Order
from schema.relay import PLATFORM_ID, id_prefix

ACT_ORDERS = {"NEWEST": Order("happened_at", descending=True, numeric=True)}
ACT_FILTERS = {
    "actions": Filter("text[]", lambda row, actions, _: row.c.action == func.any(actions)),
    "subject": Filter("text", lambda row, subject, _: row.c.subject == subject),
    "account": Filter("text", lambda row, account, _: _account_id(row) == account),
    "after": Filter("timestamptz", lambda row, moment, _: row.c.happened_at > moment),
    "before": Filter("timestamptz", lambda row, moment, _: row.c.happened_at < moment),
}


@strawberry.input(description="Which acts to list; every field given narrows the list.")
class ActFilter:
    """Which acts to list."""

    actions: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="One of these, such as `site.updated`."
    )
    subject: str | None = strawberry.field(default=strawberry.UNSET, description="Done to this: an id, or a name.")
    account: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Done by the account with this id."
    )
    after: datetime | None = strawberry.field(default=strawberry.UNSET, description="After this moment.")
    before: datetime | None = strawberry.field(default=strawberry.UNSET, description="Before this moment.")


def _account_id(row: Row) -> ColumnElement[Any]:
    """The account's global id."""
    key = func.replace(cast(row.c.account_id, Text), "-", "")
    return func.concat(id_prefix("A", PLATFORM_ID), key)


def actor(row: Row, _terms: Terms) -> ColumnElement[Any]:
    """The account's global id; null where there is none."""
    return func.nullif(_account_id(row), id_prefix("A", PLATFORM_ID))
