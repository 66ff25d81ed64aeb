"""Root fields whose answer has gaps: lists of sites, lists over many sites, and things by id in a streamed list.

What comes from one statement is there at once; what each site answers is a read of its own, which the answer is marked
with. Promises: the same statements as without parts, and the same answers: one for each site, whatever waits for it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import orjson

from gateway.execute import across, nodes
from gateway.execute.incremental.sources import Sources, Values
from gateway.execute.run import Run
from gateway.execute.splice import NULL, columns
from schema.bind import Connected, Root, Rooted
from schema.compiler.connection import object_type
from schema.compiler.part import Path, Slots
from schema.compiler.selection import Selected, collect
from schema.compiler.sql import ASIDE
from schema.compiler.stages import Stages
from schema.compiler.trail import Trail, levels, under
from schema.errors import bad_input
from schema.relay import NodeId, decode_id
from tenants.errors import ReadError
from tenants.registry import TenantRef


@dataclass(slots=True)
class StagedRun(Run):
    """One operation whose answer comes in parts: what may be late, and what is still to be read."""

    stages: Stages = field(kw_only=True)
    sources: Sources = field(kw_only=True)


Field = Callable[[StagedRun, Selected], Awaitable[Any]]


def staged_field(run: StagedRun, selected: Selected) -> Field | None:
    """How a root field is answered with gaps; None for one that has none."""
    binding = run.plan.compiler.catalogue.bindings.get((selected.parent.name, selected.name))
    if isinstance(binding, Connected):
        return _platform
    if not isinstance(binding, Rooted):
        return None
    if binding.root is Root.NODES and (selected.key,) not in run.stages.streams:
        return None
    return FIELDS.get(binding.root)


async def _platform(run: StagedRun, selected: Selected) -> Any:
    """`viewer`, `sites`: what the platform knows, marked with what each site answers itself."""
    part = run.plan.parts.get(selected.key)
    if part is None:
        part = await run.made(selected.key, lambda: run.plan.compiler.platform(selected))
    rows, slots = await run.rows_with_slots(part)
    json = rows[0][0] or NULL
    if not slots:
        return orjson.loads(json)
    marks = re.compile(rb'"%b:S:(\d+):(\d+):([0-9a-f-]+)"' % run.call.nonce.encode())
    sites = {UUID(site.decode()) for _, _, site in marks.findall(json)}
    tenants = await run.registry.many(sites)

    def marked(match: re.Match[bytes]) -> bytes:
        number, site = int(match[1]), UUID(match[3].decode())
        read = partial(_site, run, slots[number], tenants.get(site))
        source = run.sources.add(read, is_on_site=True, name=(selected.key, number, site))
        return b'"%b"' % run.sources.mark(source, int(match[2])).encode()

    return orjson.loads(marks.sub(marked, json))


async def _site(run: StagedRun, slots: Slots, tenant: TenantRef | None) -> Values:
    """What one site puts into its fields."""
    if tenant is None:
        return [*columns(run, slots, None)]
    try:
        return [*columns(run, slots, await run.rows(slots.part, tenant))]
    except ReadError as error:
        return [*columns(run, slots, error)]


async def _across(listing_of: Reads, run: StagedRun, selected: Selected) -> Any:
    """`feed`, `search`: which things are on the page and how many there are, each a read of its own."""
    listing = await listing_of(run, selected)
    trail = under((), selected.output)
    fields = collect(run.plan.compiler.operation, object_type(selected.output), selected.selection_sets)
    of_page = [item for item in fields if item.name in ("edges", "pageInfo")]
    of_total = [item for item in fields if item.name == "totalCount"]
    page = run.sources.add(_told(run, of_page, trail, partial(_page, run, selected, listing, of_page)))
    total = run.sources.add(_told(run, of_total, trail, partial(_total, listing, of_total)))
    made: dict[str, Any] = {}
    for item in fields:
        if item.name == "__typename":
            made[item.key] = item.parent.name
        elif item.name == "totalCount":
            made[item.key] = run.sources.mark(total, of_total.index(item))
        else:
            made[item.key] = run.sources.mark(page, of_page.index(item))
    return with_asides(run, (selected.key,), made)


def _told(
    run: StagedRun, fields: Sequence[Selected], trail: Trail, read: Callable[[], Awaitable[Values]]
) -> Callable[[], Awaitable[Values]]:
    """A read of some fields' values that gives the marks of the error if it fails at these alone."""

    async def told() -> Values:
        try:
            return await read()
        except ReadError as error:
            return [run.fail(error, levels(under(trail, item.output)), item.nodes[0]) for item in fields]

    return told


