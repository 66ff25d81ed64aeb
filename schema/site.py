"""Sites: what the register tells of each, and the way into everything on it.

Promises: a field that needs the site's own tables says so by its binding, so the same type serves lists over all sites
(read from the register) and one site (read as that site's role).
"""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry
from sqlalchemy import ColumnElement, func, select

from auth import policy
from auth.policy import Level, Row, Terms
from schema.account import MEMBER_ORDERS, ApiKeyOrder, Member, MemberOrder
from schema.audit_lists import ACT_FILTERS, ACT_ORDERS, ActFilter
from schema.bind import Column, Connected, Expression, Filter, One, Order, Place, Source, at, bound
from schema.content.base import Content
from schema.content_lists import CONTENT_FILTERS, CONTENT_ORDERS, ContentFilter, ContentOrder
from schema.federation import key
from schema.group import GROUP_ORDERS, Group, GroupOrder
from schema.levels import AccessLevel, Joining, SiteState, SuspendedBy, ranked, value
from schema.ownership import OFFER_ORDERS, OwnershipOffer
from schema.relay import Connection, Node, connection
from schema.site_api_key import SITE_API_KEY_ORDERS, SiteApiKey
from tenants.platform_tables import Tenant
from tenants.site_tables import Member as MemberTable
from tenants.site_tables import SiteWindow
from tenants.tables import table_of

if TYPE_CHECKING:
    from schema.audit import Act

SITES = Source(
    tables={Place.PLATFORM: table_of(Tenant), Place.SITE: table_of(SiteWindow)},
    key="id",
    policy=policy.site_visible,
    tag="S",
    site="id",
)

SITE_ORDERS = {
    "NAME": Order("name", descending=False),
    "NEWEST": Order("created_at", descending=True, numeric=True),
    "OLDEST": Order("created_at", descending=False, numeric=True),
}
SITE_FILTERS = {
    "name": Filter("text", lambda row, text, _: func.strpos(func.lower(row.c.name), func.lower(text)) > 0),
    "slugs": Filter("text[]", lambda row, slugs, _: row.c.slug == func.any(slugs)),
    "state": Filter("text", lambda row, state, _: row.c.state == state),
    "joining": Filter("text", lambda row, joining, _: row.c.joining == joining),
}


@strawberry.enum(description="The order of a list of sites.")
class SiteOrder(Enum):
    """The order of a list of sites."""

    NAME = value("NAME", "By name.")
    NEWEST = value("NEWEST", "The latest made first.")
    OLDEST = value("OLDEST", "The first made first.")


@strawberry.input(description="Which sites to list; every field given narrows the list.")
class SiteFilter:
    """Which sites to list."""

    name: str | None = strawberry.field(default=strawberry.UNSET, description="Part of the name, in any case.")
    slugs: list[str] | None = strawberry.field(default=strawberry.UNSET, description="One of these slugs.")
    state: SiteState | None = strawberry.field(default=strawberry.UNSET, description="In this state.")
    joining: Joining | None = strawberry.field(default=strawberry.UNSET, description="Joined in this way.")


@bound(SITES)
@strawberry.type(
    description="A community of its own on the square, with its own members, groups and content.",
    directives=[key("slug")],
)
class Site(Node):
    """A community of its own on the square."""

    slug: str = strawberry.field(
        description="Its name in addresses: lower-case letters, digits and single hyphens. Unique on the square.",
        metadata=at(Column("slug")),
    )
    name: str = strawberry.field(description="Its name for people.", metadata=at(Column("name")))
    description: str = strawberry.field(description="What it is for.", metadata=at(Column("description")))
    language: str = strawberry.field(description="Its main language (BCP 47).", metadata=at(Column("language")))
    state: SiteState = strawberry.field(description="Whether it answers.", metadata=at(Column("state")))
    suspended_by: SuspendedBy | None = strawberry.field(
        description="Who suspended it, and so who can resume it; null while it answers.",
        metadata=at(Column("suspended_by")),
    )
    visibility: AccessLevel = strawberry.field(
        description="Who may find it in lists.", metadata=at(ranked("visibility", Level))
    )
    access: AccessLevel = strawberry.field(
        description="Who may read it: a ceiling for everything on it.", metadata=at(ranked("access", Level))
    )
    joining: Joining = strawberry.field(description="How one becomes a member.", metadata=at(Column("joining")))
    requires_second_factor: bool = strawberry.field(
        description="Whether it knows only people who signed in with a second factor; all others are visitors on it.",
        metadata=at(Column("second_factor")),
    )
    sign_in_issuers: list[str] = strawberry.field(
        description="The addresses of the issuers whose people it knows; empty where it knows people of all. "
        "`urn:plein:local` stands for the square's own passwords.",
        metadata=at(Column("issuers")),
    )
    version: int = strawberry.field(
        description="Counts its changes; give it back with `updateSite`.", metadata=at(Column("version"))
    )
    created_at: datetime = strawberry.field(description="When it was made.", metadata=at(Column("created_at")))
    updated_at: datetime = strawberry.field(
        description="When its settings last changed.", metadata=at(Column("updated_at"))
    )
    viewer_membership: Member | None = strawberry.field(
        description="The viewer's own membership; null for who is no member.",
        metadata=at(One(lambda _, member, terms: _own(member, terms), policy.everyone)),
    )
    content: Connection[Content] = connection(
        Connected(lambda _, item, terms: policy.everyone(item, terms), CONTENT_ORDERS, CONTENT_FILTERS),
        "Its items of every kind that the viewer may see, the newest first if no order is given.",
        filter=(ContentFilter, "Narrows the list."),
        order_by=(ContentOrder, "The order of the list."),
    )
    groups: Connection[Group] = connection(
        Connected(lambda _, group, terms: policy.everyone(group, terms), GROUP_ORDERS),
        "Its groups, by name if no order is given.",
        order_by=(GroupOrder, "The order of the list."),
    )
    members: Connection[Member] = connection(
        Connected(lambda _, member, terms: policy.everyone(member, terms), MEMBER_ORDERS),
        "Its members; empty for who is no member.",
        order_by=(MemberOrder, "The order of the list."),
    )
    audit: Connection[Annotated["Act", strawberry.lazy("schema.audit")]] | None = connection(
        Connected(lambda _, act, terms: policy.everyone(act, terms), ACT_ORDERS, ACT_FILTERS),
        "What was done here by the power of a role, the newest first; empty for who is no admin.",
        filter=(ActFilter, "Narrows the list."),
    )
    api_keys: Connection[SiteApiKey] | None = connection(
        Connected(lambda _, key, terms: policy.everyone(key, terms), SITE_API_KEY_ORDERS),
        "The keys of its members that are good here, the latest made first; empty for who is no admin.",
        order_by=(ApiKeyOrder, "The order of the list."),
    )
    ownership_offers: Connection[OwnershipOffer] = connection(
        Connected(lambda _, offer, terms: policy.everyone(offer, terms), OFFER_ORDERS),
        "Offers of its ownership that can still be accepted: to the viewer, and for its owners all of them.",
    )
    member_count: int = strawberry.field(
        description="How many members it has.", metadata=at(Expression(lambda row, _: _member_count(), Place.SITE))
    )


def _own(member: Row, terms: Terms) -> ColumnElement[bool]:
    return (member.c.account_id == terms.me) & member.c.left_at.is_(None)


def _member_count() -> ColumnElement[int]:
    member = table_of(MemberTable).alias()
    return select(func.count()).select_from(member).where(member.c.left_at.is_(None)).scalar_subquery()
