"""Handing a site over: ownership is offered, and theirs who accepts it in time.

Promises: nobody becomes an owner without wanting it; an offer is good for a week, for as long as whoever made it is an
owner. A site is never left without an owner. An offer made again is the new one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from auth.policy import Role
from auth.viewer import Viewer
from schema.account import MEMBERS
from schema.errors import ErrorCode, PleinError, bad_input, not_found
from schema.inputs.member import AcceptOwnershipInput, DeclineOwnershipInput, OfferOwnershipInput
from schema.services.indexes import index_membership
from schema.services.standing import lock_member, require_answering, require_visible
from schema.services.texts import account_node, given, require_account
from schema.work import Done, Work
from tenants.site_tables import Member, OwnershipOffer
from tenants.tables import table_of

MEMBER = table_of(Member)
OFFER = table_of(OwnershipOffer)
GOOD_FOR = timedelta(days=7)


async def offer_ownership(work: Work, viewer: Viewer, asked: OfferOwnershipInput) -> Done:
    """Offers the site to one of its members, for owners."""
    me = require_account(viewer, asked)
    steps_down = given(asked.steps_down)
    member_id = await work.enter_site_of(asked.member, "M", "input.member")
    standing = await require_answering(work, me, "input.member")
    await require_visible(work, me, MEMBERS, member_id, "input.member")
    standing.require_role(Role.OWNER, "offer it")
    member = await lock_member(work, member_id)
    if member is None or Role(member.role) in (Role.OWNER, Role.GUEST):
        raise bad_input("input.member", "Ownership is offered to who is a member and no guest, and not yet an owner.")
    now = datetime.now(UTC)
    row = {"offered_by": me, "steps_down": steps_down is not False, "created_at": now, "expires_at": now + GOOD_FOR}
    new = insert(OFFER).values(account_id=member_id, **row)
    await work.tx.execute(new.on_conflict_do_update(index_elements=[OFFER.c.account_id], set_=row))
    await work.audit(viewer, "ownership.offered", asked.member, account=account_node(member_id))
    return Done(standing.site, {"offer": work.node("O", member_id)})


async def accept_ownership(work: Work, viewer: Viewer, asked: AcceptOwnershipInput) -> Done:
    """Makes the viewer an owner of a site that was offered to them."""
    me = require_account(viewer, asked)
    site_id = await work.enter_site_of(asked.site, "S", "input.site")
    standing = await require_answering(work, me, "input.site")
    offered = OFFER.c.account_id == me
    by = await work.tx.scalar(select(OFFER.c.offered_by).where(offered, OFFER.c.expires_at > datetime.now(UTC)))
    if by is None:
        raise not_found("input.site")
    # The members first, as everywhere; then the offer, which may be gone or another's meanwhile.
    both = (
        select(MEMBER.c.account_id, MEMBER.c.role)
        .where(MEMBER.c.account_id.in_((me, by)), MEMBER.c.left_at.is_(None))
        .order_by(MEMBER.c.account_id)
        .with_for_update(key_share=True)
    )
    roles = {row.account_id: Role(row.role) for row in await work.tx.execute(both)}
    taken = delete(OFFER).where(offered, OFFER.c.offered_by == by).returning(OFFER.c.steps_down)
    offer = (await work.tx.execute(taken)).first()
    if offer is None or me not in roles or roles.get(by) is not Role.OWNER:
        raise PleinError(ErrorCode.CONFLICT, "This offer is not good any more; ask for it again.", field="input.site")
    await _set_role(work, me, Role.OWNER)
    if offer.steps_down:
        await _set_role(work, by, Role.ADMIN)
        await drop_offers(work, offered_by=by)
    about = {"from": account_node(by), "before": roles[me].name, "steppedDown": bool(offer.steps_down)}
    await work.audit(viewer, "ownership.accepted", asked.site, **about)
    return Done(standing.site, {"site": work.node("S", site_id), "member": work.node("M", me)})


async def decline_ownership(work: Work, viewer: Viewer, asked: DeclineOwnershipInput) -> Done:
    """Takes an offer away: by who got it, or by any owner."""
    me = require_account(viewer, asked)
    member_id = await work.enter_site_of(asked.offer, "O", "input.offer")
    standing = await require_answering(work, me, "input.offer")
    mine = OFFER.c.account_id == member_id
    if not (member_id == me or standing.is_at_least(Role.OWNER)):
        raise not_found("input.offer")
    if (await work.tx.execute(delete(OFFER).where(mine).returning(OFFER.c.account_id))).first() is None:
        raise not_found("input.offer")
    done = "ownership.declined" if member_id == me else "ownership.withdrawn"
    await work.audit(viewer, done, asked.offer, account=account_node(member_id))
    return Done(standing.site, {"declinedId": asked.offer})


async def drop_offers(work: Work, *, offered_by: UUID, to: UUID | None = None) -> None:
    """Takes back what somebody offered who is no owner any more, and what was offered to them if they are gone."""
    whose: list[ColumnElement[Any]] = [OFFER.c.offered_by == offered_by]
    if to is not None:
        whose.append(OFFER.c.account_id == to)
    await work.tx.execute(delete(OFFER).where(or_(*whose)))


async def _set_role(work: Work, account_id: UUID, role: Role) -> None:
    await work.tx.execute(update(MEMBER).where(MEMBER.c.account_id == account_id).values(role=int(role)))
    await index_membership(work, account_id)
