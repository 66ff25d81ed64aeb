"""Values of the schema as plain rows, and how a field of one is answered: by its column, or by what is said of it.

A field that only hands out a column needs no word; one with a meaning of its own does (`answers`), or the proof fails
on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from auth.policy import Level
from auth.viewer import Viewer
from schema.errors import ErrorCode, PleinError
from schema.kinds import KINDS
from schema.relay import PLATFORM_ID, NodeId, encode_id
from tests.oracle import lists
from tests.oracle.access import Standing, standing
from tests.oracle.lists import Args, ListOrder, Page, Scope
from tests.oracle.world import Row, SiteData, World, iso

TAGS = {
    "Account": "A",
    "Member": "M",
    "Site": "S",
    "Group": "G",
    "Comment": "K",
    "Content": "C",
    "ApiKey": "Y",
    "Session": "N",
    "Act": "U",
    "PlatformAct": "V",
    "Client": "L",
    "Consent": "E",
    "OwnershipOffer": "O",
    "Identity": "D",
    "Issuer": "I",
    "SiteApiKey": "B",
}
KEYS = {"M": "account_id", "O": "account_id"}
ITEM_TYPES = {word.title(): "Content" for word in KINDS}
ABOUT_A_SITE_ITSELF = {
    "audit",
    "apiKeys",
    "ownershipOffers",
    "viewerMembership",
    "content",
    "groups",
    "members",
    "memberCount",
}


@dataclass(frozen=True)
class Thing:
    """A row as a value of the schema. `site` is None on the platform."""

    type: str
    row: Row
    site: SiteData | None = None

    @property
    def family(self) -> str:
        """The type, or for a kind of content: Content."""
        return ITEM_TYPES.get(self.type, self.type)


@dataclass(frozen=True)
class Asked:
    """One request: the world, who asks, where, and the secret that seals cursors."""

    world: World
    viewer: Viewer
    here: str | None
    secret: bytes
    seen: dict[UUID, list[Row]] = field(default_factory=dict)

    def standing(self, site: SiteData) -> Standing:
        """The viewer on a site."""
        return standing(site, self.viewer)

    def items(self, site: SiteData) -> list[Row]:
        """The items of a site that the viewer may see."""
        if site.id not in self.seen:
            self.seen[site.id] = site.where("content", self.standing(site).sees_content)
        return self.seen[site.id]

    def listed(
        self,
        things: list[Thing],
        orders: Mapping[str, ListOrder],
        args: Args,
        owner: Thing | str,
        name: str,
        key: str = "id",
    ) -> dict[str, Any]:
        """A connection over these."""
        at_platform = isinstance(owner, str)
        place = PLATFORM_ID if isinstance(owner, str) or owner.site is None else owner.site.id
        scope = Scope(self.secret, place, f"{owner if at_platform else TAGS[owner.family]}.{name}")
        by_row = {id(thing.row): thing for thing in things}
        page = lists.paged(self.world, [thing.row for thing in things], orders, args, key, scope)
        return shown(page, [by_row[id(row)] for row in page.rows])


def shown(page: Page, things: list[Thing]) -> dict[str, Any]:
    """A page as the schema's connection."""
    edges = [{"cursor": cursor, "node": thing} for cursor, thing in zip(page.cursors, things, strict=True)]
    ends = {"startCursor": page.cursors[0], "endCursor": page.cursors[-1]} if edges else {}
    info = {"hasNextPage": page.has_next, "hasPreviousPage": page.has_previous, **ends}
    return {"edges": edges, "pageInfo": info, "totalCount": page.total}


Answer = Callable[[Asked, Any, Args], Any]
ANSWERS: dict[tuple[str, str], Answer] = {}


def answers(type_: str, name: str) -> Callable[[Answer], Answer]:
    """Says that this function answers a field."""

    def note(function: Answer) -> Answer:
        ANSWERS[type_, name] = function
        return function

    return note


def answer(asked: Asked, source: Any, name: str, args: Args) -> Any:
    """The value of a field of any thing."""
    if not isinstance(source, Thing):
        return source.get(name)
    if source.type == "Site" and name in ABOUT_A_SITE_ITSELF:
        site = asked.world.sites[source.row["id"]]
        if not site.is_active:
            raise PleinError(ErrorCode.SITE_SUSPENDED, "suspended")
        source = Thing("Site", source.row, site)
    if (source.family, name) in ANSWERS:
        return plain(ANSWERS[source.family, name](asked, source, args))
    if name == "id":
        return global_id(source)
    column = re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)
    if name in ("access", "visibility"):
        return Level(source.row[column]).name
    if column in source.row:
        return plain(source.row[column])
    if source.family == "Content" and is_of_kind(source.type, name):
        return source.row["details"].get(name)
    raise NotImplementedError(f"the oracle does not know {source.type}.{name}")


def is_of_kind(kind: str, name: str) -> bool:
    """Whether a kind keeps this field in its details."""
    return name in {"Event": ("startsAt", "endsAt", "location"), "News": ("source",)}.get(kind, ())


def plain(value: Any) -> Any:
    """Moments as text."""
    return iso(value) if isinstance(value, datetime) else value


def global_id(thing: Thing) -> str:
    """The thing's global id."""
    tag = TAGS[thing.family]
    on_platform = tag in "SA" or thing.site is None
    return encode_id(NodeId(tag, PLATFORM_ID if on_platform else thing.site.id, thing.row[KEYS.get(tag, "id")]))


def item(there: SiteData, row: Row) -> Thing:
    """An item as the type of its kind."""
    return Thing(row["kind"].title(), row, there)
