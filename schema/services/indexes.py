"""The indexes over all sites, kept in step with this site's own tables.

Promises: a row of an index is always made anew from the truth, in the transaction that changed it; so it equals the
truth, and what was wrong before is right afterwards. The caller holds the lock on the row that is the truth.
Never touches a row of another site: each window lets in its own only.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Table, Uuid, cast, delete, func, insert, literal, select

from schema.work import Work
from tenants.site_tables import (
    ActivityWindow,
    CeilingWindow,
    Content,
    Group,
    GroupMember,
    Member,
    MembershipWindow,
)
from tenants.tables import table_of

MEMBER, GROUP, GROUP_MEMBER, CONTENT = (table_of(model) for model in (Member, Group, GroupMember, Content))
MEMBERSHIP, CEILING, ACTIVITY = (table_of(model) for model in (MembershipWindow, CeilingWindow, ActivityWindow))


async def index_membership(work: Work, account_id: UUID) -> None:
    """A member's role and groups; no row for who left."""
    groups = select(GROUP_MEMBER.c.group_id).where(GROUP_MEMBER.c.account_id == account_id)
    group_ids = func.array(groups.order_by(GROUP_MEMBER.c.group_id).scalar_subquery(), type_=ARRAY(Uuid))
    truth = select(
        _here(work), MEMBER.c.account_id, MEMBER.c.role, group_ids.label("group_ids"), MEMBER.c.joined_at
    ).where(MEMBER.c.account_id == account_id, MEMBER.c.left_at.is_(None))
    await _renew(work, MEMBERSHIP, MEMBERSHIP.c.account_id == account_id, truth)


async def index_ceiling(work: Work, group_id: UUID) -> None:
    """A group's level."""
    truth = select(_here(work), GROUP.c.id.label("group_id"), GROUP.c.access).where(GROUP.c.id == group_id)
    await _renew(work, CEILING, CEILING.c.group_id == group_id, truth)


async def index_activity(work: Work, content_id: UUID) -> None:
    """An item's place in lists over all sites; no row for a deleted one."""
    item = CONTENT.c
    truth = select(
        _here(work),
        item.id.label("content_id"),
        item.kind,
        item.access,
        item.group_id,
        item.author_id,
        item.published_at,
    ).where(item.id == content_id, item.deleted_at.is_(None))
    await _renew(work, ACTIVITY, ACTIVITY.c.content_id == content_id, truth)


async def _renew(work: Work, index: Table, row: ColumnElement[bool], truth: Select[Any]) -> None:
    await work.tx.execute(delete(index).where(row))
    await work.tx.execute(insert(index).from_select([column.name for column in truth.selected_columns], truth))


def _here(work: Work) -> ColumnElement[UUID]:
    assert work.tenant is not None
    return cast(literal(work.tenant.id, Uuid), Uuid).label("tenant_id")
