"""What each field of the schema answers, naively: one Python call per field, on plain rows.

A field that only hands out a column needs no word here; one with a meaning of its own does, or the proof fails on it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from auth.policy import Level, Role
from auth.viewer import Viewer
from schema.errors import ErrorCode, PleinError, bad_input
from schema.kinds import KINDS
from schema.relay import PLATFORM_ID, NodeId, decode_id, encode_id
from tests.oracle import lists
from tests.oracle.access import Standing, standing
from tests.oracle.lists import Args, ListOrder, Page, Scope
from tests.oracle.world import Row, SiteData, World, iso

TAGS = {"Account": "A", "Member": "M", "Site": "S", "Group": "G", "Comment": "K", "Content": "C"}
KEYS = {"M": "account_id"}
ITEM_TYPES = {word.title(): "Content" for word in KINDS}
ABOUT_A_SITE_ITSELF = {"viewerMembership", "content", "groups", "members", "memberCount"}


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
    if source.family == "Content" and hasattr_of_kind(source.type, name):
        return source.row["details"].get(name)
    raise NotImplementedError(f"the oracle does not know {source.type}.{name}")


def hasattr_of_kind(kind: str, name: str) -> bool:
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


# --- the way in ------------------------------------------------------------------------------------------------------


@answers("Query", "viewer")
def viewer(_asked: Asked, _query: Thing, _args: Args) -> Any:
    return Thing("Viewer", {})


@answers("Viewer", "account")
def viewer_account(asked: Asked, _viewer: Thing, _args: Args) -> Any:
    row = asked.world.accounts.get(asked.viewer.account_id)  # type: ignore[arg-type]
    return Thing("Account", row) if row else None


@answers("Viewer", "sites")
def viewer_sites(asked: Asked, _viewer: Thing, args: Args) -> Any:
    mine = [site for site in asked.world.sites.values() if asked.standing(site).role is not None]
    return asked.listed(sites_kept(mine, args), lists.SITE_ORDERS, args, "Viewer", "sites")


@answers("Query", "sites")
def sites(asked: Asked, _query: Thing, args: Args) -> Any:
    found = [site for site in asked.world.sites.values() if asked.standing(site).finds_in_list()]
    return asked.listed(sites_kept(found, args), lists.SITE_ORDERS, args, "Query", "sites")


@answers("Query", "site")
def site(asked: Asked, _query: Thing, args: Args) -> Any:
    slug = args.get("slug")
    wanted = asked.here if slug is None else slug
    for each in asked.world.sites.values():
        if each.row["slug"] == wanted and asked.standing(each).finds_site():
            return Thing("Site", each.row)
    return None


@answers("Query", "node")
def node(asked: Asked, _query: Thing, args: Args) -> Any:
    wanted = decode_id(args["id"])
    if wanted is None:
        return None
    if wanted.tenant_id == PLATFORM_ID:
        if wanted.tag == "A" and wanted.key == asked.viewer.account_id:
            return Thing("Account", asked.world.accounts[wanted.key])
        found = asked.world.sites.get(wanted.key) if wanted.tag == "S" else None
        return Thing("Site", found.row) if found and asked.standing(found).finds_site() else None
    there = asked.world.sites.get(wanted.tenant_id)
    return None if there is None else node_on(asked, there, wanted)


def node_on(asked: Asked, there: SiteData, wanted: NodeId) -> Thing | None:
    """The row of a site, if the viewer may see it."""
    viewer_there = asked.standing(there)
    tables: dict[str, tuple[str, str, str, Callable[[Row], bool]]] = {
        "M": ("Member", "member", "account_id", viewer_there.sees_member),
        "G": ("Group", "group", "id", viewer_there.sees_group),
        "C": ("Content", "content", "id", viewer_there.sees_content),
        "K": ("Comment", "comment", "id", viewer_there.sees_comment),
    }
    if wanted.tag not in tables:
        return None
    type_, table, key, may_see = tables[wanted.tag]
    row = there.find(table, key, wanted.key)
    if row is None or not may_see(row):
        return None
    return item(there, row) if type_ == "Content" else Thing(type_, row, there)


@answers("Query", "nodes")
def nodes(asked: Asked, query: Thing, args: Args) -> Any:
    if len(args["ids"]) > 100:
        raise bad_input("ids", "many")
    return [node(asked, query, {"id": id_}) for id_ in args["ids"]]


@answers("Query", "feed")
def feed(asked: Asked, _query: Thing, args: Args) -> Any:
    things = items_of_mine(asked, args)
    scope = Scope(asked.secret, PLATFORM_ID, "Query.feed")
    return across(asked, things, {"": lists.NEWEST_ITEM}, args, scope)


@answers("Query", "search")
def search(asked: Asked, _query: Thing, args: Args) -> Any:
    query = args["query"]
    if not 2 <= len(query.strip()) <= 200:
        raise bad_input("query", "length")
    ranks = asked.world.matches(query)
    found = [thing for thing in items_of_mine(asked, args) if thing.row["id"] in ranks]
    ranked = [Thing(thing.type, {**thing.row, "rank": ranks[thing.row["id"]]}, thing.site) for thing in found]
    return across(
        asked, ranked, {query: ListOrder("rank", True)}, args, Scope(asked.secret, PLATFORM_ID, "Query.search")
    )


def items_of_mine(asked: Asked, args: Args) -> list[Thing]:
    """The items that the viewer may see on the sites they are a member of."""
    mine = [site for site in asked.world.sites.values() if asked.standing(site).role is not None]
    kinds = args.get("kinds")
    return [item(site, row) for site in mine for row in asked.items(site) if kinds is None or row["kind"] in kinds]


def across(
    asked: Asked, things: list[Thing], orders: Mapping[str, ListOrder], args: Args, scope: Scope
) -> dict[str, Any]:
    """A connection over items of many sites."""
    by_row = {id(thing.row): thing for thing in things}
    page = lists.paged(asked.world, [thing.row for thing in things], orders, args, "id", scope)
    return shown(page, [by_row[id(row)] for row in page.rows])


# --- sites -----------------------------------------------------------------------------------------------------------


def sites_kept(found: list[SiteData], args: Args) -> list[Thing]:
    """The sites that a filter leaves."""
    filter_ = {name: value for name, value in (args.get("filter") or {}).items() if value is not None}
    tests: dict[str, Callable[[Row, Any], bool]] = {
        "name": lambda row, text: text.lower() in row["name"].lower(),
        "slugs": lambda row, slugs: row["slug"] in slugs,
        "state": lambda row, state: row["state"] == state,
        "joining": lambda row, joining: row["joining"] == joining,
    }
    rows = [each.row for each in found]
    return [Thing("Site", row) for row in rows if all(tests[name](row, value) for name, value in filter_.items())]


@answers("Site", "viewerMembership")
def viewer_membership(asked: Asked, here: Thing, _args: Args) -> Any:
    row = here.site.find("member", "account_id", asked.viewer.account_id)
    return Thing("Member", row, here.site) if row and row["left_at"] is None else None


@answers("Site", "memberCount")
def site_member_count(_asked: Asked, here: Thing, _args: Args) -> Any:
    return len(here.site.where("member", lambda row: row["left_at"] is None))


@answers("Site", "content")
def site_content(asked: Asked, here: Thing, args: Args) -> Any:
    return content(asked, here, asked.items(here.site), args)


@answers("Site", "groups")
def site_groups(asked: Asked, here: Thing, args: Args) -> Any:
    rows = here.site.where("group", asked.standing(here.site).sees_group)
    return asked.listed([Thing("Group", row, here.site) for row in rows], lists.GROUP_ORDERS, args, here, "groups")


@answers("Site", "members")
def site_members(asked: Asked, here: Thing, args: Args) -> Any:
    return members(asked, here, here.site.where("member", asked.standing(here.site).sees_member), args)


def members(asked: Asked, owner: Thing, rows: list[Row], args: Args) -> Any:
    """A connection over members."""
    things = [Thing("Member", row, owner.site) for row in rows]
    return asked.listed(things, lists.MEMBER_ORDERS, args, owner, "members", "account_id")


# --- people and groups -----------------------------------------------------------------------------------------------


@answers("Member", "role")
def role(_asked: Asked, member: Thing, _args: Args) -> Any:
    return Role(member.row["role"]).name


@answers("Member", "account")
def member_account(asked: Asked, member: Thing, _args: Args) -> Any:
    row = asked.world.accounts.get(member.row["account_id"])
    return Thing("Account", row, member.site) if row else None


@answers("Group", "memberCount")
def group_member_count(_asked: Asked, group: Thing, _args: Args) -> Any:
    return len(group.site.where("group_member", lambda row: row["group_id"] == group.row["id"]))


@answers("Group", "viewerIsMember")
def viewer_is_member(asked: Asked, group: Thing, _args: Args) -> Any:
    return group.row["id"] in asked.standing(group.site).groups


@answers("Group", "members")
def group_members(asked: Asked, group: Thing, args: Args) -> Any:
    here = asked.standing(group.site)
    places = group.site.where("group_member", lambda row: row["group_id"] == group.row["id"])
    inside = {row["account_id"] for row in places if here.sees_inside(group.row)}
    rows = group.site.where("member", lambda row: row["account_id"] in inside and here.sees_member(row))
    return members(asked, group, rows, args)


@answers("Group", "content")
def group_content(asked: Asked, group: Thing, args: Args) -> Any:
    rows = [row for row in asked.items(group.site) if row["group_id"] == group.row["id"]]
    return content(asked, group, rows, args)


# --- content and comments --------------------------------------------------------------------------------------------


def item(there: SiteData, row: Row) -> Thing:
    """An item as the type of its kind."""
    return Thing(row["kind"].title(), row, there)


def content(asked: Asked, owner: Thing, rows: list[Row], args: Args) -> Any:
    """A connection over items."""
    there = owner.site
    given = {name: value for name, value in (args.get("filter") or {}).items() if value is not None}
    kept = [row for row in rows if all(FILTERS[name](there, row, value) for name, value in given.items())]
    things = [item(there, row) for row in kept]
    return asked.listed(things, lists.CONTENT_ORDERS, args, owner, "content")


def names(there: SiteData, tag: str, text: str, key: UUID | None) -> bool:
    """Whether a global id is that of this row, on this site."""
    return decode_id(text) == NodeId(tag, there.id, key) if key else False


def moment(text: str) -> datetime:
    """A moment as it was sent; without a zone it is UTC."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


