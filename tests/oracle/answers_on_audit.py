"""What the audit answers, naively."""

from __future__ import annotations

import json
from typing import Any

from schema.errors import ErrorCode, PleinError
from schema.relay import PLATFORM_ID, NodeId, encode_id
from tests.oracle import lists
from tests.oracle.answers_from_root import is_operator
from tests.oracle.answers_on_items import moment
from tests.oracle.lists import Args
from tests.oracle.things import Asked, Thing, answers
from tests.oracle.world import Row


@answers("Site", "audit")
def site_audit(asked: Asked, here: Thing, args: Args) -> Any:
    rows = here.site.where("audit", asked.standing(here.site).sees_act)
    things = [Thing("Act", row, here.site) for row in kept(rows, args)]
    return asked.listed(things, lists.ACT_ORDERS, args, here, "audit")


@answers("Query", "audit")
def audit(asked: Asked, _query: Thing, args: Args) -> Any:
    if asked.viewer.platform_role < 2:
        raise PleinError(ErrorCode.FORBIDDEN, "no operator")
    rows = asked.world.platform["audit"] if is_operator(asked) else []
    things = [Thing("PlatformAct", row) for row in kept(rows, args)]
    return asked.listed(things, lists.ACT_ORDERS, args, "Query", "audit")


def kept(rows: list[Row], args: Args) -> list[Row]:
    """The acts that a filter leaves."""
    given = {name: value for name, value in (args.get("filter") or {}).items() if value is not None}
    return [row for row in rows if all(FILTERS[name](row, value) for name, value in given.items())]


FILTERS: dict[str, Any] = {
    "actions": lambda row, actions: row["action"] in actions,
    "subject": lambda row, subject: row["subject"] == subject,
    "account": lambda row, account: account_id(row) == account,
    "after": lambda row, text: row["happened_at"] > moment(text),
    "before": lambda row, text: row["happened_at"] < moment(text),
}


def account_id(row: Row) -> str | None:
    """The global id of whoever did it."""
    return encode_id(NodeId("A", PLATFORM_ID, row["account_id"])) if row["account_id"] else None


@answers("Act", "accountId")
@answers("PlatformAct", "accountId")
def actor(_asked: Asked, act: Thing, _args: Args) -> Any:
    return account_id(act.row)


@answers("Act", "account")
@answers("PlatformAct", "account")
def account(asked: Asked, act: Thing, _args: Args) -> Any:
    row = asked.world.accounts.get(act.row["account_id"])
    if row is None or (act.site is not None and not act.site.find("member", "account_id", row["id"])):
        return None
    return Thing("Account", row, act.site)


@answers("PlatformAct", "site")
def site(asked: Asked, act: Thing, _args: Args) -> Any:
    there = asked.world.sites.get(act.row["tenant_id"])
    return Thing("Site", there.row) if there else None


@answers("Act", "details")
@answers("PlatformAct", "details")
def details(_asked: Asked, act: Thing, _args: Args) -> Any:
    pairs = sorted(act.row["details"].items())
    return [{"name": name, "value": spelled(value)} for name, value in pairs]


def spelled(value: Any) -> str:
    """A detail as text."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)
