"""Values for arguments, drawn by the argument's name and type: real ones, foreign ones and nonsense.

Promises: whatever the schema's types allow; a new argument gets values by its type alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_nullable_type,
)
from hypothesis import strategies as st

from schema.catalogue import catalogue_of
from schema.relay import PLATFORM_ID, NodeId, cursor_key, encode_cursor, encode_id
from schema.root import graphql_schema
from tests.oracle import lists
from tests.oracle.estate import WORDS
from tests.oracle.world import SiteData, World

Drawn = Any
SIZES = st.one_of(*[st.integers(1, 7)] * 3, st.sampled_from([0, -1, 100, 101, 100_000]))
DEEP_SIZES = st.one_of(*[st.integers(1, 3)] * 3, st.sampled_from([0, -1, 100_000]))
TEXTS = st.sampled_from(
    [
        "",
        "e",
        "É",
        "Gemeente",
        "lang",
        "a b",
        'q"x',
        "{}",
        "NULL",
        "100%",
        "_",
        "'; --",
        "\\",
        "🚲",
        "zwijg-beuk",
        "twee\nregels",
    ]
)
SEARCHES = st.sampled_from(
    [*WORDS, "x", '"gemeente besluit"', "water -fietspad", "or", "!!", "é " * 150, "zwijg beuk", "(", "'"]
)
MOMENTS = st.sampled_from(
    [
        "2024-03-01T04:59:59.123456Z",
        "2024-03-01T04:59:59.123456+00:00",
        "2024-03-01T05:59:59+02:00",
        "2024-02-29T23:59:59",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ]
)
BAD_CURSORS = ("", "x", "AAAA", "é", "%00", "a" * 400, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
_CATALOGUE = catalogue_of(graphql_schema())
REFERRED = {each.name: _CATALOGUE.source(each.name).tag for each in _CATALOGUE.schema.type_map["_Entity"].types}  # type: ignore[attr-defined]
"""The types that have keys, and the letter of their ids."""

BAD_IDS = ("", "x", "é" * 56, "A" * 56, "0" * 56)


@dataclass(frozen=True, repr=False)
class Pools:
    """Ids of everything there is, and cursors of every list by `Type.field` (`Content.comments`, `Query.sites`)."""

    ids: tuple[str, ...]
    ids_by_tag: Mapping[str, tuple[str, ...]]
    cursors: Mapping[str, tuple[str, ...]]
    slugs: tuple[str, ...]


def pools(world: World, secret: bytes) -> Pools:
    """The pools of a world; the same in each run but for the ids of sites."""
    ids = [NodeId("S", PLATFORM_ID, site.id) for site in world.sites.values()]
    ids += [NodeId("A", PLATFORM_ID, id_) for id_ in world.accounts]
    tables = {
        "Y": "api_key",
        "V": "audit",
        "L": "client",
        "E": "consent",
        "N": "session",
        "D": "identity",
        "I": "issuer",
    }
    ids += [NodeId(tag, PLATFORM_ID, row["id"]) for tag, name in tables.items() for row in world.platform[name]]
    cursors: dict[str, list[str]] = {}
    for site in world.sites.values():
        ids += _ids(site)
        _add_site_cursors(cursors, secret, site)
    sites = [site.row for site in world.sites.values()]
    for name in ("Query.sites", "Viewer.sites"):
        cursors[name] = _cursors(secret, PLATFORM_ID, name, lists.SITE_ORDERS, sites)
    cursors["Query.audit"] = _cursors(secret, PLATFORM_ID, "Query.audit", lists.ACT_ORDERS, world.platform["audit"])
    keys = world.platform["api_key"]
    sessions = world.platform["session"]
    cursors["A.sessions"] = _cursors(secret, PLATFORM_ID, "A.sessions", lists.SESSION_ORDERS, sessions)
    cursors["A.apiKeys"] = _cursors(secret, PLATFORM_ID, "A.apiKeys", lists.OWN_ORDERS, keys)
    lists_of = (("A.consents", "consent"), ("Viewer.clients", "client"), ("A.identities", "identity"))
    for name, table in (*lists_of, ("Query.issuers", "issuer")):
        cursors[name] = _cursors(secret, PLATFORM_ID, name, lists.OWN_ORDERS, world.platform[table])
    for name in ("Y.sites", "E.sites"):
        cursors[name] = _cursors(secret, PLATFORM_ID, name, lists.SITE_ORDERS, sites)
    items = [row for site in world.sites.values() for row in site.content]
    cursors["Query.feed"] = _cursors(secret, PLATFORM_ID, "Query.feed", {"": lists.NEWEST_ITEM}, items[::5])
    cursors["Query.search"] = [
        encode_cursor(cursor_key(secret, PLATFORM_ID, "Query.search", word), key, rank.text)
        for word in WORDS[:4]
        for key, rank in list(world.matches(word).items())[:5]
    ]
    spelled = [encode_id(node) for node in ids]
    by_tag = {
        tag: tuple(encode_id(node) for node in ids if node.tag == tag) for tag in sorted({node.tag for node in ids})
    }
    slugs = tuple(site.row["slug"] for site in world.sites.values())
    return Pools(tuple(spelled), by_tag, {name: tuple(each) for name, each in cursors.items()}, slugs)


def _ids(site: SiteData) -> list[NodeId]:
    tables = (
        ("M", "account_id", site.member),
        ("G", "id", site.group),
        ("C", "id", site.content),
        ("K", "id", site.comment),
        ("U", "id", site.audit),
        ("O", "account_id", site.ownership_offer),
        ("B", "id", site.api_key),
    )
    return [NodeId(tag, site.id, row[key]) for tag, key, rows in tables for row in rows]


def _add_site_cursors(cursors: dict[str, list[str]], secret: bytes, site: SiteData) -> None:
    every = (
        ("S.content", lists.CONTENT_ORDERS, site.content[::4], "id"),
        ("G.content", lists.CONTENT_ORDERS, site.content[::4], "id"),
        ("S.ownershipOffers", lists.OFFER_ORDERS, site.ownership_offer, "account_id"),
        ("S.apiKeys", lists.OWN_ORDERS, site.api_key, "id"),
        ("S.audit", lists.ACT_ORDERS, site.audit, "id"),
        ("S.groups", lists.GROUP_ORDERS, site.group, "id"),
        ("S.members", lists.MEMBER_ORDERS, site.member, "account_id"),
        ("G.members", lists.MEMBER_ORDERS, site.member, "account_id"),
        ("C.comments", lists.COMMENT_ORDERS, site.comment[::6], "id"),
        ("K.replies", lists.COMMENT_ORDERS, site.comment[::6], "id"),
    )
    for name, orders, rows, key in every:
        cursors.setdefault(name, []).extend(_cursors(secret, site.id, name, orders, rows, key))


def _cursors(
    secret: bytes, tenant_id: Any, name: str, orders: Mapping[str, lists.ListOrder], rows: Any, key: str = "id"
) -> list[str]:
    return [
        encode_cursor(cursor_key(secret, tenant_id, name, order), row[key], lists.spelled(row[by.column]))
        for order, by in orders.items()
        for row in rows
    ]


@dataclass(frozen=True)
class Values:
    """Draws values as JSON, for an argument of a field on a list of this name, in a place this deep."""

    pools: Pools

    def value(self, draw: Drawn, type_: GraphQLInputType, name: str, list_name: str, deep: bool) -> Any:
        """A value, or None where null is allowed."""
        if not isinstance(type_, GraphQLNonNull) and draw(st.integers(0, 7)) == 0:
            return None
        bare = get_nullable_type(type_)
        if isinstance(bare, GraphQLList):
            items = draw(st.integers(0, 4))
            return [self.value(draw, bare.of_type, name, list_name, deep) for _ in range(items)]
        if isinstance(bare, GraphQLInputObjectType):
            chosen = draw(st.lists(st.sampled_from(sorted(bare.fields)), unique=True, max_size=2))
            needed = [each for each, field in bare.fields.items() if isinstance(field.type, GraphQLNonNull)]
            fields = {*chosen, *needed}
            return {
                each: self.value(draw, bare.fields[each].type, each, list_name, deep)
                for each in bare.fields
                if each in fields
            }
        if isinstance(bare, GraphQLEnumType):
            return draw(st.sampled_from(sorted(bare.values)))
        return draw(self._scalar(str(bare), name, list_name, deep))

    def _scalar(self, type_name: str, name: str, list_name: str, deep: bool) -> st.SearchStrategy[Any]:
        by_type = {"ID": self._id, "Int": lambda _: DEEP_SIZES if deep else SIZES}
        by_type |= {"Boolean": lambda _: st.booleans(), "DateTime": lambda _: MOMENTS}
        by_type |= {"_Any": self._representation}
        if type_name in by_type:
            return by_type[type_name](name)
        if name in ("after", "before"):
            own = st.sampled_from(self.pools.cursors.get(list_name) or ("x",))
            foreign = st.sampled_from([each[0] for each in self.pools.cursors.values()])
            return st.one_of(own, own, own, own, foreign, st.sampled_from(BAD_CURSORS))
        if name in ("slug", "slugs"):
            return st.sampled_from([*self.pools.slugs, *self.pools.slugs, "niets", "", "ASTER", "a b"])
        return SEARCHES if name == "query" else TEXTS

    def _representation(self, _name: str) -> st.SearchStrategy[Any]:
        """How another service refers to a thing: rightly, by the wrong type, or not in a way that means anything."""
        ids, junk = self.pools.ids_by_tag, st.sampled_from([*BAD_IDS, 5, 2.5, True, None, [], {}])
        any_id = st.one_of(*[st.sampled_from(each) for each in ids.values()])
        types = st.sampled_from([*REFERRED, "Content", "Node", "Nobody", 5, None])
        right = [
            st.fixed_dictionaries({"__typename": st.just(name), "id": st.sampled_from(ids[tag])})
            for name, tag in REFERRED.items()
        ]
        site = st.fixed_dictionaries({"id": st.one_of(st.sampled_from(ids["S"]), any_id, junk)})
        account = st.fixed_dictionaries({"id": st.one_of(st.sampled_from(ids["A"]), any_id, junk)})
        slugs = st.one_of(st.sampled_from([*self.pools.slugs, "niets", "ASTER", ""]), junk)
        return st.one_of(
            *right,
            st.fixed_dictionaries({"__typename": st.just("Content"), "id": st.sampled_from(ids["C"])}),
            st.fixed_dictionaries({"__typename": st.just("Site"), "slug": slugs}),
            st.fixed_dictionaries({"__typename": st.just("Member"), "site": site, "account": account}),
            st.fixed_dictionaries({"__typename": types, "id": st.one_of(any_id, junk)}, optional={"slug": slugs}),
            st.fixed_dictionaries({}, optional={"__typename": types, "id": any_id, "site": site, "account": junk}),
            junk.filter(lambda value: value is not None),
        )

    def _id(self, name: str) -> st.SearchStrategy[str]:
        tag = {"author": "M", "group": "G"}.get(name)
        of_type = [st.sampled_from(each) for each in self.pools.ids_by_tag.values()]
        fitting = [st.sampled_from(self.pools.ids_by_tag[tag])] * 6 if tag else of_type
        return st.one_of(*fitting, *of_type, st.sampled_from(BAD_IDS))
