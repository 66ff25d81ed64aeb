"""Root fields over many sites: `feed` and `search`.

First which items are on the page and in which order, then their details, from the sites on the page only, under their
roles. Promises: an item that its site does not show after all stands as null; so do the items of a site that fails,
with one error. A site that cannot search is told as one error beside the others' matches.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from gateway.execute.nodes import find_rows
from gateway.execute.run import Row, Run, each
from gateway.execute.splice import NULL
from schema.compiler import across
from schema.compiler.across import Across
from schema.compiler.connection import object_type
from schema.compiler.paginate import page_of
from schema.compiler.part import Part, RejectedError
from schema.compiler.selection import Selected, collect
from schema.compiler.trail import Trail, levels, under
from schema.errors import PleinError
from schema.relay import PLATFORM_ID, NodeId, encode_cursor
from tenants.errors import ReadError
from tenants.registry import TenantRef


@dataclass(frozen=True)
class Entry:
    """An item of a list over many sites: where it is, and its value in the order."""

    node: NodeId
    value: str


@dataclass(frozen=True)
class Source:
    """A list over many sites: its entries of one page (and one more), in the order of paging, and its total."""

    name: str
    asked: Across
    scope: str


@dataclass(frozen=True)
class Listing:
    """A list over many sites that was asked for: how its entries of one page (and one more) are read, and its total."""

    source: Source
    entries: Callable[[], Awaitable[list[Entry]]]
    total: Callable[[], Awaitable[int]]


@dataclass(frozen=True)
class Cut:
    """A page of a list, in the order of the answer; `more`: whether something follows in the direction of paging."""

    source: Source
    entries: list[Entry]
    more: bool


async def feed_field(run: Run, selected: Selected) -> bytes:
    """`feed`: the page from the platform's index, then its items from their sites."""
    json: bytes = await guarded(run, selected, _feed)
    return json


async def search_field(run: Run, selected: Selected) -> bytes:
    """`search`: the best matches of each of the viewer's sites, merged, then the items on the page."""
    json: bytes = await guarded(run, selected, _search)
    return json


async def guarded(run: Run, selected: Selected, field: Callable[[Any, Selected], Awaitable[Any]]) -> Any:
    """What a field answers, or the mark of its error."""
    try:
        return await field(run, selected)
    except RejectedError as rejection:
        error: Exception = rejection.error
    except (PleinError, ReadError) as failure:
        error = failure
    return run.fail(error, levels(under((), selected.output)), selected.nodes[0])


async def _feed(run: Run, selected: Selected) -> bytes:
    return await _read(run, selected, await feed_listing(run, selected))


async def _search(run: Run, selected: Selected) -> bytes:
    return await _read(run, selected, await search_listing(run, selected))


async def feed_listing(run: Run, selected: Selected) -> Listing:
    """How the feed is read. Raises for arguments that are not in order."""
    values = run.plan.arguments(selected)
    asked = Across(page_of(values), values.get("kinds"), (selected.key,))
    part = _checked(run, _kept(run, (selected.key, "page"), lambda: across.feed_page(run.plan.compiler, asked)))

    async def entries() -> list[Entry]:
        rows = await run.rows(part, None)
        return [Entry(NodeId("C", _uuid(site), _uuid(item)), _text(moment)) for site, item, moment in rows]

    async def total() -> int:
        part = _kept(run, (selected.key, "total"), lambda: across.feed_total(run.plan.compiler, asked))
        return int(_text((await run.rows(part, None))[0][0]))

    return Listing(Source(across.FEED, asked, ""), entries, total)


async def search_listing(run: Run, selected: Selected) -> Listing:
    """How a search is read, once it is known on which sites. Raises for arguments that are not in order."""
    compiler = run.plan.compiler
    values = run.plan.arguments(selected)
    across.words_of(values, run.call.variables)
    asked = Across(page_of(values), values.get("kinds"), (selected.key,), values["query"])
    part = _checked(run, _kept(run, (selected.key, "page"), lambda: across.search_page(compiler, asked)))
    mine = await run.rows(_kept(run, (selected.key, "sites"), lambda: across.my_sites(compiler)), None)
    tenants = list((await run.registry.many(_uuid(row[0]) for row in mine)).values())

    async def entries() -> list[Entry]:
        found: list[Entry] = []
        for tenant_id, rows in (await _answers(run, selected, part, tenants)).items():
            found += [Entry(NodeId("C", tenant_id, _uuid(item)), _text(rank)) for item, rank in rows]
        forward = not asked.page.backward
        found.sort(key=lambda entry: (float(entry.value), entry.node.key), reverse=forward)
        return found[: asked.page.size + 1]

    async def total() -> int:
        part = _kept(run, (selected.key, "total"), lambda: across.search_total(compiler, asked))
        counts = (await _answers(run, selected, part, tenants)).values()
        return sum(int(_text(rows[0][0])) for rows in counts if rows)

    source = Source(across.SEARCH, asked, values["query"].read(run.call.variables))
    return Listing(source, entries, total)


