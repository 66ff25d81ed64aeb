"""The estate: which sites the demo has, how large each is, who founded it and who is on it.

Promises: pure; large sites are much larger than most, and all totals are those of the scale. What is on a site in
detail is made by `gateway.demo.site`, from its plan alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from uuid import UUID

from auth.policy import Level, Role
from gateway.demo.cast import CAST
from gateway.demo.chance import Lot, chance, early, share_out, time_ordered, zipf
from gateway.demo.moments import DAY, END, START, between
from gateway.demo.names import distinct_slugs
from gateway.demo.people import MARK, Person, make_people
from gateway.demo.scale import Scale, fitted
from gateway.demo.source import Municipality, Source
from gateway.demo.wording import SITE_DESCRIPTION, SITE_THEMES

CONTENT_SKEW, MEMBER_SKEW = 1.0, 0.8
MEMBERS_SHARE_MAX = 0.6  # of all people, on one site
NEWCOMERS = 0.03  # have an account and are on no site yet
SITE_MARK = 0x2DE30  # 22 bits: with MARK, no id that was really given out looks like this

VISIBILITY = Lot({Level.PUBLIC: 80, Level.ACCOUNTS: 12, Level.MEMBERS: 8})
ACCESS = Lot({Level.PUBLIC: 45, Level.ACCOUNTS: 25, Level.MEMBERS: 30})
JOINING = Lot({"OPEN": 45, "REQUEST": 30, "INVITATION": 20, "DOMAIN": 5})


@dataclass(frozen=True, slots=True)
class SitePlan:
    """A site to be. `founder`, `home` and `guests_of_cast` number people; `first_text` numbers the source's texts."""

    id: UUID
    slug: str
    name: str
    description: str
    visibility: int
    access: int
    joining: str
    created_us: int
    founder: int
    home: tuple[int, ...]  # who have their account for this site first of all
    visitor_count: int  # how many others are on it
    cast: tuple[tuple[int, Role], ...]
    first_text: int
    content_count: int
    comment_count: int
    reaction_count: int


@dataclass(frozen=True, slots=True)
class Estate:
    """Everything: the sites stand in order of size, the largest first."""

    seed: int
    scale: Scale
    source: Source
    people: list[Person]
    sites: list[SitePlan]


def plan_estate(source: Source, scale: Scale, seed: int) -> Estate:
    """Share everything out over the sites."""
    scale = fitted(scale, source)
    people = make_people(scale.account_count, seed)
    rng = chance(seed, scale.name, "estate")
    named = name_sites(source.municipalities, scale.site_count, rng)
    slugs = distinct_slugs([(name, each.region, each.code) for name, each, _ in named])
    sizes = zipf(len(named), CONTENT_SKEW)
    contents = share_out(scale.content_count, sizes)
    comments = share_out(scale.comment_count, [count * rng.uniform(0.4, 1.6) for count in contents])
    reactions = share_out(scale.reaction_count, [count * rng.uniform(0.4, 1.6) for count in contents])
    homes, visitors = share_out_people(scale, len(named), rng)
    sites = []
    first_text = 0
    for place, ((name, _, description), slug) in enumerate(zip(named, slugs, strict=True)):
        founder, created_us = found_site(place, people, len(named), rng)
        sites.append(
            SitePlan(
                id=site_id(seed, scale, place, created_us),
                slug=slug,
                name=name,
                description=description,
                # The largest is for everybody to look at.
                visibility=int(VISIBILITY.draw(rng) if place else Level.PUBLIC),
                access=int(ACCESS.draw(rng) if place else Level.PUBLIC),
                joining=JOINING.draw(rng) if place else "OPEN",
                created_us=created_us,
                founder=founder,
                home=tuple(homes[place]),
                visitor_count=visitors[place],
                cast=tuple(
                    (number, role) for number, part in enumerate(CAST) for at, role in part.places if at == place
                ),
                first_text=first_text,
                content_count=contents[place],
                comment_count=comments[place],
                reaction_count=reactions[place],
            )
        )
        first_text += contents[place]
    return Estate(seed, scale, source, people, sites)


def name_sites(
    municipalities: tuple[Municipality, ...], count: int, rng: Random
) -> list[tuple[str, Municipality, str]]:
    """Name, municipality and description of each site: one for each municipality, then others on a theme."""
    order = rng.sample(municipalities, len(municipalities))
    named = [(each.name, each, SITE_DESCRIPTION["municipality"].format(name=each.name)) for each in order[:count]]
    for number in range(count - len(named)):
        theme, each = rng.choice(SITE_THEMES), order[number % len(order)]
        description = SITE_DESCRIPTION["theme"].format(theme=theme.lower(), place=each.name)
        named.append((f"{theme} {each.name}", each, description))
    return rng.sample(named, len(named))


def share_out_people(scale: Scale, site_count: int, rng: Random) -> tuple[list[list[int]], list[int]]:
    """Who is at home on which site, and how many visitors each site has besides."""
    weights = zipf(site_count, MEMBER_SKEW)
    bounds = list(accumulate(weights))
    homes: list[list[int]] = [[] for _ in weights]
    for number in range(len(CAST), scale.account_count):
        if rng.random() >= NEWCOMERS:
            homes[rng.choices(range(site_count), cum_weights=bounds)[0]].append(number)
    at_home = sum(map(len, homes)) + sum(len(part.places) for part in CAST)
    most = int(scale.account_count * MEMBERS_SHARE_MAX)
    visitors = share_out(scale.membership_count - at_home, weights)
    return homes, [max(0, min(count, most - len(home))) for count, home in zip(visitors, homes, strict=True)]


def found_site(place: int, people: list[Person], site_count: int, rng: Random) -> tuple[int, int]:
    """Who founded a site, and when: large sites are mostly old ones."""
    known = next((number for number, part in enumerate(CAST) if (place, Role.OWNER) in part.places), None)
    others = len(people) - len(CAST)
    founder = known if known is not None else len(CAST) + early(rng, others, 2.5)
    share = min(0.95, 0.45 * place / site_count + 0.45 * rng.random() ** 2)
    created_us = max(START + int((END - START) * share), people[founder].created_us + DAY)
    return founder, min(created_us, between(rng, END - 200 * DAY))


def site_id(seed: int, scale: Scale, place: int, created_us: int) -> UUID:
    """The id of a site: the same for the same seed, scale and place, and recognisable."""
    digest = hashlib.sha256(f"{seed}/{scale.name}/{scale.site_count}/{place}".encode()).digest()
    return time_ordered(created_us, MARK, SITE_MARK << 40 | int.from_bytes(digest[:5], "big"))


def is_demo_site(tenant_id: UUID) -> bool:
    """Whether a site is one of a demo's."""
    return tenant_id.int >> 64 & 0xFFF == MARK and tenant_id.int >> 40 & (1 << 22) - 1 == SITE_MARK
