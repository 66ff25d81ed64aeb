"""Lists over many sites: which items, in which order, before their details are read.

The feed asks the platform's `activity` index, which holds no text and may only ever show too little; search asks each
site for its best matches. Details come from the sites on the page, under their roles and the full predicate.
Promises: pure; one statement for the feed's page, one per site for search, whatever the page size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    ColumnElement,
    DateTime,
    Text,
    Uuid,
    cast,
    extract,
    func,
    literal,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import REGCONFIG

from auth.policy import activity_visible, content_visible, knows_viewer
from schema.bind import Order, Place
from schema.compiler.compile import Compiler, Rejections
from schema.compiler.paginate import Page, beyond, position
from schema.compiler.part import Call, Getter, Part, Path, encode
from schema.compiler.selection import Value
from schema.compiler.sql import Draft
from schema.errors import bad_input
from schema.relay import PLATFORM_ID, CursorKey, cursor_key, decode_cursor
from tenants.platform_tables import Activity, Membership, Tenant
from tenants.site_tables import Content
from tenants.tables import table_of

NEWEST = Order("published_at", descending=True, numeric=True)
FEED = "feed"
SEARCH = "search"
QUERY_LENGTH = (2, 200)
SITES_MOST = 1000
"""How many sites one search asks at the most."""


@dataclass(frozen=True)
class Across:
    """A list over many sites as it was asked for; `path` is its field's."""

    page: Page
    kinds: Value | None
    path: Path
    query: Value | None = None


def across_key(call: Call, name: str, scope: str = "") -> CursorKey:
    """The key of the cursors of a list over many sites."""
    return cursor_key(call.secret, PLATFORM_ID, f"Query.{name}", scope)


def feed_page(compiler: Compiler, across: Across) -> Part:
    """One page of the feed, and one row more: site, item and moment (microseconds), in the order of paging."""

    def build(rejected: Rejections) -> Part:
        draft = compiler.draft(Place.PLATFORM, rejected)
        item, site, mine = _feed_tables()
        where = [*_feed_conditions(draft, across, item, site, mine)]
        for value, after, name in _bounds(across.page):
            bound = _moment(draft, across, value, name)
            where.append(beyond(item, NEWEST, "content_id", bound, after=after))
        backward = across.page.backward
        keys = (item.c.published_at, item.c.content_id)
        order = [key.asc() if backward else key.desc() for key in keys]
        limit = across.page.size + 1
        latest = (
            select(item.c.tenant_id, *keys).where(*where).order_by(*order).limit(limit).correlate(site, mine).lateral()
        )
        outer_keys = (latest.c.published_at, latest.c.content_id)
        moment = cast(extract("epoch", latest.c.published_at) * 1_000_000, BigInteger)
        query = (
            select(latest.c.tenant_id, latest.c.content_id, moment)
            .select_from(mine.join(site, site.c.id == mine.c.tenant_id).join(latest, true()))
            .where(
                mine.c.account_id == draft.terms.me,
                site.c.state == "ACTIVE",
                knows_viewer(site),
                *draft.terms.within(site.c.id),
            )
            .order_by(*[key.asc() if backward else key.desc() for key in outer_keys])
            .limit(limit)
        )
        return compiler.part(draft, query, rejected, build)

    return build({})


def feed_total(compiler: Compiler, across: Across) -> Part:
    """How many items the feed holds: one row, one number."""

    def build(rejected: Rejections) -> Part:
        draft = compiler.draft(Place.PLATFORM, rejected)
        item, site, mine = _feed_tables()
        joined = mine.join(site, site.c.id == mine.c.tenant_id).join(item, item.c.tenant_id == site.c.id)
        where = _feed_conditions(draft, across, item, site, mine)
        own = (
            mine.c.account_id == draft.terms.me,
            site.c.state == "ACTIVE",
            knows_viewer(site),
            *draft.terms.within(site.c.id),
        )
        return compiler.part(draft, select(func.count()).select_from(joined).where(*own, *where), rejected, build)

    return build({})


def my_sites(compiler: Compiler) -> Part:
    """The ids of the sites that the viewer is a member of and that answer."""

    def build(rejected: Rejections) -> Part:
        draft = compiler.draft(Place.PLATFORM, rejected)
        _, site, mine = _feed_tables()
        query = (
            select(site.c.id)
            .select_from(mine.join(site, site.c.id == mine.c.tenant_id))
            .where(
                mine.c.account_id == draft.terms.me,
                site.c.state == "ACTIVE",
                knows_viewer(site),
                *draft.terms.within(site.c.id),
            )
            .order_by(mine.c.joined_at, site.c.id)
            .limit(SITES_MOST)
        )
        return compiler.part(draft, query, rejected, build)

    return build({})


