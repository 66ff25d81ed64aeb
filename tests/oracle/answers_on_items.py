"""What items and comments answer, naively."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from schema.relay import NodeId, decode_id
from tests.oracle import lists
from tests.oracle.lists import Args
from tests.oracle.things import Asked, Thing, answers, item
from tests.oracle.world import Row, SiteData


def content(asked: Asked, owner: Thing, rows: list[Row], args: Args) -> Any:
    """A connection over items."""
    there = owner.site
    given = {name: value for name, value in (args.get("filter") or {}).items() if value is not None}
    kept = [row for row in rows if all(FILTERS[name](there, row, value) for name, value in given.items())]
    things = [item(there, row) for row in kept]
    return asked.listed(things, lists.CONTENT_ORDERS, args, owner, "content")


def names(there: SiteData, tag: str, text: str, key: UUID | None) -> bool:
    """Whether a global id is that of this row, on this site."""
    return decode_id(text) == NodeId(tag, there.id, key) if key else False


def moment(text: str) -> datetime:
    """A moment as it was sent; without a zone it is UTC."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


FILTERS: dict[str, Callable[[SiteData, Row, Any], bool]] = {
    "kinds": lambda _, row, kinds: row["kind"] in kinds,
    "author": lambda there, row, text: names(there, "M", text, row["author_id"]),
    "group": lambda there, row, text: names(there, "G", text, row["group_id"]),
    "tag": lambda _, row, tag: tag in row["tags"],
    "title": lambda _, row, text: text.lower() in row["title"].lower(),
    "publishedAfter": lambda _, row, text: row["published_at"] > moment(text),
    "publishedBefore": lambda _, row, text: row["published_at"] < moment(text),
}


@answers("Content", "excerpt")
def excerpt(_asked: Asked, thing: Thing, _args: Args) -> Any:
    return re.sub(r"[ \t\n\r\f\v\u2028]+", " ", thing.row["body"][:600])[:300]


@answers("Content", "author")
@answers("Comment", "author")
def author(_asked: Asked, thing: Thing, _args: Args) -> Any:
    row = thing.site.find("member", "account_id", thing.row["author_id"])
    return Thing("Member", row, thing.site) if row else None


@answers("Content", "group")
def group_of(asked: Asked, thing: Thing, _args: Args) -> Any:
    row = thing.site.find("group", "id", thing.row["group_id"])
    return Thing("Group", row, thing.site) if row and asked.standing(thing.site).sees_group(row) else None


@answers("Content", "site")
@answers("Group", "site")
@answers("Member", "site")
def site_of(_asked: Asked, thing: Thing, _args: Args) -> Any:
    return Thing("Site", thing.site.row)


@answers("Content", "commentCount")
def comment_count(_asked: Asked, thing: Thing, _args: Args) -> Any:
    return len(thing.site.where("comment", lambda row: row["content_id"] == thing.row["id"]))


@answers("Content", "comments")
def comments(asked: Asked, thing: Thing, args: Args) -> Any:
    rows = thing.site.where("comment", lambda row: row["content_id"] == thing.row["id"] and row["parent_id"] is None)
    return asked.listed(
        [Thing("Comment", row, thing.site) for row in rows], lists.COMMENT_ORDERS, args, thing, "comments"
    )


@answers("Comment", "replies")
def replies(asked: Asked, thing: Thing, args: Args) -> Any:
    rows = thing.site.where("comment", lambda row: row["parent_id"] == thing.row["id"])
    return asked.listed(
        [Thing("Comment", row, thing.site) for row in rows], lists.COMMENT_ORDERS, args, thing, "replies"
    )


@answers("Comment", "content")
def content_of(asked: Asked, thing: Thing, _args: Args) -> Any:
    row = thing.site.find("content", "id", thing.row["content_id"])
    return item(thing.site, row) if row and asked.standing(thing.site).sees_content(row) else None


@answers("Comment", "subject")
def subject(asked: Asked, thing: Thing, args: Args) -> Any:
    parent = thing.site.find("comment", "id", thing.row["parent_id"])
    return Thing("Comment", parent, thing.site) if parent else content_of(asked, thing, args)


def reactions_on(thing: Thing) -> list[Row]:
    """The reactions on an item or a comment itself."""
    return thing.site.where("reaction", lambda row: row["subject_id"] == thing.row["id"])


@answers("Content", "reactionCount")
@answers("Comment", "reactionCount")
def reaction_count(_asked: Asked, thing: Thing, _args: Args) -> Any:
    return len(reactions_on(thing))


@answers("Content", "reactions")
@answers("Comment", "reactions")
def reactions(_asked: Asked, thing: Thing, _args: Args) -> Any:
    counts = Counter(row["kind"] for row in reactions_on(thing))
    return [
        {"kind": kind, "count": count} for kind, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


@answers("Content", "viewerReaction")
@answers("Comment", "viewerReaction")
def viewer_reaction(asked: Asked, thing: Thing, _args: Args) -> Any:
    mine = [row["kind"] for row in reactions_on(thing) if row["account_id"] == asked.viewer.account_id]
    return mine[0] if mine else None


@answers("Content", "options")
def options(_asked: Asked, thing: Thing, _args: Args) -> Any:
    return [{"number": number, "text": text} for number, text in enumerate(thing.row["details"]["options"], 1)]
