"""Root fields about one place: `viewer` and `sites` from the platform's tables, `site` from the site's own."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.execute.run import Row, Run, each
from gateway.execute.splice import NULL, fill, suspended
from schema.compiler.compile import SelectionSets
from schema.compiler.part import Part, Path
from schema.compiler.selection import Selected
from schema.compiler.slices import sliced
from schema.compiler.trail import Trail, levels, under
from tenants.errors import ReadError
from tenants.registry import TenantRef


async def platform_field(run: Run, selected: Selected) -> bytes:
    """`viewer`, `sites`: one statement on the platform, and one on each site that has to answer something itself."""
    part = run.plan.parts.get(selected.key)
    if part is None:
        part = await run.made(selected.key, lambda: run.plan.compiler.platform(selected))
    rows, slots = await run.rows_with_slots(part)
    return await fill(run, slots, rows[0][0] or NULL)


async def site_field(run: Run, selected: Selected) -> bytes:
    """`site`: by its slug, or the one that was asked by its host."""
    slug = run.plan.arguments(selected).get("slug")
    name = slug.read(run.call.variables) if slug is not None else None
    tenant = await _site_named(run, name)
    if tenant is None:
        return NULL
    trail = under((), selected.output)
    return await site_json(run, selected, tenant, selected.selection_sets, (selected.key,), trail)


async def _site_named(run: Run, slug: str | None) -> TenantRef | None:
    registry = run.registry
    if slug is not None:
        return await registry.by_slug(slug)
    if run.here is None:
        return None
    return await (registry.by_host(run.here) if "." in run.here else registry.by_slug(run.here))


async def site_json(
    run: Run, selected: Selected, tenant: TenantRef, selection_sets: SelectionSets, path: Path, trail: Trail
) -> bytes:
    """One site's JSON, read as that site; null if the viewer may not find it, an error if it cannot answer."""
    compiler = run.plan.compiler
    part = run.plan.parts.get(("site", path))
    if part is None:
        part = await run.made(("site", path), lambda: compiler.site(selection_sets, path, trail))
    try:
        rows = await run.rows(part, tenant)
        if rows and rows[0][0] != b"ACTIVE":
            rows = await run.rows(await sliced(lambda: _of_suspended(run, part, selection_sets, path)), tenant)
    except ReadError as error:
        return run.fail(error, levels(trail), selected.nodes[0])
    return (rows[0][1] or NULL) if rows else NULL


async def sites_json(
    run: Run, selected: Selected, tenants: Sequence[TenantRef], path: Path, trail: Trail
) -> dict[UUID, bytes]:
    """The JSON of several sites by id, asked together: null or an error for each by itself."""
    selection_sets, key = selected.selection_sets, ("site", path)
    part = run.plan.parts.get(key)
    if part is None:
        part = await run.made(key, lambda: run.plan.compiler.site(selection_sets, path, trail))
    answers = await each(run, part, tenants)
    closed = [tenant for tenant in tenants if _state(answers[tenant.id]) not in (None, b"ACTIVE")]
    if closed:
        answers |= await each(run, await sliced(lambda: _of_suspended(run, part, selection_sets, path)), closed)
    found: dict[UUID, bytes] = {}
    for tenant_id, rows in answers.items():
        if isinstance(rows, ReadError):
            found[tenant_id] = run.fail(rows, levels(trail), selected.nodes[0])
        else:
            found[tenant_id] = (rows[0][1] or NULL) if rows else NULL
    return found


def _state(rows: list[Row] | ReadError) -> bytes | None:
    return None if isinstance(rows, ReadError) or not rows else rows[0][0]


def _of_suspended(run: Run, part: Part, selection_sets: SelectionSets, path: Path) -> Part:
    """The part with everything that only an active site answers as an error; what the register tells stays."""
    paths = run.plan.compiler.site_fields(selection_sets, path)
    return part.reject({each: suspended() for each in paths}) if paths else part
