"""Root fields over many sites: `feed` and `search`.

First which items are on the page and in which order, then their details, from the sites on the page only, under their
roles. Promises: an item that its site does not show after all stands as null; so do the items of a site that fails,
with one error. A site that cannot search is told as one error beside the others' matches.
"""

from __future__ import annotations

from collections.abc import Sequence
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


async def feed_field(run: Run, selected: Selected) -> bytes:
    """`feed`: the page from the platform's index, then its items from their sites."""
    return await _guarded(run, selected, _feed)


async def search_field(run: Run, selected: Selected) -> bytes:
    """`search`: the best matches of each of the viewer's sites, merged, then the items on the page."""
    return await _guarded(run, selected, _search)


async def _guarded(run: Run, selected: Selected, field: Any) -> bytes:
    try:
        json: bytes = await field(run, selected)
    except RejectedError as rejection:
        error: Exception = rejection.error
    except (PleinError, ReadError) as failure:
        error = failure
    else:
        return json
    return run.fail(error, levels(under((), selected.output)), selected.nodes[0])


async def _feed(run: Run, selected: Selected) -> bytes:
    values = run.plan.arguments(selected)
    asked = Across(page_of(values), values.get("kinds"), (selected.key,))
    source = Source(across.FEED, asked, "")
    entries: list[Entry] = []
    part = _checked(run, _kept(run, (selected.key, "page"), lambda: across.feed_page(run.plan.compiler, asked)))
    if _wants(run, selected, "edges", "pageInfo"):
        rows = await run.rows(part, None)
        entries = [Entry(NodeId("C", _uuid(site), _uuid(item)), _text(moment)) for site, item, moment in rows]
    total = 0
    if _wants(run, selected, "totalCount"):
        part = _kept(run, (selected.key, "total"), lambda: across.feed_total(run.plan.compiler, asked))
        total = int(_text((await run.rows(part, None))[0][0]))
    return await _connection(run, selected, source, entries, total)


async def _search(run: Run, selected: Selected) -> bytes:
    compiler = run.plan.compiler
    values = run.plan.arguments(selected)
    across.words_of(values, run.call.variables)
    asked = Across(page_of(values), values.get("kinds"), (selected.key,), values["query"])
    source = Source(across.SEARCH, asked, values["query"].read(run.call.variables))
    part = _checked(run, _kept(run, (selected.key, "page"), lambda: across.search_page(compiler, asked)))
    mine = await run.rows(_kept(run, (selected.key, "sites"), lambda: across.my_sites(compiler)), None)
    tenants = list((await run.registry.many(_uuid(row[0]) for row in mine)).values())
    entries: list[Entry] = []
    if _wants(run, selected, "edges", "pageInfo"):
        for tenant_id, rows in (await _answers(run, selected, part, tenants)).items():
            entries += [Entry(NodeId("C", tenant_id, _uuid(item)), _text(rank)) for item, rank in rows]
        forward = not asked.page.backward
        entries.sort(key=lambda entry: (float(entry.value), entry.node.key), reverse=forward)
        entries = entries[: asked.page.size + 1]
    total = 0
    if _wants(run, selected, "totalCount"):
        part = _kept(run, (selected.key, "total"), lambda: across.search_total(compiler, asked))
        counts = (await _answers(run, selected, part, tenants)).values()
        total = sum(int(_text(rows[0][0])) for rows in counts if rows)
    return await _connection(run, selected, source, entries, total)


async def _answers(run: Run, selected: Selected, part: Part, tenants: Sequence[TenantRef]) -> dict[UUID, list[Row]]:
    """What each site answers; one that cannot is left out, and told once as an error beside the answer."""
    answers: dict[UUID, list[Row]] = {}
    for tenant, rows in zip(tenants, (await each(run, part, tenants)).values(), strict=True):
        if not isinstance(rows, ReadError):
            answers[tenant.id] = rows
        elif all(tenant.slug != site for _, _, site in run.call.notes):
            run.call.notes.append((rows, selected.nodes[0], tenant.slug))
    return answers


async def _connection(run: Run, selected: Selected, source: Source, entries: list[Entry], total: int) -> bytes:
    operation = run.plan.compiler.operation
    type_ = object_type(selected.output)
    page = source.asked.page
    more = len(entries) > page.size
    entries = entries[: page.size]
    if page.backward:
        entries.reverse()
    trail = under((), selected.output)
    made: dict[str, Any] = {}
    for item in collect(operation, type_, selected.selection_sets):
        match item.name:
            case "__typename":
                made[item.key] = type_.name
            case "totalCount":
                made[item.key] = total
            case "pageInfo":
                made[item.key] = _page_info(run, item, source, entries, more=more)
            case _:
                made[item.key] = await _edges(run, item, source, entries, (selected.key, item.key), trail)
    return orjson.dumps(made)


async def _edges(
    run: Run, selected: Selected, source: Source, entries: Sequence[Entry], path: tuple[str, ...], trail: Trail
) -> list[dict[str, Any]]:
    type_ = object_type(selected.output)
    item_trail = under(under(trail, selected.output), None, selected.output)
    edges: list[dict[str, Any]] = [{} for _ in entries]
    for item in collect(run.plan.compiler.operation, type_, selected.selection_sets):
        if item.name == "__typename":
            values: list[Any] = [type_.name] * len(entries)
        elif item.name == "cursor":
            values = [_cursor(run, source, entry) for entry in entries]
        else:
            node_trail = under(item_trail, item.output)
            ids = [entry.node for entry in entries]
            found = await find_rows(run, item, ids, (*path, item.key), node_trail)
            values = [orjson.Fragment(found.get(node, NULL)) for node in ids]
        for edge, value in zip(edges, values, strict=True):
            edge[item.key] = value
    return edges


def _page_info(run: Run, selected: Selected, source: Source, entries: Sequence[Entry], *, more: bool) -> dict[str, Any]:
    type_ = object_type(selected.output)
    page = source.asked.page
    ahead, behind = more, (page.before if page.backward else page.after) is not None
    made: dict[str, Any] = {}
    for item in collect(run.plan.compiler.operation, type_, selected.selection_sets):
        match item.name:
            case "__typename":
                made[item.key] = type_.name
            case "hasNextPage":
                made[item.key] = behind if page.backward else ahead
            case "hasPreviousPage":
                made[item.key] = ahead if page.backward else behind
            case "startCursor":
                made[item.key] = _cursor(run, source, entries[0]) if entries else None
            case _:
                made[item.key] = _cursor(run, source, entries[-1]) if entries else None
    return made


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