def search_page(compiler: Compiler, across: Across) -> Part:
    """One site's best matches, a page and one more: item and rank, in the order of paging."""

    def build(rejected: Rejections) -> Part:
        draft = compiler.draft(Place.SITE, rejected)
        item, words, where = _search(draft, across)
        rank = func.ts_rank(item.c.search, words)
        ranked = select(item.c.id, rank.label("rank")).where(*where).subquery()
        backward = across.page.backward
        bounds = []
        for value, after, name in _bounds(across.page):
            place = tuple_(*_rank(draft, across, value, name))
            columns = tuple_(ranked.c.rank, ranked.c.id)
            bounds.append(columns < place if after else columns > place)
        order = [key.asc() if backward else key.desc() for key in (ranked.c.rank, ranked.c.id)]
        limit = across.page.size + 1
        query = select(ranked.c.id, ranked.c.rank).where(*bounds).order_by(*order).limit(limit)
        return compiler.part(draft, query, rejected, build)

    return build({})


def search_total(compiler: Compiler, across: Across) -> Part:
    """How many items of one site match: one row, one number."""

    def build(rejected: Rejections) -> Part:
        draft = compiler.draft(Place.SITE, rejected)
        item, _, where = _search(draft, across)
        return compiler.part(draft, select(func.count()).select_from(item).where(*where), rejected, build)

    return build({})


def words_of(values: Mapping[str, Value], variables: Mapping[str, Any]) -> str:
    """The words to search for, or a coded error."""
    text: str = values["query"].read(variables).strip()
    least, most = QUERY_LENGTH
    if not least <= len(text) <= most:
        raise bad_input("query", f"Give {least} to {most} characters.")
    encode(text, "query")
    return text


def _feed_tables() -> tuple[Any, Any, Any]:
    return table_of(Activity).alias(), table_of(Tenant).alias(), table_of(Membership).alias()


def _feed_conditions(draft: Draft, across: Across, item: Any, site: Any, mine: Any) -> list[ColumnElement[bool]]:
    conditions = [item.c.tenant_id == mine.c.tenant_id, activity_visible(item, mine, site, draft.terms)]
    return [*conditions, *_of_kinds(draft, across, item)]


def _of_kinds(draft: Draft, across: Across, item: Any) -> list[ColumnElement[bool]]:
    kinds = across.kinds
    if kinds is None or not kinds.given:
        return []
    parameter = draft.parameter(lambda call, _: encode(kinds.read(call.variables)), ARRAY(Text), across.path)
    return [item.c.kind == func.any(parameter)]


def _search(draft: Draft, across: Across) -> tuple[Any, ColumnElement[Any], list[ColumnElement[bool]]]:
    item = table_of(Content).alias()
    query = across.query
    assert query is not None
    text = draft.parameter(lambda call, _: encode(query.read(call.variables), "query"), Text(), across.path)
    words = func.websearch_to_tsquery(cast(literal("pg_catalog.dutch"), REGCONFIG), text)
    matches = item.c.search.op("@@")(words)
    return item, words, [matches, content_visible(item, draft.terms), *_of_kinds(draft, across, item)]


def _bounds(page: Page) -> list[tuple[Value, bool, str]]:
    bounds = ((page.after, True, "after"), (page.before, False, "before"))
    return [(value, after, name) for value, after, name in bounds if value is not None]


def _moment(draft: Draft, across: Across, cursor: Value, name: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    def read(call: Call) -> tuple[UUID, str]:
        return decode_cursor(across_key(call, FEED), cursor.read(call.variables), name)

    def moment(call: Call, _tenant_id: UUID) -> bytes:
        return position(read(call)[1], NEWEST, name).encode()

    parameter = draft.parameter(moment, DateTime(timezone=True), across.path)
    return parameter, draft.parameter(_key(read), Uuid(), across.path)


def _rank(draft: Draft, across: Across, cursor: Value, name: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    query = across.query
    assert query is not None

    def read(call: Call) -> tuple[UUID, str]:
        return decode_cursor(across_key(call, SEARCH, query.read(call.variables)), cursor.read(call.variables), name)

    rank = draft.parameter(lambda call, _: read(call)[1].encode(), REAL(), across.path)
    return rank, draft.parameter(_key(read), Uuid(), across.path)


def _key(read: Any) -> Getter:
    return lambda call, _tenant_id: str(read(call)[0]).encode()
