"""Who may see a thing: one SQL predicate per kind of thing, the same for lists, items, counts, search and feeds.

The read level of an item is the lowest of its own, its group's and its site's: PRIVATE < GROUP < MEMBERS < ACCOUNTS <
PUBLIC. A viewer's *clearance* on a site is the lowest level that they may see there by who they are; members of a group
see its items from GROUP on, and authors see what they wrote. All of it is read from the site's own rows in the same
statement, so closing a group or a site is one row and works at once.
Promises: predicates only narrow; nothing is expanded per row of the viewer. Never grants by absence: a site that is
suspended, a member who left, a group that is gone all lower what is seen. Subqueries say which table is their own
(`correlate_except`): left to itself, SQLAlchemy looks one level up only, and reads the whole table of what is further.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

from sqlalchemy import (
    ARRAY,
    CTE,
    Boolean,
    ColumnElement,
    FromClause,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from tenants.platform_tables import Account, Ceiling, Membership, Tenant
from tenants.site_tables import Content, Group, GroupMember, Member, SiteWindow
from tenants.tables import table_of

ME = "me"
"""The name of the parameter that holds the viewer's account id, or null."""

SESSION = "session"
"""The name of the parameter that holds the session that the viewer came by, or null."""

SITES = "sites"
"""The name of the parameter that holds the only sites that the viewer's credential is for, where it is not for all."""

SECOND_FACTOR, ISSUER = "second_factor", "issuer"
"""The names of the parameters that say how the viewer signed in: with a second factor, and who vouched for them."""


class Level(IntEnum):
    """Who may read a thing, from fewest to most."""

    PRIVATE = 0
    GROUP = 1
    MEMBERS = 2
    ACCOUNTS = 3
    PUBLIC = 4


class Role(IntEnum):
    """What a member may do on a site, by rank."""

    GUEST = 0
    MEMBER = 1
    MODERATOR = 2
    EDITOR = 3
    ADMIN = 4
    OWNER = 5


OPERATOR = 2
"""The rank of an operator among an account's roles on the platform."""

NOBODY = 99
"""A clearance that no level reaches: everybody's on a suspended site."""


class Row(Protocol):
    """Anything with columns: a table's alias, or a page cut from it."""

    @property
    def c(self) -> ReadOnlyColumnCollection[str, ColumnElement[Any]]:
        """Its columns by name."""
        ...


@dataclass
class Uses:
    """What a statement looks at of its viewer, besides their role: whom it is alike for, who have that in common."""

    me: bool = False
    groups: bool = False


