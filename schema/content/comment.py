"""Comments on an item, and answers to comments."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from auth import policy
from schema.account import Member
from schema.bind import Column, Connected, Either, Expression, Listed, One, Place, Source, at, bound
from schema.content.base import (
    COMMENT_ORDERS,
    Content,
    ReactionCount,
    reaction_count,
    reactions,
    viewer_reaction,
)
from schema.levels import ReactionKind
from schema.relay import Connection, Node, connection
from tenants.site_tables import Comment as CommentTable
from tenants.tables import table_of

if TYPE_CHECKING:
    from schema.content.subject import Subject

COMMENTS = Source(tables={Place.SITE: table_of(CommentTable)}, key="id", policy=policy.comment_visible, tag="K")

TO_CONTENT = One(lambda row, content, _: content.c.id == row.c.content_id)
TO_PARENT = One(lambda row, parent, _: parent.c.id == row.c.parent_id, policy.everyone)


@bound(COMMENTS)
@strawberry.type(description="What somebody says about an item or about another comment.")
class Comment(Node):
    """What somebody says about an item or about another comment."""

    body: str = strawberry.field(description="Its text, in Markdown.", metadata=at(Column("body")))
    author: Member | None = strawberry.field(
        description="Who wrote it.",
        metadata=at(One(lambda row, member, _: member.c.account_id == row.c.author_id, policy.everyone)),
    )
    content: Content | None = strawberry.field(description="The item it is on.", metadata=at(TO_CONTENT))
    subject: Annotated["Subject", strawberry.lazy("schema.content.subject")] | None = strawberry.field(
        description="What it speaks about: the item, or the comment it answers.",
        metadata=at(Either(lambda row: row.c.parent_id.is_not(None), ("Comment", TO_PARENT), ("Content", TO_CONTENT))),
    )
    version: int = strawberry.field(description="Counts its changes.", metadata=at(Column("version")))
    created_at: datetime = strawberry.field(description="When it was made.", metadata=at(Column("created_at")))
    updated_at: datetime = strawberry.field(description="When it last changed.", metadata=at(Column("updated_at")))
    reaction_count: int = strawberry.field(
        description="How many reactions it has.", metadata=at(Expression(reaction_count))
    )
    reactions: list[ReactionCount] = strawberry.field(
        description="Its reactions counted by kind, the most frequent first.", metadata=at(Listed(reactions))
    )
    viewer_reaction: ReactionKind | None = strawberry.field(
        description="The viewer's own reaction; null if they gave none.", metadata=at(Expression(viewer_reaction))
    )
    replies: Connection["Comment"] = connection(
        Connected(lambda row, reply, _: reply.c.parent_id == row.c.id, COMMENT_ORDERS, policy=policy.everyone),
        "The answers to this comment, the first made first.",
    )
