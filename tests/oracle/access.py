"""Who may see a thing, told again from the words of the design alone: plain conditions on plain rows.

An item may be read by whoever is cleared for the lowest of its own level, its group's and its site's; by the members of
its group, if it is not private; by its author, as long as they are a member. Nothing on a suspended site is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from uuid import UUID

from auth.policy import Level, Role
from auth.viewer import Viewer
from tests.oracle.world import Row, SiteData


@dataclass(frozen=True, eq=False)
class Standing:
    """A viewer on one site."""

    site: SiteData
    me: UUID | None

    @cached_property
    def role(self) -> Role | None:
        """What they are there; None for who is no member, or no longer."""
        row = self.site.find("member", "account_id", self.me) if self.me else None
        return Role(row["role"]) if row and row["left_at"] is None else None

    def is_cleared(self, level: int) -> bool:
        """Whether they may read what has this level, by who they are."""
        if level == Level.PUBLIC:
            return True
        if level == Level.ACCOUNTS:
            return self.me is not None
        if level == Level.MEMBERS:
            return self.role is not None and self.role >= Role.MEMBER
        return level == Level.GROUP and self.role is not None and self.role >= Role.ADMIN

    @cached_property
    def groups(self) -> set[UUID]:
        """The groups they are in: who left the site is in none."""
        mine = self.site.where("group_member", lambda row: row["account_id"] == self.me)
        return {row["group_id"] for row in mine} if self.role is not None else set()

    def sees_content(self, item: Row) -> bool:
        """Items."""
        if item["deleted_at"] is not None or not self.site.is_active:
            return False
        group = self.site.find("group", "id", item["group_id"])
        levels = [item["access"], self.site.row["access"], *([group["access"]] if group else [])]
        if self.is_cleared(min(levels)):
            return True
        if item["group_id"] in self.groups and item["access"] >= Level.GROUP:
            return True
        return self.role is not None and item["author_id"] == self.me

    def sees_comment(self, comment: Row) -> bool:
        """Comments: where their item is seen."""
        item = self.site.find("content", "id", comment["content_id"])
        return item is not None and self.sees_content(item)

    def sees_group(self, group: Row) -> bool:
        """Groups: members of the site know of all of them; others of those they may read in."""
        if not self.site.is_active:
            return False
        if group["id"] in self.groups or self.is_cleared(Level.MEMBERS):
            return True
        return self.is_cleared(min(group["access"], self.site.row["access"]))

    def sees_inside(self, group: Row) -> bool:
        """Who is in a group: members of the site who may read in it or are in it."""
        if not self.sees_people:
            return False
        return self.is_cleared(group["access"]) or group["id"] in self.groups

    @property
    def sees_people(self) -> bool:
        """The list of members: for members of the site, but not for guests."""
        return self.site.is_active and self.is_cleared(Level.MEMBERS)

    def sees_member(self, member: Row) -> bool:
        """Members in a list: who left is in none."""
        return self.sees_people and member["left_at"] is None

    def sees_offer(self, offer: Row) -> bool:
        """Offers of ownership that are good: its owners, and whoever one is made to."""
        if not self.site.is_active or self.role is None or offer["expires_at"] <= datetime.now(UTC):
            return False
        return self.role is Role.OWNER or offer["account_id"] == self.me

    def sees_act(self, _act: Row) -> bool:
        """The audit: its admins and owners."""
        return self.site.is_active and self.is_cleared(Level.GROUP)

    def finds_site(self) -> bool:
        """The site by its address: who may find it or read it."""
        widest = max(self.site.row["visibility"], self.site.row["access"])
        return self.role is not None or self._is_open_to(widest)

    def finds_in_list(self) -> bool:
        """The site in lists: who may find it, and its members."""
        return self.role is not None or self._is_open_to(self.site.row["visibility"])

    def _is_open_to(self, level: int) -> bool:
        return level == Level.PUBLIC or (level == Level.ACCOUNTS and self.me is not None)


def standing(site: SiteData, viewer: Viewer) -> Standing:
    """A viewer on a site."""
    return Standing(site, viewer.account_id)