@dataclass(frozen=True)
class Terms:
    """What every predicate of one statement is made of: the viewer, and on a site their standing there.

    With `many`, the statement is about several viewers, one for each row of `standing`. `sites`: the only sites (a uuid
    array) that the viewer's credential is for, where it is not for all.
    """

    account: ColumnElement[Any]
    standing: CTE
    many: bool = False
    sites: ColumnElement[Any] | None = None
    uses: Uses = field(default_factory=Uses, compare=False)

    @property
    def me(self) -> ColumnElement[Any]:
        """The viewer in person. Whoever asks for it makes the statement this one viewer's."""
        self.uses.me = True
        return self.account

    @property
    def session(self) -> ColumnElement[Any]:
        """The session that the viewer came by, or null. Whoever asks for it makes the statement this one viewer's."""
        self.uses.me = True
        return sql_cast(bindparam(SESSION, type_=Uuid), Uuid)

    def within(self, tenant_id: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """That a row of the platform is of a site that the credential is for; nothing where it is for all."""
        return [] if self.sites is None else [tenant_id == func.any(self.sites)]

    def clearance(self) -> ColumnElement[int]:
        """The lowest level the viewer may read on this site by who they are."""
        return self._of_standing("clearance")

    def reach(self) -> ColumnElement[int]:
        """The lowest level at which the viewer finds this site, suspended or not."""
        return self._of_standing("reach")

    def ceiling(self) -> ColumnElement[int]:
        """The site's own level."""
        return self._of_standing("access")

    def role(self) -> ColumnElement[int | None]:
        """The viewer's role on this site, or null."""
        return self._of_standing("role")

    def _of_standing(self, name: str) -> ColumnElement[Any]:
        column = self.standing.c[name]
        return column if self.many else select(column).scalar_subquery()


def terms(*, has_sites: bool = False) -> Terms:
    """The terms of one statement. The standing is one row, read once however often it is asked.

    `has_sites`: the viewer's credential is for some sites only, which the statement is given as `SITES`.
    """
    me: ColumnElement[Any] = sql_cast(bindparam(ME, type_=Uuid), Uuid)
    sites = sql_cast(bindparam(SITES, type_=ARRAY(Uuid)), ARRAY(Uuid)) if has_sites else None
    return Terms(me, _standing(me, None), sites=sites)


def terms_of_many(account_ids: ColumnElement[Any]) -> Terms:
    """The terms of a statement about all of these accounts (a uuid array; null is a visitor), each by themselves.

    The statement must select from `standing`.
    """
    asked = select(func.unnest(account_ids).label("account_id")).subquery("asked")
    standing = _standing(asked.c.account_id, asked)
    return Terms(standing.c.account_id, standing, many=True)


def _standing(me: ColumnElement[Any], asked: FromClause | None) -> CTE:
    """For each viewer: clearance, reach, role, and the site's level."""
    site, member = table_of(SiteWindow).alias("here"), table_of(Member).alias("self")
    clearance = case(
        (site.c.state != "ACTIVE", NOBODY),
        (member.c.role >= int(Role.ADMIN), int(Level.GROUP)),
        (member.c.role > int(Role.GUEST), int(Level.MEMBERS)),
        (me.is_not(None), int(Level.ACCOUNTS)),
        else_=int(Level.PUBLIC),
    )
    reach = case(
        (member.c.role.is_not(None), int(Level.MEMBERS)),
        (me.is_not(None), int(Level.ACCOUNTS)),
        else_=int(Level.PUBLIC),
    )
    everybody = site if asked is None else asked.join(site, true())
    joined = everybody.outerjoin(member, and_(member.c.account_id == me, member.c.left_at.is_(None)))
    columns: list[ColumnElement[Any]] = [
        clearance.label("clearance"),
        reach.label("reach"),
        member.c.role,
        site.c.access,
    ]
    if asked is not None:
        columns.append(me)
    return select(*columns).select_from(joined).cte("standing")


def everyone(_row: Row, _terms: Terms) -> ColumnElement[bool]:
    """No narrowing of its own: whoever got this far may see it (the author of a visible item, the site one is on)."""
    return true()


def same_site(_row: Row, _site: Row, _terms: Terms) -> ColumnElement[bool]:
    """The way from a row to its site: a site's window shows one row, its own."""
    return true()


def content_visible(row: Row, terms: Terms) -> ColumnElement[bool]:
    """Items: not deleted, and by level, by group, or by authorship (as long as the author is a member)."""
    return and_(row.c.deleted_at.is_(None), content_known(row, terms))


def content_known(row: Row, terms: Terms) -> ColumnElement[bool]:
    """Items that the viewer may know of, deleted ones too: that they are gone is told to who could see them."""
    group = table_of(Group).alias()
    level_of_group = (
        select(group.c.access).where(group.c.id == row.c.group_id).correlate_except(group).scalar_subquery()
    )
    clearance = terms.clearance()
    by_level = and_(
        row.c.access >= clearance,
        terms.ceiling() >= clearance,
        or_(row.c.group_id.is_(None), level_of_group >= clearance),
    )
    by_group = and_(row.c.access >= int(Level.GROUP), in_group(row.c.group_id, terms))
    by_author = and_(row.c.author_id == terms.me, terms.role().is_not(None))
    return and_(clearance < NOBODY, or_(by_level, by_group, by_author))


def comment_visible(row: Row, terms: Terms) -> ColumnElement[bool]:
    """Comments: where their item is."""
    content = table_of(Content).alias()
    its_item = select(content.c.id).where(content.c.id == row.c.content_id, content_visible(content, terms))
    return exists(its_item.correlate_except(content))


def group_visible(row: Row, terms: Terms) -> ColumnElement[bool]:
    """Groups: a closed one is known to members of the site, so that they can ask to join; to others by its level."""
    clearance = terms.clearance()
    by_level = and_(func.greatest(row.c.access, int(Level.MEMBERS)) >= clearance, terms.ceiling() >= clearance)
    return and_(clearance < NOBODY, or_(by_level, in_group(row.c.id, terms)))


def group_open(row: Row, terms: Terms) -> ColumnElement[bool]:
    """Whether the viewer may see who is in a group: a member of the site, no guest, by its level or as one of them."""
    return and_(
        terms.clearance() <= int(Level.MEMBERS), or_(row.c.access >= terms.clearance(), in_group(row.c.id, terms))
    )


def member_visible(row: Row, terms: Terms) -> ColumnElement[bool]:
    """The list of members: for members of the site. People are never listed to outsiders or guests."""
    return and_(row.c.left_at.is_(None), terms.clearance() <= int(Level.MEMBERS))


def site_visible(row: Row, terms: Terms) -> ColumnElement[bool]:
    """The site one is on: who may find it, or may read it by its address."""
    return func.greatest(row.c.visibility, row.c.access) >= terms.reach()


def site_listed(row: Row, terms: Terms) -> ColumnElement[bool]:
    """Sites in the register's lists: who may find them; members find their own."""
    reach = case((terms.me.is_(None), int(Level.PUBLIC)), else_=int(Level.ACCOUNTS))
    return or_(row.c.visibility >= reach, is_mine(row, terms))


def is_mine(row: Row, terms: Terms) -> ColumnElement[bool]:
    """Sites in the register that the viewer is a member of."""
    mine = table_of(Membership).alias()
    its_place = select(mine.c.tenant_id).where(mine.c.account_id == terms.me, mine.c.tenant_id == row.c.id)
    return exists(its_place.correlate_except(mine))


def account_visible(row: Row, terms: Terms) -> ColumnElement[bool]:
    """Accounts on the platform: one's own. Others are met as members of a site."""
    return row.c.id == terms.me


def mine(row: Row, terms: Terms) -> ColumnElement[bool]:
    """What hangs on the viewer's own account: their keys, sessions, identities."""
    return row.c.account_id == terms.me


def offer_visible(row: Row, terms: Terms) -> ColumnElement[bool]:
    """Offers of ownership that are still good: for the site's owners, and for whom they are made to."""
    is_for = or_(row.c.account_id == terms.me, terms.role() >= int(Role.OWNER))
    return and_(row.c.expires_at > func.now(), terms.clearance() < NOBODY, terms.role().is_not(None), is_for)


def my_session(row: Row, terms: Terms) -> ColumnElement[bool]:
    """The viewer's own sessions; one on a site's host is a part of the one that it was made from."""
    return and_(mine(row, terms), row.c.parent_id.is_(None))


def audit_visible(_row: Row, terms: Terms) -> ColumnElement[bool]:
    """What was done on a site: for its admins and owners."""
    return terms.clearance() <= int(Level.GROUP)


def for_operators(_row: Row, terms: Terms) -> ColumnElement[bool]:
    """What is of the square as a whole: for its operators, as long as they are not suspended."""
    account = table_of(Account).alias()
    is_one = (account.c.id == terms.me, account.c.role >= OPERATOR, account.c.suspended_at.is_(None))
    return exists(select(account.c.id).where(*is_one).correlate_except(account))


def client_managed(row: Row, terms: Terms) -> ColumnElement[bool]:
    """Clients of sites that the viewer runs; for operators those of the platform."""
    place, site = table_of(Membership).alias(), table_of(Tenant).alias()
    runs = (place.c.account_id == terms.me, place.c.tenant_id == row.c.tenant_id, place.c.role >= int(Role.ADMIN))
    admin = select(place.c.tenant_id).join_from(place, site, site.c.id == place.c.tenant_id)
    admin = admin.where(*runs, knows_viewer(site))
    of_platform = and_(row.c.tenant_id.is_(None), for_operators(row, terms))
    return or_(of_platform, exists(admin.correlate_except(place, site)))


def knows_viewer(site: Row) -> ColumnElement[bool]:
    """Whether a site in the register knows the viewer, by how they signed in; on other sites they are visitors."""
    strong = sql_cast(bindparam(SECOND_FACTOR, type_=Boolean), Boolean)
    issuer = sql_cast(bindparam(ISSUER, type_=Text), Text)
    by_issuer = or_(func.cardinality(site.c.issuers) == 0, issuer == func.any(site.c.issuers))
    return and_(or_(site.c.second_factor.is_(False), strong), by_issuer)


def activity_visible(row: Row, membership: Row, site: Row, terms: Terms) -> ColumnElement[bool]:
    """The predicate of `content_visible`, over the platform's index, for a member of the site."""
    ceiling = table_of(Ceiling).alias()
    level_of_group = (
        select(ceiling.c.access)
        .where(ceiling.c.tenant_id == row.c.tenant_id, ceiling.c.group_id == row.c.group_id)
        .correlate_except(ceiling)
        .scalar_subquery()
    )
    clearance = case(
        (membership.c.role >= int(Role.ADMIN), int(Level.GROUP)),
        (membership.c.role > int(Role.GUEST), int(Level.MEMBERS)),
        else_=int(Level.ACCOUNTS),
    )
    by_level = and_(
        row.c.access >= clearance,
        site.c.access >= clearance,
        or_(row.c.group_id.is_(None), level_of_group >= clearance),
    )
    by_group = and_(row.c.access >= int(Level.GROUP), row.c.group_id == func.any(membership.c.group_ids))
    return or_(by_level, by_group, row.c.author_id == terms.me)


def in_group(group_id: ColumnElement[Any], terms: Terms) -> ColumnElement[bool]:
    """Whether the viewer is in this group; who left the site is in none, whatever was left behind."""
    terms.uses.groups = True
    place = table_of(GroupMember).alias()
    mine = (place.c.group_id == group_id, place.c.account_id == terms.account, terms.role().is_not(None))
    return exists(select(place.c.group_id).where(*mine).correlate_except(place))


def groups_of(terms: Terms) -> ColumnElement[Any]:
    """The viewer's groups on this site, in order; what was left behind by who left the site counts here too."""
    place = table_of(GroupMember).alias()
    mine = select(place.c.group_id).where(place.c.account_id == terms.account).order_by(place.c.group_id)
    return func.array(mine.correlate_except(place).scalar_subquery(), type_=ARRAY(Uuid))