FILTERS: dict[str, Callable[[SiteData, Row, Any], bool]] = {
    "kinds": lambda _, row, kinds: row["kind"] in kinds,
    "author": lambda there, row, text: names(there, "M", text, row["author_id"]),
    "group": lambda there, row, text: names(there, "G", text, row["group_id"]),
    "tag": lambda _, row, tag: tag in row["tags"],
    "title": lambda _, row, text: text.lower() in row["title"].lower(),
    "publishedAfter": lambda _, row, text: row["published_at"] > moment(text),
    "publishedBefore": lambda _, row, text: row["published_at"] < moment(text),
}


@answers("Content", "excerpt")
def excerpt(_asked: Asked, thing: Thing, _args: Args) -> Any:
    return re.sub(r"[ \t\n\r\f\v\u2028]+", " ", thing.row["body"][:600])[:300]


@answers("Content", "author")
@answers("Comment", "author")
def author(_asked: Asked, thing: Thing, _args: Args) -> Any:
    row = thing.site.find("member", "account_id", thing.row["author_id"])
    return Thing("Member", row, thing.site) if row else None


@answers("Content", "group")
def group_of(asked: Asked, thing: Thing, _args: Args) -> Any:
    row = thing.site.find("group", "id", thing.row["group_id"])
    return Thing("Group", row, thing.site) if row and asked.standing(thing.site).sees_group(row) else None