async def _read(run: Run, selected: Selected, listing: Listing) -> bytes:
    """All that is selected of a list."""
    entries = await listing.entries() if _wants(run, selected, "edges", "pageInfo") else []
    total = await listing.total() if _wants(run, selected, "totalCount") else 0
    return await _connection(run, selected, cut(listing.source, entries), total)


async def _answers(run: Run, selected: Selected, part: Part, tenants: Sequence[TenantRef]) -> dict[UUID, list[Row]]:
    """What each site answers; one that cannot is left out, and told once as an error beside the answer."""
    answers: dict[UUID, list[Row]] = {}
    for tenant, rows in zip(tenants, (await each(run, part, tenants)).values(), strict=True):
        if not isinstance(rows, ReadError):
            answers[tenant.id] = rows
        elif all(tenant.slug != site for _, _, site in run.call.notes):
            run.call.notes.append((rows, selected.nodes[0], tenant.slug))
    return answers


def cut(source: Source, entries: list[Entry]) -> Cut:
    """The page, of entries in the order of paging with one more where there is more."""
    page = source.asked.page
    kept = entries[: page.size]
    if page.backward:
        kept.reverse()
    return Cut(source, kept, len(entries) > page.size)


async def _connection(run: Run, selected: Selected, page: Cut, total: int) -> bytes:
    type_ = object_type(selected.output)
    trail = under((), selected.output)
    made: dict[str, Any] = {}
    for item in collect(run.plan.compiler.operation, type_, selected.selection_sets):
        match item.name:
            case "__typename":
                made[item.key] = type_.name
            case "totalCount":
                made[item.key] = total
            case "pageInfo":
                made[item.key] = page_info(run, item, page)
            case _:
                made[item.key] = await _edges(run, item, page, (selected.key, item.key), trail)
    return orjson.dumps(made)


async def _edges(run: Run, selected: Selected, page: Cut, path: tuple[str, ...], trail: Trail) -> list[dict[str, Any]]:
    type_ = object_type(selected.output)
    item_trail = under(under(trail, selected.output), None, selected.output)
    edges: list[dict[str, Any]] = [{} for _ in page.entries]
    for item in collect(run.plan.compiler.operation, type_, selected.selection_sets):
        if item.name == "__typename":
            values: list[Any] = [type_.name] * len(edges)
        elif item.name == "cursor":
            values = cursors(run, page)
        else:
            node_trail = under(item_trail, item.output)
            ids = [entry.node for entry in page.entries]
            found = await find_rows(run, item, ids, (*path, item.key), node_trail)
            values = [orjson.Fragment(found.get(node, NULL)) for node in ids]
        for edge, value in zip(edges, values, strict=True):
            edge[item.key] = value
    return edges


def page_info(run: Run, selected: Selected, page: Cut) -> dict[str, Any]:
    """What is selected of `pageInfo`."""
    type_ = object_type(selected.output)
    asked = page.source.asked.page
    ahead, behind = page.more, (asked.before if asked.backward else asked.after) is not None
    made: dict[str, Any] = {}
    for item in collect(run.plan.compiler.operation, type_, selected.selection_sets):
        match item.name:
            case "__typename":
                made[item.key] = type_.name
            case "hasNextPage":
                made[item.key] = behind if asked.backward else ahead
            case "hasPreviousPage":
                made[item.key] = ahead if asked.backward else behind
            case "startCursor":
                made[item.key] = _cursor(run, page.source, page.entries[0]) if page.entries else None
            case _:
                made[item.key] = _cursor(run, page.source, page.entries[-1]) if page.entries else None
    return made


def cursors(run: Run, page: Cut) -> list[str]:
    """The cursor of each entry of a page."""
    return [_cursor(run, page.source, entry) for entry in page.entries]


def _cursor(run: Run, source: Source, entry: Entry) -> str:
    return encode_cursor(across.across_key(run.call, source.name, source.scope), entry.node.key, entry.value)


def _checked(run: Run, part: Part) -> Part:
    """The part, once its cursors have been read: here a wrong one fails the whole field."""
    for getter in part.getters:
        getter(run.call, PLATFORM_ID)
    return part


def _kept(run: Run, key: object, make: Any) -> Part:
    part = run.plan.parts.get(key)
    if part is None:
        part = run.plan.parts[key] = make()
    return part


def _wants(run: Run, selected: Selected, *names: str) -> bool:
    type_ = object_type(selected.output)
    fields = collect(run.plan.compiler.operation, type_, selected.selection_sets)
    return any(item.name in names for item in fields)


def _uuid(column: bytes | None) -> UUID:
    return UUID(_text(column))


def _text(column: bytes | None) -> str:
    assert column is not None
    return column.decode()
