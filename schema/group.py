"""Groups: places within a site, each with its own members and its own level of access."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry
from sqlalchemy import ColumnElement, and_, func, select

from auth import policy
from auth.policy import Level, Row, Terms
from schema.account import MEMBER_ORDERS, Member, MemberOrder
from schema.bind import Column, Connected, Expression, One, Order, Place, Source, at, bound
from schema.content_lists import CONTENT_FILTERS, CONTENT_ORDERS, ContentFilter, ContentOrder
from schema.levels import AccessLevel, Joining, ranked, value
from schema.relay import Connection, Node, connection
from tenants.site_tables import Group as GroupTable
from tenants.site_tables import GroupMember
from tenants.site_tables import Member as MemberTable
from tenants.tables import table_of

if TYPE_CHECKING:
    from schema.content.base import Content
    from schema.site import Site

GROUPS = Source(tables={Place.SITE: table_of(GroupTable)}, key="id", policy=policy.group_visible, tag="G")

GROUP_ORDERS = {
    "NAME": Order("name", descending=False),
    "NEWEST": Order("created_at", descending=True, numeric=True),
}


@strawberry.enum(description="The order of a list of groups.")
class GroupOrder(Enum):
    """The order of a list of groups."""

    NAME = value("NAME", "By name.")
    NEWEST = value("NEWEST", "The latest made first.")


def _is_in(group: Row, member: Row, terms: Terms) -> ColumnElement[bool]:
    place = table_of(GroupMember).alias()
    members = select(place.c.account_id).where(place.c.group_id == group.c.id).correlate_except(place)
    return member.c.account_id.in_(members) & policy.group_open(group, terms)


def _member_count(row: Row, _terms: Terms) -> ColumnElement[int]:
    """Those of the site's members who have a place in the group; places may be left of people who left the site."""
    place, member = table_of(GroupMember).alias(), table_of(MemberTable).alias()
    there = place.join(member, and_(member.c.account_id == place.c.account_id, member.c.left_at.is_(None)))
    counted = select(func.count()).select_from(there).where(place.c.group_id == row.c.id)
    return counted.correlate_except(place, member).scalar_subquery()


@bound(GROUPS)
@strawberry.type(description="A place within a site, with its own members and its own level of access.")
class Group(Node):
    """A place within a site."""

    name: str = strawberry.field(description="Its name.", metadata=at(Column("name")))
    description: str = strawberry.field(description="What it is for.", metadata=at(Column("description")))
    site: Annotated["Site", strawberry.lazy("schema.site")] | None = strawberry.field(
        description="The site it is on.", metadata=at(One(policy.same_site, policy.everyone))
    )
    access: AccessLevel = strawberry.field(
        description="Who may read in it: a ceiling for everything in the group.", metadata=at(ranked("access", Level))
    )
    joining: Joining = strawberry.field(description="How one becomes a member.", metadata=at(Column("joining")))
    version: int = strawberry.field(description="Counts its changes.", metadata=at(Column("version")))
    created_at: datetime = strawberry.field(description="When it was made.", metadata=at(Column("created_at")))
    updated_at: datetime = strawberry.field(description="When it last changed.", metadata=at(Column("updated_at")))
    member_count: int = strawberry.field(description="How many members it has.", metadata=at(Expression(_member_count)))
    viewer_is_member: bool = strawberry.field(
        description="Whether the viewer is one of its members.",
        metadata=at(Expression(lambda row, terms: policy.in_group(row.c.id, terms))),
    )
    members: Connection[Member] = connection(
        Connected(_is_in, MEMBER_ORDERS),
        "Its members; empty for who may not look inside.",
        order_by=(MemberOrder, "The order of the list."),
    )
    content: Connection[Annotated["Content", strawberry.lazy("schema.content.base")]] = connection(
        Connected(lambda group, item, _: item.c.group_id == group.c.id, CONTENT_ORDERS, CONTENT_FILTERS),
        "Its items that the viewer may see, the newest first if no order is given.",
        filter=(ContentFilter, "Narrows the list."),
        order_by=(ContentOrder, "The order of the list."),
    )
