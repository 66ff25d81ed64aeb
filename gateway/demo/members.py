"""Who is on a site and in its groups, since when, and as what.

Promises: pure; the founder owns the site and stays; who left is in no group.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from uuid import UUID

from auth.policy import Level, Role
from gateway.demo.cast import CAST
from gateway.demo.chance import Lot, early, some_id
from gateway.demo.estate import Estate, SitePlan
from gateway.demo.moments import DAY, END, SECOND, between
from gateway.demo.wording import GROUP_KINDS, GROUP_SUBJECTS

ROLES = Lot(
    {
        Role.MEMBER: 0.884,
        Role.GUEST: 0.05,
        Role.EDITOR: 0.03,
        Role.MODERATOR: 0.02,
        Role.ADMIN: 0.013,
        Role.OWNER: 0.003,
    }
)
LEAVERS = 0.04
VISITOR_SKEW = 1.5  # a few people are on a great many sites
WRITER_SKEW = 2.2  # most members are silent
FIRST_TRIES = 3
GROUPS_MAX = 60

GROUP_ACCESS = Lot({Level.GROUP: 40, Level.MEMBERS: 30, Level.PUBLIC: 20, Level.ACCOUNTS: 10})
GROUP_JOINING = Lot({"OPEN": 45, "REQUEST": 30, "INVITATION": 25})
GROUP_ROLES = Lot({Role.MEMBER: 0.93, Role.ADMIN: 0.04, Role.GUEST: 0.03})


@dataclass(frozen=True, slots=True)
class SiteMember:
    """A member of a site, or of a group on it."""

    account_id: UUID
    role: int
    joined_us: int
    left_us: int | None = None


class Crowd:
    """People in the order in which they joined, for finding one who was there."""

    def __init__(self, members: Iterable[SiteMember]) -> None:
        self.members = sorted(members, key=lambda each: (each.joined_us, each.account_id))
        self._joined = [each.joined_us for each in self.members]

    def someone(self, rng: Random, at_us: int) -> SiteMember | None:
        """Somebody who had joined and not left by then, the busy ones more often; None if chance finds nobody."""
        count = bisect_right(self._joined, at_us)
        for _ in range(FIRST_TRIES if count else 0):
            found = self.members[early(rng, count, WRITER_SKEW)]
            if found.left_us is None or found.left_us > at_us:
                return found
        return None


@dataclass(frozen=True, slots=True)
class SiteGroup:
    """A group on a site, and who is in it."""

    id: UUID
    name: str
    description: str
    access: int
    joining: str
    created_us: int
    crowd: Crowd


@dataclass(frozen=True, slots=True)
class Community:
    """The people of a site: the founder, those who write, those who may write on behalf of the site, and the groups."""

    members: list[SiteMember]
    founder: SiteMember
    writers: Crowd
    editors: Crowd
    groups: list[SiteGroup]


def make_community(estate: Estate, plan: SitePlan, rng: Random) -> Community:
    """The people of a site."""
    members = make_members(estate, plan, rng)
    return Community(
        members=members,
        founder=members[0],
        writers=Crowd(each for each in members if each.role > Role.GUEST),
        editors=Crowd(each for each in members if each.role >= Role.EDITOR),
        groups=make_groups(plan, members, rng),
    )


def make_members(estate: Estate, plan: SitePlan, rng: Random) -> list[SiteMember]:
    """Everybody on the site in the order in which they joined, the founder first."""
    roles: dict[int, Role] = {plan.founder: Role.OWNER} | dict(plan.cast)
    numbers = dict.fromkeys((plan.founder, *(number for number, _ in plan.cast), *plan.home))
    known, most = len(CAST), len(numbers) + plan.visitor_count
    for _ in range(plan.visitor_count * 4):
        if len(numbers) >= most:
            break
        numbers[known + early(rng, len(estate.people) - known, VISITOR_SKEW)] = None
    members = []
    for number in numbers:
        person = estate.people[number]
        if number == plan.founder:
            members.append(SiteMember(person.id, Role.OWNER, plan.created_us))
            continue
        first = max(person.created_us, plan.created_us) + SECOND
        joined_us = first + DAY if number < known else between(rng, first, 1.6)
        left_us = between(rng, joined_us) if number >= known and rng.random() < LEAVERS else None
        role = roles[number] if number in roles else ROLES.draw(rng)
        members.append(SiteMember(person.id, int(role), joined_us, left_us))
    return sorted(members, key=lambda each: (each.joined_us, each.account_id))


def make_groups(plan: SitePlan, members: list[SiteMember], rng: Random) -> list[SiteGroup]:
    """The site's groups; the busiest have most members."""
    staying = [each for each in members if each.left_us is None]
    count = min(GROUPS_MAX, int(len(staying) ** 0.5 / 1.4))
    names = [f"{kind} {subject}" for kind in GROUP_KINDS for subject in GROUP_SUBJECTS]
    return [make_group(name, plan, staying, rng) for name in rng.sample(names, count)]


def make_group(name: str, plan: SitePlan, staying: list[SiteMember], rng: Random) -> SiteGroup:
    """A group with some of the members; the first of them leads it."""
    created_us = between(rng, plan.created_us, 1.5)
    size = max(3, int(len(staying) * rng.paretovariate(1.3) / 80))
    chosen = {early(rng, len(staying), 1.2) for _ in range(min(size, len(staying)))}
    inside = []
    for place, number in enumerate(sorted(chosen)):
        member = staying[number]
        role = GROUP_ROLES.draw(rng) if place else Role.OWNER
        joined_us = min(max(created_us, member.joined_us) + int(rng.expovariate(1 / (60 * DAY))), END)
        inside.append(
            SiteMember(member.account_id, int(role), joined_us if place else max(created_us, member.joined_us))
        )
    return SiteGroup(
        id=some_id(rng, created_us),
        name=name,
        description=f"Alles over {name.split(' ', 1)[1].lower()}." if rng.random() < 0.8 else "",
        access=int(GROUP_ACCESS.draw(rng)),
        joining=GROUP_JOINING.draw(rng),
        created_us=created_us,
        crowd=Crowd(inside),
    )
