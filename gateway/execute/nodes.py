"""Root fields by global id: `node` and `nodes`, one statement for each site that the ids name.

Promises: an id that is foreign, forged or unknown gives null, all alike, at about the same cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from uuid import UUID

from gateway.execute.run import Row, Run, each
from gateway.execute.sites import sites_json
from gateway.execute.splice import NULL, fill
from schema.bind import Place
from schema.compiler.part import Getter, Part, Path, wanted
from schema.compiler.selection import Selected
from schema.compiler.trail import Trail, levels, under
from schema.errors import bad_input
from schema.relay import PLATFORM_ID, NodeId, decode_id, split_id
from tenants.errors import ReadError
from tenants.registry import TenantRef

NODES_MOST = 100
SITE = "S"
BETWEEN = b"\0"


async def node_field(run: Run, selected: Selected) -> bytes:
    """`node`: the JSON of the one, or null."""
    id_ = run.plan.arguments(selected)["id"]
    parts = split_id(id_.read(run.call.variables))
    if parts is None:
        return NULL
    tag, tenant_id, key = parts
    catalogue = run.plan.compiler.catalogue
    if tag == SITE or tag in catalogue.on_platform or tag not in catalogue.tags:
        node = NodeId(tag, tenant_id, UUID(hex=key))
        return (await find(run, selected, (node,), under((), selected.output))).get(node, NULL)
    # One row on one site is what is asked most often, so it goes without the tables that many ids need.
    registry = run.registry
    tenant = registry.remembered(tenant_id) or await registry.by_id(tenant_id)
    if tenant is None:
        return NULL
    tags, path = (tag,), (selected.key,)
    run.call.wanted[(path, tag), tenant.id] = (key,)
    part = run.plan.parts.get(("rows", path, tags))
    if part is None:
        part = await rows_part(run, selected, tags, path, under((), selected.output))
    rows = await run.rows(part, tenant)
    return (rows[0][2] or NULL) if rows else NULL


async def nodes_field(run: Run, selected: Selected) -> bytes:
    """`nodes`: the JSON of each, or null, in the order of the ids."""
    type_ = selected.output
    texts = run.plan.arguments(selected)["ids"].read(run.call.variables)
    if len(texts) > NODES_MOST:
        error = bad_input("ids", f"At most {NODES_MOST} ids at once.")
        return run.fail(error, levels(under((), type_)), selected.nodes[0])
    ids = [decode_id(text) for text in texts]
    trail = under(under((), type_), None, type_)
    found = await find(run, selected, dict.fromkeys(node for node in ids if node is not None), trail)
    return b"[" + b",".join(NULL if node is None else found.get(node, NULL) for node in ids) + b"]"


async def find(run: Run, selected: Selected, ids: Iterable[NodeId], trail: Trail) -> dict[NodeId, bytes]:
    """The JSON of every row with one of these ids that the viewer may see, by id."""
    by_place: dict[UUID, list[NodeId]] = {}
    sites: list[NodeId] = []
    for node in ids:
        if node.tag == SITE:
            sites.append(node)
        elif node.tag in run.plan.compiler.catalogue.tags:
            by_place.setdefault(node.tenant_id, []).append(node)
    found: dict[NodeId, bytes] = {}
    path = (selected.key,)
    on_platform = run.plan.compiler.catalogue.on_platform
    there = [node for node in by_place.pop(PLATFORM_ID, []) if node.tag in on_platform]
    if there:
        found |= await _on_platform(run, selected, there, path, trail)
    tenants = await run.registry.many([*by_place, *(node.key for node in sites)])
    there = [node for node in sites if node.tenant_id == PLATFORM_ID and node.key in tenants]
    if there:
        answers = await sites_json(run, selected, [tenants[node.key] for node in there], path, trail)
        found |= {node: answers[node.key] for node in there}
    return found | await _on_sites(run, selected, by_place, tenants, path, trail)


async def find_rows(
    run: Run, selected: Selected, ids: Iterable[NodeId], path: Path, trail: Trail
) -> dict[NodeId, bytes]:
    """The JSON of rows on sites, for a field that hangs somewhere below the root."""
    by_site: dict[UUID, list[NodeId]] = {}
    for node in ids:
        by_site.setdefault(node.tenant_id, []).append(node)
    return await _on_sites(run, selected, by_site, await run.registry.many(by_site), path, trail)


async def _on_platform(
    run: Run, selected: Selected, ids: list[NodeId], path: Path, trail: Trail
) -> dict[NodeId, bytes]:
    tags = tuple(sorted({node.tag for node in ids}))
    for tag in tags:
        run.call.wanted[(path, tag), PLATFORM_ID] = [node.key for node in ids if node.tag == tag]
    part = await rows_part(run, selected, tags, path, trail, Place.PLATFORM)
    return _by_id(await platform_rows(run, part), PLATFORM_ID)


async def platform_rows(run: Run, part: Part) -> list[Row]:
    """The rows of a part on the platform, with what each site answers itself."""
    rows, slots = await run.rows_with_slots(part)
    if not slots or not rows:
        return rows
    # All at once, as one statement answers for all of them; no JSON holds the character between.
    filled = (await fill(run, slots, BETWEEN.join(row[-1] or NULL for row in rows))).split(BETWEEN)
    return [(*row[:-1], json) for row, json in zip(rows, filled, strict=True)]


async def _on_sites(
    run: Run,
    selected: Selected,
    by_site: Mapping[UUID, list[NodeId]],
    tenants: Mapping[UUID, TenantRef],
    path: Path,
    trail: Trail,
) -> dict[NodeId, bytes]:
    """Sites whose ids are of the same types share one part, and are asked together."""
    on_platform = run.plan.compiler.catalogue.on_platform
    alike: dict[tuple[str, ...], list[TenantRef]] = {}
    for tenant_id, nodes in by_site.items():
        tags = tuple(sorted({node.tag for node in nodes} - on_platform))
        if tenant_id in tenants and tags:
            alike.setdefault(tags, []).append(tenants[tenant_id])
    found: dict[NodeId, bytes] = {}
    for tags, sites in alike.items():
        for tag, site in product(tags, sites):
            run.call.wanted[(path, tag), site.id] = [node.key for node in by_site[site.id] if node.tag == tag]
        answers = await _ask(run, await rows_part(run, selected, tags, path, trail), sites)
        for tenant_id, rows in answers.items():
            if isinstance(rows, ReadError):
                mark = run.fail(rows, levels(trail), selected.nodes[0])
                found[by_site[tenant_id][0]] = mark
            else:
                found |= _by_id(rows, tenant_id)
    return found


async def _ask(run: Run, part: Part, sites: list[TenantRef]) -> Mapping[UUID, list[Row] | ReadError]:
    if len(sites) > 1:
        return await each(run, part, sites)
    try:
        return {sites[0].id: await run.rows(part, sites[0])}
    except ReadError as error:
        return {sites[0].id: error}


async def rows_part(
    run: Run, selected: Selected, tags: tuple[str, ...], path: Path, trail: Trail, place: Place = Place.SITE
) -> Part:
    """The part that reads rows of these types by key, for the selection under a field."""
    key = ("rows", path, tags)
    part = run.plan.parts.get(key)
    if part is None:
        compiler = run.plan.compiler

        def keys(tag: str) -> Getter:  # by the path too: another root field may ask the same site meanwhile
            return wanted((path, tag))

        part = await run.made(key, lambda: compiler.rows(tags, selected.selection_sets, trail, path, keys, place))
    return part


def _by_id(rows: list[Row], tenant_id: UUID) -> dict[NodeId, bytes]:
    return {
        NodeId((tag or b"").decode(), tenant_id, UUID((key or b"").decode())): json or NULL for tag, key, json in rows
    }
