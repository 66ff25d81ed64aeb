"""What all kinds of content share: the interface, its source, and what a kind adds to it.

Promises: an item is one row of `content`; what only one kind has is in its `details`, checked when written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from sqlalchemy import ColumnElement, FromClause, func, select

from auth import policy
from auth.policy import Level, Row, Terms
from schema.account import Member
from schema.bind import Column, Connected, Derived, Expression, Listed, One, Order, Place, Source, at, bound
from schema.federation import key
from schema.group import Group
from schema.kinds import ContentKind
from schema.levels import AccessLevel, ReactionKind, ranked
from schema.relay import Connection, Node, connection
from tenants.site_tables import Comment as CommentTable
from tenants.site_tables import Content as ContentTable
from tenants.site_tables import Reaction
from tenants.tables import table_of

CONTENT = Source(
    tables={Place.SITE: table_of(ContentTable)},
    key="id",
    policy=policy.content_visible,
    tag="C",
    discriminator="kind",
)

if TYPE_CHECKING:
    from schema.content.comment import Comment
    from schema.site import Site

COMMENT_ORDERS = {"OLDEST": Order("created_at", descending=False, numeric=True)}

Details = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """What a kind adds: its type, and if it has `details` of its own, their input and how they are checked and stored.

    `input_name` is the field of the create and update inputs that carries them.
    """

    object_type: type
    titled: bool = True
    input_name: str = ""
    input_type: type | None = None
    store: Callable[[Any], Details] = lambda _: {}


def comment_count(row: Row, _terms: Terms) -> ColumnElement[int]:
    """How many comments an item has."""
    comment = table_of(CommentTable).alias()
    return select(func.count()).select_from(comment).where(comment.c.content_id == row.c.id).scalar_subquery()


def reaction_count(row: Row, _terms: Terms) -> ColumnElement[int]:
    """How many reactions an item or comment has."""
    reaction = table_of(Reaction).alias()
    return select(func.count()).select_from(reaction).where(reaction.c.subject_id == row.c.id).scalar_subquery()


def viewer_reaction(row: Row, terms: Terms) -> ColumnElement[Any]:
    """The viewer's own reaction on an item or comment, or null."""
    reaction = table_of(Reaction).alias()
    mine = (reaction.c.subject_id == row.c.id, reaction.c.account_id == terms.me)
    return select(reaction.c.kind).where(*mine).scalar_subquery()


def reactions(row: Row, _terms: Terms) -> FromClause:
    """The reactions on an item or comment, counted by kind, the most frequent first."""
    reaction = table_of(Reaction).alias()
    counts = select(reaction.c.kind, func.count().label("count")).where(reaction.c.subject_id == row.c.id)
    ordered = counts.group_by(reaction.c.kind).order_by(func.count().desc(), reaction.c.kind)
    return ordered.correlate(row).subquery()  # type: ignore[arg-type]


def excerpt(row: Row, _terms: Terms) -> ColumnElement[str]:
    """The beginning of the body: 300 characters, white space folded."""
    return func.left(func.regexp_replace(func.left(row.c.body, 600), r"\s+", " ", "g"), 300)


@bound(Derived())
@strawberry.type(description="How often one kind of reaction was given.")
class ReactionCount:
    """How often one kind of reaction was given."""

    kind: ReactionKind = strawberry.field(description="The reaction.", metadata=at(Column("kind")))
    count: int = strawberry.field(description="How many gave it.", metadata=at(Column("count")))


@bound(CONTENT)
@strawberry.interface(description="An item that somebody published on a site.", directives=[key("id")])
class Content(Node):
    """An item that somebody published on a site."""

    kind: ContentKind = strawberry.field(description="What kind of item it is.", metadata=at(Column("kind")))
    title: str = strawberry.field(
        description="Its title; empty for a kind without titles.", metadata=at(Column("title"))
    )
    body: str = strawberry.field(description="Its text, in Markdown.", metadata=at(Column("body")))
    excerpt: str = strawberry.field(
        description="The beginning of the text, 300 characters at most, white space folded.",
        metadata=at(Expression(excerpt)),
    )
    author: Member | None = strawberry.field(
        description="Who wrote it.",
        metadata=at(One(lambda row, member, _: member.c.account_id == row.c.author_id, policy.everyone)),
    )
    group: Group | None = strawberry.field(
        description="The group it is in; null outside groups.",
        metadata=at(One(lambda row, group, _: group.c.id == row.c.group_id)),
    )
    site: Annotated["Site", strawberry.lazy("schema.site")] | None = strawberry.field(
        description="The site it is on.", metadata=at(One(policy.same_site, policy.everyone))
    )
    access: AccessLevel = strawberry.field(
        description="Who may read it, as far as its group and its site allow.", metadata=at(ranked("access", Level))
    )
    tags: list[str] = strawberry.field(description="Words it is filed under.", metadata=at(Column("tags")))
    version: int = strawberry.field(
        description="Counts its changes; give it back with `updateContent`.", metadata=at(Column("version"))
    )
    published_at: datetime = strawberry.field(description="When it was published.", metadata=at(Column("published_at")))
    created_at: datetime = strawberry.field(description="When it was made.", metadata=at(Column("created_at")))
    updated_at: datetime = strawberry.field(description="When it last changed.", metadata=at(Column("updated_at")))
    comment_count: int = strawberry.field(
        description="How many comments it has, answers included.", metadata=at(Expression(comment_count))
    )
    reaction_count: int = strawberry.field(
        description="How many reactions it has.", metadata=at(Expression(reaction_count))
    )
    reactions: list[ReactionCount] = strawberry.field(
        description="Its reactions counted by kind, the most frequent first.", metadata=at(Listed(reactions))
    )
    viewer_reaction: ReactionKind | None = strawberry.field(
        description="The viewer's own reaction; null if they gave none.", metadata=at(Expression(viewer_reaction))
    )
    comments: Connection[Annotated["Comment", strawberry.lazy("schema.content.comment")]] = connection(
        Connected(
            lambda row, comment, _: (comment.c.content_id == row.c.id) & comment.c.parent_id.is_(None),
            COMMENT_ORDERS,
            policy=policy.everyone,
        ),
        "The comments on the item itself, the first made first; answers hang on each.",
    )
