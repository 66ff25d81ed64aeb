"""One site of the demo as rows of its tables, and of the platform's indexes over all sites.

Promises: pure; made from the plan alone, so that sites can be made in any order, or again; the rows of the indexes are
those that the tables' own rows imply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from gateway.demo.chance import chance
from gateway.demo.estate import Estate, SitePlan
from gateway.demo.items import Item, make_items
from gateway.demo.members import SiteGroup, SiteMember, make_community
from gateway.demo.moments import as_datetime
from gateway.demo.talk import Reacted, Remark, make_comments, make_reactions

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table."""

    table: str
    columns: tuple[str, ...]
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class SiteRows:
    """A site: rows of its own tables, each after those that it refers to, and rows of the platform's."""

    own: tuple[Rows, ...]
    platform: tuple[Rows, ...]

    def count(self, table: str) -> int:
        """How many rows a table gets."""
        return sum(len(each.rows) for each in (*self.own, *self.platform) if each.table == table)


def make_site(estate: Estate, plan: SitePlan) -> SiteRows:
    """Everything on a site."""
    rng = chance(estate.seed, estate.scale.name, "site", plan.id)
    people = make_community(estate, plan, rng)
    items = make_items(estate, plan, people, rng)
    comments = make_comments(plan, items, rng)
    reactions = make_reactions(plan, items, comments, rng)
    own = (
        member_rows(people.members),
        group_rows(people.groups),
        place_rows(people.groups),
        content_rows(items),
        comment_rows(comments),
        reaction_rows(reactions),
    )
    indexes = (
        membership_rows(plan.id, people.members, people.groups),
        activity_rows(plan.id, items),
        ceiling_rows(plan.id, people.groups),
    )
    return SiteRows(own, indexes)


def member_rows(members: list[SiteMember]) -> Rows:
    """The table `member`."""
    rows: list[Row] = [
        (each.account_id, each.role, as_datetime(each.joined_us), each.left_us and as_datetime(each.left_us))
        for each in members
    ]
    return Rows("member", ("account_id", "role", "joined_at", "left_at"), rows)


def group_rows(groups: list[SiteGroup]) -> Rows:
    """The table `group`."""
    columns = ("id", "name", "description", "access", "joining", "created_at", "updated_at")
    rows: list[Row] = []
    for each in groups:
        created_at = as_datetime(each.created_us)
        rows.append((each.id, each.name, each.description, each.access, each.joining, created_at, created_at))
    return Rows("group", columns, rows)


def place_rows(groups: list[SiteGroup]) -> Rows:
    """The table `group_member`."""
    rows: list[Row] = [
        (group.id, each.account_id, each.role, as_datetime(each.joined_us))
        for group in groups
        for each in group.crowd.members
    ]
    return Rows("group_member", ("group_id", "account_id", "role", "joined_at"), rows)


def content_rows(items: list[Item]) -> Rows:
    """The table `content`, in the order of publication."""
    columns = ("id", "kind", "title", "body", "author_id", "group_id", "access", "tags", "details", "version")
    moments = ("published_at", "created_at", "updated_at", "deleted_at")
    rows: list[Row] = []
    for each in sorted(items, key=lambda item: item.published_us):
        published_at = as_datetime(each.published_us)
        what = (each.id, each.kind, each.title, each.body, each.author.account_id, each.group and each.group.id)
        more = (each.access, each.tags, orjson.dumps(each.details).decode(), each.version)
        deleted_at = each.deleted_us and as_datetime(each.deleted_us)
        rows.append((*what, *more, published_at, published_at, as_datetime(each.updated_us), deleted_at))
    return Rows("content", (*columns, *moments), rows)


def comment_rows(comments: list[Remark]) -> Rows:
    """The table `comment`, in order of time: an answer comes after what it answers."""
    columns = ("id", "content_id", "parent_id", "author_id", "body", "created_at", "updated_at")
    rows: list[Row] = []
    for each in sorted(comments, key=lambda comment: comment.created_us):
        created_at = as_datetime(each.created_us)
        parent_id = each.parent and each.parent.id
        rows.append((each.id, each.item.id, parent_id, each.author.account_id, each.body, created_at, created_at))
    return Rows("comment", columns, rows)


def reaction_rows(reactions: list[Reacted]) -> Rows:
    """The table `reaction`."""
    columns = ("subject_id", "account_id", "content_id", "kind", "created_at")
    rows: list[Row] = [
        (each.subject_id, each.account_id, each.content_id, each.kind, as_datetime(each.created_us))
        for each in reactions
    ]
    return Rows("reaction", columns, rows)


def membership_rows(site_id: UUID, members: list[SiteMember], groups: list[SiteGroup]) -> Rows:
    """The platform's index of memberships: those who did not leave, with their groups in order."""
    groups_of: dict[UUID, list[UUID]] = {}
    for group in groups:
        for each in group.crowd.members:
            groups_of.setdefault(each.account_id, []).append(group.id)
    rows: list[Row] = [
        (site_id, each.account_id, each.role, sorted(groups_of.get(each.account_id, ())), as_datetime(each.joined_us))
        for each in members
        if each.left_us is None
    ]
    return Rows("membership", ("tenant_id", "account_id", "role", "group_ids", "joined_at"), rows)


def activity_rows(site_id: UUID, items: list[Item]) -> Rows:
    """The platform's index of what was published: all but what is deleted."""
    columns = ("tenant_id", "content_id", "kind", "access", "group_id", "author_id", "published_at")
    rows: list[Row] = []
    for each in sorted(items, key=lambda item: item.published_us):
        if each.deleted_us is None:
            group_id, author_id = each.group and each.group.id, each.author.account_id
            published_at = as_datetime(each.published_us)
            rows.append((site_id, each.id, each.kind, each.access, group_id, author_id, published_at))
    return Rows("activity", columns, rows)


def ceiling_rows(site_id: UUID, groups: list[SiteGroup]) -> Rows:
    """The platform's index of the levels of groups."""
    rows: list[Row] = [(site_id, each.id, each.access) for each in groups]
    return Rows("ceiling", ("tenant_id", "group_id", "access"), rows)
