"""Root fields for gateways that compose several services: `_entities` and `_service`.

Promises: one statement for each type and key on each site that the representations name, under its role and with the
type's policy, whatever their number; what is forged, foreign, unknown or not for the viewer gives null, all alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

import orjson
from graphql import GraphQLSchema

from gateway.execute.introspection import require_introspection
from gateway.execute.nodes import platform_rows
from gateway.execute.run import Row, Run, each
from gateway.execute.sites import sites_json
from gateway.execute.splice import NULL
from gateway.limits import limit_exceeded
from schema.bind import Place
from schema.catalogue import catalogue_of
from schema.compiler.connection import object_type
from schema.compiler.entities import entities
from schema.compiler.keys import SITE, Key, Reference, keys_of, reference
from schema.compiler.part import Part
from schema.compiler.selection import Selected, collect
from schema.compiler.trail import Trail, levels, under
from schema.errors import PleinError
from schema.relay import PLATFORM_ID
from schema.sdl import federation_sdl
from tenants.errors import ReadError
from tenants.registry import TenantRef

REPRESENTATIONS = "representations"


@cache
def known_keys(schema: GraphQLSchema) -> Mapping[str, tuple[Key, ...]]:
    """The keys of the entities of a schema, found out once."""
    return keys_of(catalogue_of(schema))


@dataclass(frozen=True)
class Asked:
    """What is asked for by one key: the references, and where each stands in the answer, by site (None: platform)."""

    key: Key
    by_site: dict[TenantRef | None, list[tuple[int, Reference]]] = field(default_factory=dict)


async def service_field(run: Run, selected: Selected) -> bytes:
    """`_service`: the schema as text, for whom introspection is."""
    type_ = object_type(selected.output)
    made: dict[str, str] = {}
    for item in collect(run.plan.compiler.operation, type_, selected.selection_sets):
        if item.name == "__typename":
            made[item.key] = type_.name
        else:
            require_introspection(run.square.settings.introspection, run.viewer)
            made[item.key] = federation_sdl(run.square.schema)
    return orjson.dumps(made)


async def entities_field(run: Run, selected: Selected) -> bytes:
    """`_entities`: the JSON of each, null, or the mark of its error, in the order of the representations."""
    type_ = selected.output
    given = run.plan.arguments(selected)[REPRESENTATIONS].read(run.call.variables)
    most = run.square.settings.limits.representations
    if len(given) > most:
        raise limit_exceeded(REPRESENTATIONS, most, asked=len(given))
    trail = under(under((), type_), None, type_)
    answers = [NULL] * len(given)
    references: list[tuple[int, Reference]] = []
    for number, representation in enumerate(given):
        try:
            found = reference(known_keys(run.square.schema), representation, f"{REPRESENTATIONS}[{number}]")
        except PleinError as error:
            answers[number] = run.mark(error, levels(trail), selected.nodes[0])
        else:
            references += [] if found is None else [(number, found)]
    asked = await _placed(run, references)
    results = await asyncio.gather(*(_one_kind(run, selected, one, trail) for one in asked))
    for number, json in (pair for result in results for pair in result.items()):
        answers[number] = json
    return b"[" + b",".join(answers) + b"]"


async def _placed(run: Run, references: list[tuple[int, Reference]]) -> list[Asked]:
    """The references by key and by site; those that name no site there is are left out."""
    sites = {found.site for _, found in references if found.key.place is Place.SITE}
    by_id = await run.registry.many(one for one in sites if isinstance(one, UUID))
    by_slug = await run.registry.many_by_slug(one for one in sites if isinstance(one, str))
    asked: dict[Key, Asked] = {}
    for number, found in references:
        tenant = by_id.get(found.site) if isinstance(found.site, UUID) else by_slug.get(found.site)
        if tenant is not None or found.key.place is Place.PLATFORM:
            kind = asked.setdefault(found.key, Asked(found.key))
            kind.by_site.setdefault(tenant, []).append((number, found))
    return list(asked.values())


async def _one_kind(run: Run, selected: Selected, asked: Asked, trail: Trail) -> dict[int, bytes]:
    """The JSON of everything that one key asks for, by its place in the answer; what is not there is left out."""
    if asked.key.type_name == SITE:
        return await _sites(run, selected, asked, trail)
    what = (selected.key, asked.key)
    part = run.plan.parts.get(what)
    if part is None:
        compiler, path = run.plan.compiler, (selected.key,)
        try:
            part = await run.made(
                what, lambda: entities(compiler, asked.key, selected.selection_sets, trail, path, what)
            )
        except PleinError as error:  # the credential is not for this type; it may be for the others
            number = min(number for references in asked.by_site.values() for number, _ in references)
            return {number: run.fail(error, levels(trail), selected.nodes[0])}
    for tenant, references in asked.by_site.items():
        place = _place(tenant)
        run.call.references[what, place] = [found.values for _, found in references]
    found: dict[int, bytes] = {}
    for tenant, rows in (await _read(run, part, asked)).items():
        numbers = [number for number, _ in asked.by_site[tenant]]
        if isinstance(rows, ReadError):
            found[numbers[0]] = run.fail(rows, levels(trail), selected.nodes[0])
            continue
        for ordinal, json in rows:
            found[numbers[int(ordinal or 0) - 1]] = json or NULL
    return found


async def _sites(run: Run, selected: Selected, asked: Asked, trail: Trail) -> dict[int, bytes]:
    """Sites themselves: each is read as that site, once, however often it is referred to."""
    tenants = [tenant for tenant in asked.by_site if tenant is not None]
    answers = await sites_json(run, selected, tenants, (selected.key,), trail)
    return {number: answers[tenant.id] for tenant in tenants for number, _ in asked.by_site[tenant]}


async def _read(run: Run, part: Part, asked: Asked) -> Mapping[TenantRef | None, list[Row] | ReadError]:
    """The rows of each site, asked together; what fails at one site is its answer."""
    tenants = list(asked.by_site)
    if len(tenants) > 1:
        answers = await each(run, part, [tenant for tenant in tenants if tenant is not None])
        return {tenant: answers[_place(tenant)] for tenant in tenants}
    try:
        if tenants[0] is None:
            return {None: await platform_rows(run, part)}
        return {tenants[0]: await run.rows(part, tenants[0])}
    except ReadError as error:
        return {tenants[0]: error}


def _place(tenant: TenantRef | None) -> UUID:
    return PLATFORM_ID if tenant is None else tenant.id