@answers("Content", "site")
def site_of(_asked: Asked, thing: Thing, _args: Args) -> Any:
    return Thing("Site", thing.site.row)


@answers("Content", "commentCount")
def comment_count(_asked: Asked, thing: Thing, _args: Args) -> Any:
    return len(thing.site.where("comment", lambda row: row["content_id"] == thing.row["id"]))


@answers("Content", "comments")
def comments(asked: Asked, thing: Thing, args: Args) -> Any:
    rows = thing.site.where("comment", lambda row: row["content_id"] == thing.row["id"] and row["parent_id"] is None)
    return asked.listed(
        [Thing("Comment", row, thing.site) for row in rows], lists.COMMENT_ORDERS, args, thing, "comments"
    )


@answers("Comment", "replies")
def replies(asked: Asked, thing: Thing, args: Args) -> Any:
    rows = thing.site.where("comment", lambda row: row["parent_id"] == thing.row["id"])
    return asked.listed(
        [Thing("Comment", row, thing.site) for row in rows], lists.COMMENT_ORDERS, args, thing, "replies"
    )


@answers("Comment", "content")
def content_of(asked: Asked, thing: Thing, _args: Args) -> Any:
    row = thing.site.find("content", "id", thing.row["content_id"])
    return item(thing.site, row) if row and asked.standing(thing.site).sees_content(row) else None


@answers("Comment", "subject")
def subject(asked: Asked, thing: Thing, args: Args) -> Any:
    parent = thing.site.find("comment", "id", thing.row["parent_id"])
    return Thing("Comment", parent, thing.site) if parent else content_of(asked, thing, args)


def reactions_on(thing: Thing) -> list[Row]:
    """The reactions on an item or a comment itself."""
    return thing.site.where("reaction", lambda row: row["subject_id"] == thing.row["id"])


@answers("Content", "reactionCount")
@answers("Comment", "reactionCount")
def reaction_count(_asked: Asked, thing: Thing, _args: Args) -> Any:
    return len(reactions_on(thing))


@answers("Content", "reactions")
@answers("Comment", "reactions")
def reactions(_asked: Asked, thing: Thing, _args: Args) -> Any:
    counts = Counter(row["kind"] for row in reactions_on(thing))
    return [
        {"kind": kind, "count": count} for kind, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


@answers("Content", "viewerReaction")
@answers("Comment", "viewerReaction")
def viewer_reaction(asked: Asked, thing: Thing, _args: Args) -> Any:
    mine = [row["kind"] for row in reactions_on(thing) if row["account_id"] == asked.viewer.account_id]
    return mine[0] if mine else None


@answers("Content", "options")
def options(_asked: Asked, thing: Thing, _args: Args) -> Any:
    return [{"number": number, "text": text} for number, text in enumerate(thing.row["details"]["options"], 1)]
