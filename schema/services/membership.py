"""Joining and leaving a site.

Promises: joining what one is on, and leaving what one is not on, succeeds and changes nothing. Who leaves stays as the
author of what they wrote, and a site is never left without an owner.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from auth.policy import Role
from auth.viewer import Viewer
from schema.errors import ErrorCode, PleinError
from schema.inputs.site import JoinSiteInput, LeaveSiteInput
from schema.services.indexes import index_membership
from schema.services.ownership import drop_offers
from schema.services.standing import forbidden, load_standing, require_answering
from schema.services.texts import require_account
from schema.work import Done, Work
from tenants.site_tables import GroupMember, Member
from tenants.tables import table_of

MEMBER = table_of(Member)
GROUP_MEMBER = table_of(GroupMember)

NOT_OPEN = {
    "REQUEST": "One joins this {thing} by asking, and asking is not possible here yet; an admin can let you in.",
    "DOMAIN": "Only people with an e-mail address of certain domains join this {thing}, and not here yet.",
    "INVITATION": "One joins this {thing} by invitation only.",
}
"""What is told to who cannot join, by the way of joining."""


async def join_site(work: Work, viewer: Viewer, asked: JoinSiteInput) -> Done:
    """Makes the viewer a member of an open site. Who comes back keeps the date on which they first joined."""
    me = require_account(viewer, asked)
    site_id = await work.enter_site_of(asked.site, "S", "input.site")
    standing = await require_answering(work, me, "input.site")
    if standing.role is None:
        require_open(standing.joining, "site")
        new = insert(MEMBER).values(account_id=me, role=int(Role.MEMBER), joined_at=datetime.now(UTC), left_at=None)
        back = {"left_at": None, "role": int(Role.MEMBER)}
        # Where the same account joins twice at once, the second waits here and then finds itself a member.
        again = new.on_conflict_do_update(
            index_elements=[MEMBER.c.account_id], set_=back, where=MEMBER.c.left_at.is_not(None)
        )
        await work.tx.execute(again)
        await index_membership(work, me)
    return Done(standing.site, {"site": work.node("S", site_id), "member": work.node("M", me)})


async def leave_site(work: Work, viewer: Viewer, asked: LeaveSiteInput) -> Done:
    """Ends the viewer's membership and their places in groups. The last owner cannot leave: CONFLICT."""
    me = require_account(viewer, asked)
    site_id = await work.enter_site_of(asked.site, "S", "input.site")
    standing = await load_standing(work, me, "input.site", knows_past=True)
    standing.require_answering()
    if await _lock_with_owners(work, me):
        await work.tx.execute(delete(GROUP_MEMBER).where(GROUP_MEMBER.c.account_id == me))
        await drop_offers(work, offered_by=me, to=me)
        await work.tx.execute(update(MEMBER).where(MEMBER.c.account_id == me).values(left_at=datetime.now(UTC)))
        await index_membership(work, me)
    return Done(standing.site, {"site": work.node("S", site_id)})


def require_open(joining: str, thing: str) -> None:
    """Raises FORBIDDEN where one cannot join at once."""
    if joining != "OPEN":
        raise forbidden(NOT_OPEN[joining].format(thing=thing))


async def _lock_with_owners(work: Work, me: UUID) -> bool:
    """Locks the viewer's own row and all owners', in one order for everybody; False for who is no member."""
    ours = or_(MEMBER.c.account_id == me, MEMBER.c.role == int(Role.OWNER))
    rows = (
        select(MEMBER.c.account_id, MEMBER.c.role)
        .where(MEMBER.c.left_at.is_(None), ours)
        .order_by(MEMBER.c.account_id)
        .with_for_update(key_share=True)
    )
    role_of = {row.account_id: Role(row.role) for row in await work.tx.execute(rows)}
    if role_of.get(me) is Role.OWNER and list(role_of.values()).count(Role.OWNER) == 1:
        message = "You are the last owner of this site; it would have none. Suspend it, or hand it over first."
        raise PleinError(ErrorCode.CONFLICT, message, field="input.site")
    return me in role_of
