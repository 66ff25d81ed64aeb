"""Offers of ownership: what a site's owners, and those whom it is offered to, see of a site that changes hands."""

from datetime import datetime

import strawberry

from auth import policy
from schema.account import Member
from schema.bind import Column, One, Order, Place, Source, at, bound
from schema.relay import Node
from tenants.site_tables import OwnershipOffer as OfferTable
from tenants.tables import table_of

OFFERS = Source(tables={Place.SITE: table_of(OfferTable)}, key="account_id", policy=policy.offer_visible, tag="O")
OFFER_ORDERS = {"NEWEST": Order("created_at", descending=True, numeric=True)}


@bound(OFFERS)
@strawberry.type(description="The ownership of a site, offered to one of its members. Good for a week.")
class OwnershipOffer(Node):
    """The ownership of a site, offered to one of its members."""

    member: Member | None = strawberry.field(
        description="Who would become an owner.",
        metadata=at(One(lambda row, member, _: member.c.account_id == row.c.account_id, policy.everyone)),
    )
    offered_by: Member | None = strawberry.field(
        description="The owner who offers it.",
        metadata=at(One(lambda row, member, _: member.c.account_id == row.c.offered_by, policy.everyone)),
    )
    steps_down: bool = strawberry.field(
        description="Whether whoever offers it becomes an admin when it is accepted.",
        metadata=at(Column("steps_down")),
    )
    created_at: datetime = strawberry.field(description="When it was made.", metadata=at(Column("created_at")))
    expires_at: datetime = strawberry.field(
        description="Until when it can be accepted.", metadata=at(Column("expires_at"))
    )
