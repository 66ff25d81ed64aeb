"""What `Query` and `Viewer` answer, naively."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from auth.policy import Role
from schema.errors import bad_input
from schema.relay import PLATFORM_ID, NodeId, decode_id
from tests.oracle import lists
from tests.oracle.lists import Args, ListOrder, Scope
from tests.oracle.things import Asked, Thing, answers, item, shown
from tests.oracle.world import Row, SiteData

OWN = {
    "Y": ("ApiKey", "api_key"),
    "E": ("Consent", "consent"),
    "N": ("Session", "session"),
    "D": ("Identity", "identity"),
}
"""What only the account that it hangs on finds, by the letter in ids: the type, and the table on the platform."""


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


def manages(asked: Asked, client: Row) -> bool:
    """Whether the viewer may manage a client: of a site that they run, or as an operator one of the platform."""
    if client["tenant_id"] is None:
        return is_operator(asked)
    role = asked.standing(asked.world.sites[client["tenant_id"]]).role
    return role is not None and role >= Role.ADMIN


@answers("Viewer", "clients")
def viewer_clients(asked: Asked, _viewer: Thing, args: Args) -> Any:
    mine = [row for row in asked.world.platform["client"] if manages(asked, row)]
    wanted = (args.get("filter") or {}).get("site")
    if wanted is not None:
        node_ = decode_id(wanted)
        is_site = node_ is not None and node_.tag == "S" and node_.tenant_id == PLATFORM_ID
        mine = [row for row in mine if is_site and node_ is not None and row["tenant_id"] == node_.key]
    return asked.listed([Thing("Client", row) for row in mine], lists.OWN_ORDERS, args, "Viewer", "clients")


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
        return node_of_platform(asked, wanted)
    there = asked.world.sites.get(wanted.tenant_id)
    return None if there is None else node_on(asked, there, wanted)


def node_of_platform(asked: Asked, wanted: NodeId) -> Thing | None:
    """The row of the platform, if the viewer may see it."""
    if wanted.tag == "A" and wanted.key == asked.viewer.account_id:
        return Thing("Account", asked.world.accounts[wanted.key])
    if wanted.tag == "S":
        found = asked.world.sites.get(wanted.key)
        return Thing("Site", found.row) if found and asked.standing(found).finds_site() else None
    tables: dict[str, tuple[str, str, Callable[[Row], bool]]] = {
        "V": ("PlatformAct", "audit", lambda _: is_operator(asked)),
        "I": ("Issuer", "issuer", lambda _: is_operator(asked)),
        "L": ("Client", "client", lambda row: manages(asked, row)),
        **{tag: (*of, lambda row: is_own(asked, row)) for tag, of in OWN.items()},
    }
    if wanted.tag not in tables:
        return None
    type_, table, may_see = tables[wanted.tag]
    rows = (row for row in asked.world.platform[table] if row["id"] == wanted.key and may_see(row))
    return next((Thing(type_, row) for row in rows), None)


def is_own(asked: Asked, row: Row) -> bool:
    """Whether it hangs on the viewer's account; a session on a site's host is a part of another."""
    return row["account_id"] == asked.viewer.account_id and row.get("parent_id") is None


def is_operator(asked: Asked) -> bool:
    """Whether the viewer runs the square."""
    me = asked.world.accounts.get(asked.viewer.account_id)  # type: ignore[arg-type]
    return me is not None and me["role"] >= 2 and me["suspended_at"] is None


def node_on(asked: Asked, there: SiteData, wanted: NodeId) -> Thing | None:
    """The row of a site, if the viewer may see it."""
    viewer_there = asked.standing(there)
    tables: dict[str, tuple[str, str, str, Callable[[Row], bool]]] = {
        "M": ("Member", "member", "account_id", viewer_there.sees_member),
        "G": ("Group", "group", "id", viewer_there.sees_group),
        "C": ("Content", "content", "id", viewer_there.sees_content),
        "K": ("Comment", "comment", "id", viewer_there.sees_comment),
        "O": ("OwnershipOffer", "ownership_offer", "account_id", viewer_there.sees_offer),
        "B": ("SiteApiKey", "api_key", "id", viewer_there.sees_act),
        "U": ("Act", "audit", "id", viewer_there.sees_act),
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