async def _total(listing: across.Listing, fields: Sequence[Selected]) -> Values:
    return [await listing.total()] * len(fields)


async def _page(run: StagedRun, selected: Selected, listing: across.Listing, fields: Sequence[Selected]) -> Values:
    """The values of the fields that tell of the page."""
    page = across.cut(listing.source, await listing.entries())
    trail = under((), selected.output)
    values: Values = []
    for item in fields:
        path = (selected.key, item.key)
        if item.name == "pageInfo":
            values.append(with_asides(run, path, across.page_info(run, item, page)))
        else:
            values.append(await _edges(run, item, page, path, trail))
    return values


async def _edges(run: StagedRun, selected: Selected, page: across.Cut, path: Path, trail: Trail) -> list[Any]:
    type_ = object_type(selected.output)
    item_trail = under(under(trail, selected.output), None, selected.output)
    ids = [entry.node for entry in page.entries]
    edges: list[dict[str, Any]] = [{} for _ in ids]
    for item in collect(run.plan.compiler.operation, type_, selected.selection_sets):
        if item.name == "__typename":
            values: list[Any] = [type_.name] * len(ids)
        elif item.name == "cursor":
            values = across.cursors(run, page)
        else:
            marks = await _rows(run, item, ids, (*path, item.key), under(item_trail, item.output))
            values = [marks.get(node) for node in ids]
        for edge, value in zip(edges, values, strict=True):
            edge[item.key] = value
    return [with_asides(run, path, edge) for edge in edges]


async def _rows(
    run: StagedRun, selected: Selected, ids: Sequence[NodeId], path: Path, trail: Trail
) -> dict[NodeId, str]:
    """The mark of each of these rows: one read for each site."""
    by_site: dict[UUID, list[NodeId]] = {}
    for node in dict.fromkeys(ids):
        by_site.setdefault(node.tenant_id, []).append(node)
    await run.registry.many(by_site)  # all at once; each read finds its own remembered
    return _marks(run, by_site.values(), lambda found: nodes.find_rows(run, selected, found, path, trail))


def _marks(
    run: StagedRun,
    groups: Iterable[Sequence[NodeId]],
    find: Callable[[Sequence[NodeId]], Awaitable[Mapping[NodeId, bytes]]],
) -> dict[NodeId, str]:
    """The mark of each of these things: one read for each group."""

    async def read(ids: Sequence[NodeId]) -> Values:
        found = await find(ids)
        return [found.get(node, NULL) for node in ids]

    marks: dict[NodeId, str] = {}
    for ids in groups:
        source = run.sources.add(partial(read, ids), is_on_site=True)
        marks |= {node: run.sources.mark(source, column) for column, node in enumerate(ids)}
    return marks


async def _nodes(run: StagedRun, selected: Selected) -> Any:
    """`nodes`, streamed: one read for the accounts, and one for each site and for the rows on each."""
    type_ = selected.output
    texts = run.plan.arguments(selected)["ids"].read(run.call.variables)
    if len(texts) > nodes.NODES_MOST:
        raise bad_input("ids", f"At most {nodes.NODES_MOST} ids at once.")
    ids = [decode_id(text) for text in texts]
    groups: dict[object, list[NodeId]] = {}
    for node in dict.fromkeys(ids):
        if node is not None:
            groups.setdefault(node if node.tag == nodes.SITE else node.tenant_id, []).append(node)
    await run.registry.many(node.key if node.tag == nodes.SITE else node.tenant_id for (node, *_) in groups.values())
    trail = under(under((), type_), None, type_)
    marks = _marks(run, groups.values(), lambda found: nodes.find(run, selected, found, trail))
    return [None if node is None else marks[node] for node in ids]


def with_asides(run: StagedRun, path: Path, fields: dict[str, Any]) -> dict[str, Any]:
    """The object at this path, with what is late put aside, as the compiler does it in SQL."""
    late = run.stages.late.get(path)
    if late is None:
        return fields
    made = {key: value for key, value in fields.items() if key not in late}
    for number in dict.fromkeys(late.values()):
        made[f"{ASIDE}{number}"] = {key: value for key, value in fields.items() if late.get(key) == number}
    return made


Reads = Callable[[Run, Selected], Awaitable[across.Listing]]

FIELDS: Mapping[Root, Field] = {
    Root.VIEWER: _platform,
    Root.FEED: partial(_across, across.feed_listing),
    Root.SEARCH: partial(_across, across.search_listing),
    Root.NODES: _nodes,
}
