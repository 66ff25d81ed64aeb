"""Starting and changing a group, joining and leaving it.

Promises: a group's level is a ceiling that works at once. Joining what one is in, and leaving what one is not in,
succeeds and changes nothing; only members of the site are members of its groups.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, insert

from auth.policy import Level, Role
from auth.viewer import Viewer
from schema.errors import bad_input
from schema.group import GROUPS
from schema.inputs.group import CreateGroupInput, JoinGroupInput, LeaveGroupInput, UpdateGroupInput
from schema.levels import AccessLevel
from schema.services.indexes import index_ceiling, index_membership
from schema.services.membership import require_open
from schema.services.site import DESCRIPTION_MAX, NAME_MAX, joining_name, told
from schema.services.standing import forbidden, group_role, lock_member, require_answering, require_visible
from schema.services.texts import given, line, prose, require_account
from schema.services.versions import changes_of, require_version, write_changes
from schema.work import Done, Work
from tenants.ids import uuid7
from tenants.site_tables import Group, GroupMember
from tenants.tables import table_of

GROUP = table_of(Group)
GROUP_MEMBER = table_of(GroupMember)


async def create_group(work: Work, viewer: Viewer, asked: CreateGroupInput) -> Done:
    """Starts a group, for members; whoever asks becomes its owner."""
    me = require_account(viewer, asked)
    now = datetime.now(UTC)
    access = _level(asked.access)
    group_id = uuid7()
    group = {
        "id": group_id,
        "name": line(asked.name, "input.name", NAME_MAX),
        "description": prose(asked.description, "input.description", DESCRIPTION_MAX) or "",
        "access": int(Level.MEMBERS) if access is None else access,
        "joining": joining_name(asked.joining) or "OPEN",
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
    await work.enter_site_of(asked.site, "S", "input.site")
    standing = await require_answering(work, me, "input.site")
    standing.require_role(Role.MEMBER, "start a group")
    await _lock_self(work, me)
    await work.tx.execute(insert(GROUP).values(group))
    await index_ceiling(work, group_id)
    await _enter_group(work, group_id, me, Role.OWNER)
    return Done(standing.site, {"group": work.node("G", group_id)})


async def update_group(work: Work, viewer: Viewer, asked: UpdateGroupInput) -> Done:
    """Changes a group, for its owners and the site's admins."""
    me = require_account(viewer, asked)
    changes = {
        "name": line(asked.name, "input.name", NAME_MAX),
        "description": prose(asked.description, "input.description", DESCRIPTION_MAX),
        "access": _level(asked.access),
        "joining": joining_name(asked.joining),
    }
    group_id = await work.enter_site_of(asked.id, "G", "input.id")
    standing = await require_answering(work, me, "input.id")
    row = await require_visible(work, me, GROUPS, group_id, "input.id", lock=True)
    is_owner = await group_role(work, group_id, me) == Role.OWNER
    if not (standing.is_at_least(Role.ADMIN) or is_owner):
        raise forbidden("Only owners of this group and admins of its site can change it.")
    require_version(row, asked.version)
    if await write_changes(work, GROUP, row, changes):
        await index_ceiling(work, group_id)
        if not is_owner:
            await work.audit(viewer, "group.updated", asked.id, **told(changes_of(row, changes)))
    return Done(standing.site, {"group": work.node("G", group_id)})


async def join_group(work: Work, viewer: Viewer, asked: JoinGroupInput) -> Done:
    """Makes the viewer a member of an open group on a site that they are a member of."""
    me = require_account(viewer, asked)
    group_id = await work.enter_site_of(asked.group, "G", "input.group")
    standing = await require_answering(work, me, "input.group")
    row = await require_visible(work, me, GROUPS, group_id, "input.group")
    standing.require_role(Role.MEMBER, "join a group")
    await _lock_self(work, me)
    if await group_role(work, group_id, me) is None:
        require_open(row.joining, "group")
        await _enter_group(work, group_id, me, Role.MEMBER)
    return Done(standing.site, {"group": work.node("G", group_id)})


async def leave_group(work: Work, viewer: Viewer, asked: LeaveGroupInput) -> Done:
    """Ends the viewer's place in a group."""
    me = require_account(viewer, asked)
    group_id = await work.enter_site_of(asked.group, "G", "input.group")
    standing = await require_answering(work, me, "input.group")
    await require_visible(work, me, GROUPS, group_id, "input.group")
    if await lock_member(work, me) is not None:
        mine = (GROUP_MEMBER.c.group_id == group_id, GROUP_MEMBER.c.account_id == me)
        await work.tx.execute(delete(GROUP_MEMBER).where(*mine))
        await index_membership(work, me)
    return Done(standing.site, {"group": work.node("G", group_id)})


async def _lock_self(work: Work, me: UUID) -> None:
    """Holds the viewer's memberships still; FORBIDDEN if they left the site at this very moment."""
    if await lock_member(work, me) is None:
        raise forbidden("You are no member of this site any more.")


async def _enter_group(work: Work, group_id: UUID, account_id: UUID, role: Role) -> None:
    place = {"group_id": group_id, "account_id": account_id, "role": int(role), "joined_at": datetime.now(UTC)}
    await work.tx.execute(insert(GROUP_MEMBER).values(place))
    await index_membership(work, account_id)


def _level(access: AccessLevel | None) -> int | None:
    access = given(access)
    if access is None:
        return None
    if access is AccessLevel.PRIVATE:
        raise bad_input("input.access", "A group is for its own members at least: GROUP, MEMBERS, ACCOUNTS or PUBLIC.")
    return int(Level[access.name])
