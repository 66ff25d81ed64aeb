"""How lists of content are ordered and narrowed, wherever they hang."""

from datetime import datetime
from enum import Enum

import strawberry
from sqlalchemy import func

from schema.bind import Filter, Order
from schema.kinds import ContentKind
from schema.levels import value

CONTENT_ORDERS = {
    "NEWEST": Order("published_at", descending=True, numeric=True),
    "OLDEST": Order("published_at", descending=False, numeric=True),
    "TITLE": Order("title", descending=False),
}

CONTENT_FILTERS = {
    "kinds": Filter("text[]", lambda row, kinds, _: row.c.kind == func.any(kinds)),
    "author": Filter("uuid", lambda row, author, _: row.c.author_id == author, tag="M"),
    "group": Filter("uuid", lambda row, group, _: row.c.group_id == group, tag="G"),
    "tag": Filter("text", lambda row, tag, _: tag == func.any(row.c.tags)),
    "title": Filter("text", lambda row, text, _: func.strpos(func.lower(row.c.title), func.lower(text)) > 0),
    "publishedAfter": Filter("timestamptz", lambda row, moment, _: row.c.published_at > moment),
    "publishedBefore": Filter("timestamptz", lambda row, moment, _: row.c.published_at < moment),
}


@strawberry.enum(description="The order of a list of items.")
class ContentOrder(Enum):
    """The order of a list of items."""

    NEWEST = value("NEWEST", "The latest published first.")
    OLDEST = value("OLDEST", "The first published first.")
    TITLE = value("TITLE", "By title.")


@strawberry.input(description="Which items to list; every field given narrows the list.")
class ContentFilter:
    """Which items to list."""

    kinds: list[ContentKind] | None = strawberry.field(default=strawberry.UNSET, description="Of one of these kinds.")
    author: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="By this member.")
    group: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="In this group.")
    tag: str | None = strawberry.field(default=strawberry.UNSET, description="With exactly this tag.")
    title: str | None = strawberry.field(default=strawberry.UNSET, description="With this in the title, in any case.")
    published_after: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Published after this moment."
    )
    published_before: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Published before this moment."
    )
