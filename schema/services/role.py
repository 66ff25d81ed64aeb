"""Roles of members, and members that are sent away.

Promises: nobody gives a role above their own, or acts on who has one; ownership is not given but offered; a site is
never left without an owner. Giving the role that somebody has succeeds and changes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select, update

from auth.policy import Role
from auth.viewer import Viewer
from schema.account import MEMBERS
from schema.errors import ErrorCode, PleinError, bad_input
from schema.inputs.member import RemoveMemberInput, SetMemberRoleInput
from schema.services.indexes import index_membership
from schema.services.ownership import drop_offers
from schema.services.standing import Standing, forbidden, require_answering, require_visible
from schema.services.texts import account_node, require_account
from schema.work import Done, Work
from tenants.site_tables import GroupMember, Member
from tenants.tables import table_of

MEMBER = table_of(Member)
GROUP_MEMBER = table_of(GroupMember)
FIELD = "input.member"


async def set_member_role(work: Work, viewer: Viewer, asked: SetMemberRoleInput) -> Done:
    """Gives a member another role, for admins and owners."""
    me = require_account(viewer, asked)
    role = Role[asked.role.name]
    standing, member_id, before = await _enter(work, me, asked.member, "give roles")
    if role is before:
        return Done(standing.site, {"member": work.node("M", member_id)})
    if role is Role.OWNER:
        raise forbidden("Ownership is not given but offered, with `offerOwnership`.")
    assert standing.role is not None
    if role > standing.role:
        raise forbidden(f"You are {standing.role.name.lower()}, and cannot give a role above that.")
    await work.tx.execute(update(MEMBER).where(MEMBER.c.account_id == member_id).values(role=int(role)))
    await index_membership(work, member_id)
    if before is Role.OWNER:
        await drop_offers(work, offered_by=member_id)
    names = {"role": role.name, "before": before.name, "account": account_node(member_id)}
    await work.audit(viewer, "member.role_set", asked.member, **names)
    return Done(standing.site, {"member": work.node("M", member_id)})


async def remove_member(work: Work, viewer: Viewer, asked: RemoveMemberInput) -> Done:
    """Ends another's membership and their places in groups, for admins and owners. What they wrote stays."""
    me = require_account(viewer, asked)
    standing, member_id, before = await _enter(work, me, asked.member, "remove members")
    if member_id == me:
        raise bad_input(FIELD, "One leaves a site with `leaveSite`.")
    await work.tx.execute(delete(GROUP_MEMBER).where(GROUP_MEMBER.c.account_id == member_id))
    await drop_offers(work, offered_by=member_id, to=member_id)
    await work.tx.execute(update(MEMBER).where(MEMBER.c.account_id == member_id).values(left_at=datetime.now(UTC)))
    await index_membership(work, member_id)
    await work.audit(viewer, "member.removed", asked.member, before=before.name, account=account_node(member_id))
    return Done(standing.site, {"removedId": asked.member})


async def _enter(work: Work, me: UUID, text: str, deed: str) -> tuple[Standing, UUID, Role]:
    """Enters the site of a member whom the viewer may act on: the standing there, the member's key and role.

    Their row, the viewer's and all owners' are locked, in one order for everybody.
    """
    member_id = await work.enter_site_of(text, "M", FIELD)
    standing = await require_answering(work, me, FIELD)
    await require_visible(work, me, MEMBERS, member_id, FIELD)
    standing.require_role(Role.ADMIN, deed)
    roles = await lock_roles(work, me, member_id)
    mine, theirs = roles.get(me), roles.get(member_id)
    if mine is None or mine < Role.ADMIN or theirs is None:
        raise PleinError(ErrorCode.CONFLICT, "Who is what here changed at this very moment; look again.", field=FIELD)
    if theirs > mine:
        raise forbidden(f"They are {theirs.name.lower()}, which is above what you are.")
    if theirs is Role.OWNER and list(roles.values()).count(Role.OWNER) == 1:
        message = "They are the last owner of this site; it would have none. Offer it to somebody else first."
        raise PleinError(ErrorCode.CONFLICT, message, field=FIELD)
    return Standing(standing.site, standing.state, standing.joining, mine), member_id, theirs


async def lock_roles(work: Work, *account_ids: UUID) -> dict[UUID, Role]:
    """Locks the rows of these members and of all owners, in one order for everybody: their roles now."""
    whom: Any = or_(MEMBER.c.account_id.in_(account_ids), MEMBER.c.role == int(Role.OWNER))
    rows = (
        select(MEMBER.c.account_id, MEMBER.c.role)
        .where(MEMBER.c.left_at.is_(None), whom)
        .order_by(MEMBER.c.account_id)
        .with_for_update(key_share=True)
    )
    return {row.account_id: Role(row.role) for row in await work.tx.execute(rows)}
