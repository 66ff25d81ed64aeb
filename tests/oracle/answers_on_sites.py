"""What sites, members and groups answer, naively."""

from __future__ import annotations

from typing import Any

from auth.policy import Role
from tests.oracle import lists
from tests.oracle.answers_on_items import content
from tests.oracle.lists import Args
from tests.oracle.things import Asked, Thing, answers
from tests.oracle.world import Row


@answers("Site", "viewerMembership")
def viewer_membership(asked: Asked, here: Thing, _args: Args) -> Any:
    row = here.site.find("member", "account_id", asked.viewer.account_id)
    return Thing("Member", row, here.site) if row and row["left_at"] is None else None


@answers("Site", "requiresSecondFactor")
def requires_second_factor(_asked: Asked, here: Thing, _args: Args) -> Any:
    return here.row["second_factor"]


@answers("Site", "signInIssuers")
def sign_in_issuers(_asked: Asked, here: Thing, _args: Args) -> Any:
    return here.row["issuers"]


@answers("Site", "memberCount")
def site_member_count(_asked: Asked, here: Thing, _args: Args) -> Any:
    return len(here.site.where("member", lambda row: row["left_at"] is None))


@answers("Site", "content")
def site_content(asked: Asked, here: Thing, args: Args) -> Any:
    return content(asked, here, asked.items(here.site), args)


@answers("Site", "groups")
def site_groups(asked: Asked, here: Thing, args: Args) -> Any:
    rows = here.site.where("group", asked.standing(here.site).sees_group)
    return asked.listed([Thing("Group", row, here.site) for row in rows], lists.GROUP_ORDERS, args, here, "groups")


@answers("Site", "members")
def site_members(asked: Asked, here: Thing, args: Args) -> Any:
    return members(asked, here, here.site.where("member", asked.standing(here.site).sees_member), args)


def members(asked: Asked, owner: Thing, rows: list[Row], args: Args) -> Any:
    """A connection over members."""
    things = [Thing("Member", row, owner.site) for row in rows]
    return asked.listed(things, lists.MEMBER_ORDERS, args, owner, "members", "account_id")


@answers("Member", "role")
def role(_asked: Asked, member: Thing, _args: Args) -> Any:
    return Role(member.row["role"]).name


@answers("Member", "account")
def member_account(asked: Asked, member: Thing, _args: Args) -> Any:
    row = asked.world.accounts.get(member.row["account_id"])
    return Thing("Account", row, member.site) if row else None


@answers("Group", "memberCount")
def group_member_count(_asked: Asked, group: Thing, _args: Args) -> Any:
    there = {row["account_id"] for row in group.site.where("member", lambda row: row["left_at"] is None)}
    places = group.site.where("group_member", lambda row: row["group_id"] == group.row["id"])
    return sum(row["account_id"] in there for row in places)


@answers("Group", "viewerIsMember")
def viewer_is_member(asked: Asked, group: Thing, _args: Args) -> Any:
    return group.row["id"] in asked.standing(group.site).groups


@answers("Group", "members")
def group_members(asked: Asked, group: Thing, args: Args) -> Any:
    here = asked.standing(group.site)
    places = group.site.where("group_member", lambda row: row["group_id"] == group.row["id"])
    inside = {row["account_id"] for row in places if here.sees_inside(group.row)}
    rows = group.site.where("member", lambda row: row["account_id"] in inside and here.sees_member(row))
    return members(asked, group, rows, args)


@answers("Group", "content")
def group_content(asked: Asked, group: Thing, args: Args) -> Any:
    rows = [row for row in asked.items(group.site) if row["group_id"] == group.row["id"]]
    return content(asked, group, rows, args)


@answers("Site", "ownershipOffers")
def offers(asked: Asked, here: Thing, args: Args) -> Any:
    rows = here.site.where("ownership_offer", asked.standing(here.site).sees_offer)
    things = [Thing("OwnershipOffer", row, here.site) for row in rows]
    return asked.listed(things, lists.OFFER_ORDERS, args, here, "ownershipOffers", "account_id")


@answers("OwnershipOffer", "member")
def offered_to(_asked: Asked, offer: Thing, _args: Args) -> Any:
    row = offer.site.find("member", "account_id", offer.row["account_id"])
    return Thing("Member", row, offer.site) if row else None


@answers("OwnershipOffer", "offeredBy")
def offered_by(_asked: Asked, offer: Thing, _args: Args) -> Any:
    row = offer.site.find("member", "account_id", offer.row["offered_by"])
    return Thing("Member", row, offer.site) if row else None
