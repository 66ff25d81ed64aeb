"""The last three questions of every mutation: is it there for the viewer, does the site answer, may they.

Promises: what a viewer may see is asked of `auth.policy`, in the statement that reads the row. Missing and forbidden to
know are the same NOT_FOUND, named after the input's field.
Never writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, select

from auth.policy import ME, Role, site_visible, terms
from schema.bind import Place, Source
from schema.errors import ErrorCode, PleinError, not_found, step_up_required
from schema.work import Work
from tenants.registry import Demand, TenantRef
from tenants.site_tables import GroupMember, Member, SiteWindow
from tenants.tables import table_of

MEMBER = table_of(Member)
GROUP_MEMBER = table_of(GroupMember)

NAMES = {Role.MEMBER: "members", **{role: f"{role.name.lower()}s" for role in Role if role > Role.MEMBER}}


@dataclass(frozen=True)
class Standing:
    """The site entered and the viewer's place on it: `role` is None for who is no member."""

    site: TenantRef
    state: str
    joining: str
    role: Role | None

    def is_at_least(self, role: Role) -> bool:
        """Whether the viewer is a member with this role or a higher one."""
        return self.role is not None and self.role >= role

    def require_answering(self) -> None:
        """Raises SITE_SUSPENDED on a suspended site."""
        if self.state != "ACTIVE":
            raise PleinError(ErrorCode.SITE_SUSPENDED, "This site is suspended: nothing on it can be seen or changed.")

    def require_role(self, role: Role, deed: str) -> None:
        """Raises FORBIDDEN for who has a lower role; `deed` completes "Only members can …"."""
        if self.role is None:
            raise forbidden(f"Only {NAMES[role]} of this site can {deed}; you are no member of it.")
        if self.role < role:
            least = "" if role is Role.OWNER else " or those with a higher role"
            raise forbidden(f"Only {NAMES[role]}{least} can {deed}; you are {self.role.name.lower()}.")


def forbidden(message: str) -> PleinError:
    """What the viewer may see but not do."""
    return PleinError(ErrorCode.FORBIDDEN, message)


async def load_standing(
    work: Work, me: UUID, field: str, *, knows_all: bool = False, knows_past: bool = False
) -> Standing:
    """The site entered, suspended or not. Raises NOT_FOUND for who may not find it, and STEP_UP_REQUIRED.

    `knows_all`: the viewer may know of every site. `knows_past`: who once was a member may know of it too.
    """
    assert work.tenant is not None
    row = (await work.tx.execute(_standing(), {ME: me})).one_or_none()
    if row is None or not (row.is_visible or knows_all or (knows_past and row.was_member)):
        raise not_found(field)
    demand = Demand(row.second_factor, frozenset(row.issuers))  # as it is now, whatever the register remembers
    if not work.assurance.meets(demand):
        raise step_up_required(work.tenant.slug, work.about.base_url)
    return Standing(work.tenant, row.state, row.joining, None if row.role is None else Role(row.role))


async def require_answering(work: Work, me: UUID, field: str) -> Standing:
    """The site entered, which must answer. Raises NOT_FOUND and SITE_SUSPENDED."""
    standing = await load_standing(work, me, field)
    standing.require_answering()
    return standing


async def require_visible(
    work: Work, me: UUID, source: Source, key: UUID, field: str, *, lock: bool = False
) -> Row[Any]:
    """The row, if the viewer may see it; else NOT_FOUND. With `lock` nobody else changes it until the end.

    The lock lets others refer to the row (write a comment), as that changes nothing in it.
    """
    row: Row[Any] | None = (await work.tx.execute(_visible(source, lock), {ME: me, "key": key})).one_or_none()
    if row is None:
        raise not_found(field)
    return row


async def group_role(work: Work, group_id: UUID, account_id: UUID) -> Role | None:
    """An account's role in a group, or None."""
    place = select(GROUP_MEMBER.c.role).where(
        GROUP_MEMBER.c.group_id == group_id, GROUP_MEMBER.c.account_id == account_id
    )
    role = await work.tx.scalar(place)
    return None if role is None else Role(role)


async def lock_member(work: Work, account_id: UUID) -> Row[Any] | None:
    """The member's own row, and nobody changes their memberships here until the end; None if they are none now."""
    member = select(MEMBER).where(MEMBER.c.account_id == account_id, MEMBER.c.left_at.is_(None))
    return (await work.tx.execute(member.with_for_update(key_share=True))).one_or_none()


@cache
def _standing() -> Select[Any]:
    about, site, past = terms(), table_of(SiteWindow).alias("site"), MEMBER.alias("past")
    was_member = select(past.c.account_id).where(past.c.account_id == about.me).exists()
    return select(
        site.c.state,
        site.c.joining,
        site.c.second_factor,
        site.c.issuers,
        about.role().label("role"),
        site_visible(site, about).label("is_visible"),
        was_member.label("was_member"),
    )


@cache
def _visible(source: Source, lock: bool) -> Select[Any]:
    row, about = source.tables[Place.SITE].alias("row"), terms()
    columns = [column for column in row.c if column.name != "search"]
    statement = select(*columns).where(row.c[source.key] == bindparam("key"), source.policy(row, about))
    return statement.with_for_update(of=row, key_share=True) if lock else statement
