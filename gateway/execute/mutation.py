"""Mutations: a service and the payload it earns, in one transaction.

Promises: all of it happens or nothing; a request repeated with its idempotency key gets the first one's answer. The
payload is read as any query, as the viewer, under the site's role, and sees what was just written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import orjson
from graphql import GraphQLObjectType, get_named_type

from gateway.execute.nodes import platform_rows, rows_part
from gateway.execute.run import Read, Row, Run
from gateway.execute.sites import site_json
from gateway.execute.splice import NULL
from schema.bind import Made, Mutates, Place
from schema.compiler.selection import Selected, collect
from schema.compiler.trail import under
from schema.convert import input_object
from schema.errors import ErrorCode, PleinError, bad_input
from schema.relay import PLATFORM_ID, NodeId, decode_id, encode_id
from schema.work import Done, Surroundings, Work
from tenants.database import Transaction, become_reader, read_raw
from tenants.reader import Statement
from tenants.registry import TenantRef
from tenants.requests import Earlier, claim, finish

KEY_FIELD = "input.idempotencyKey"
KEY_LENGTH = 200


async def mutation_field(run: Run, selected: Selected, mutates: Mutates) -> bytes:
    """One mutation: its transaction, begun and committed here."""
    async with run.square.database.transaction(None) as tx:
        settings = run.square.settings
        work = Work(
            tx,
            run.registry,
            client=run.client,
            keys=settings.access.keys,
            assurance=run.viewer.assurance,
            about=Surroundings(
                settings.base_url, run.square.directory, settings.local.passwords, run.square.provider.settings
            ),
        )
        done = await _once(run, selected, mutates, work)
        if done.tenant is not None and not run.viewer.reaches(done.tenant.id):
            raise PleinError(ErrorCode.FORBIDDEN, "Your key or token is for some sites only, and not for this.")
        await _read_as(work, done.tenant)
        payload = await _payload(run, selected, done, tx)
    if work.is_heard:
        run.square.live.announce(run.square)
    if work.has_revoked:
        await run.square.catch_up()
    return payload


async def _read_as(work: Work, tenant: TenantRef | None) -> None:
    """From here on the transaction reads as any query does: as the site's role, or as the platform's reader."""
    if tenant is None:
        await work.leave()
        await become_reader(work.tx, work.registry.platform_role)
    elif work.tenant != tenant:
        await work.enter(tenant)


async def _once(run: Run, selected: Selected, mutates: Mutates, work: Work) -> Done:
    """What the service did, now or when the same request came first."""
    assert selected.definition is not None
    given = run.plan.arguments(selected)["input"].read(run.call.variables)
    input_ = input_object(selected.definition, given)
    account_id, key = run.viewer.account_id, getattr(input_, "idempotency_key", None)
    if not isinstance(key, str) or account_id is None:
        return cast("Done", await mutates.service(work, run.viewer, input_))
    if not 1 <= len(key) <= KEY_LENGTH:
        raise bad_input(KEY_FIELD, f"A key has 1 to {KEY_LENGTH} characters.")
    asked = orjson.dumps([selected.name, given], default=str, option=orjson.OPT_SORT_KEYS)
    fingerprint = sha256(asked).hexdigest()
    earlier = await claim(work.tx, account_id, key, fingerprint)
    if earlier is not None:
        return await _again(work, earlier, fingerprint, mutates)
    done = cast("Done", await mutates.service(work, run.viewer, input_))
    node = done.values[mutates.returns]
    assert isinstance(node, NodeId)
    await work.leave()
    await finish(work.tx, account_id, key, f"{encode_id(node)}@{'' if done.tenant is None else done.tenant.id}")
    return done


async def _again(work: Work, earlier: Earlier, fingerprint: str, mutates: Mutates) -> Done:
    if earlier.fingerprint != fingerprint:
        raise PleinError(ErrorCode.CONFLICT, "This key was used for another request; take a new one.", field=KEY_FIELD)
    text, _, site = earlier.result.partition("@")
    node, tenant = decode_id(text), await work.registry.by_id(UUID(site)) if site else None
    if node is None or (tenant is None and site):
        raise PleinError(ErrorCode.CONFLICT, "What this request made is no longer there.", field=KEY_FIELD)
    return Done(tenant, {mutates.returns: node})


async def _payload(run: Run, selected: Selected, done: Done, tx: Transaction) -> bytes:
    type_ = get_named_type(selected.output)
    assert isinstance(type_, GraphQLObjectType)
    inside = replace(run, read=_reading(tx))
    trail = under((), selected.output)
    made: dict[str, Any] = {}
    for item in collect(run.plan.compiler.operation, type_, selected.selection_sets):
        if item.definition is None:
            made[item.key] = type_.name
            continue
        binding = run.plan.compiler.catalogue.bindings[type_.name, item.name]
        assert isinstance(binding, Made)
        value = done.values.get(binding.name)
        if not isinstance(value, NodeId):
            made[item.key] = value
            continue
        path = (selected.key, item.key)
        item_trail = under(trail, item.output)
        if done.tenant is not None and value.tag == "S":
            json = await site_json(inside, item, done.tenant, item.selection_sets, path, item_trail)
        else:
            place, tenant_id = (Place.PLATFORM, PLATFORM_ID) if done.tenant is None else (Place.SITE, done.tenant.id)
            run.call.wanted[(path, value.tag), tenant_id] = [value.key]
            part = await rows_part(inside, item, (value.tag,), path, item_trail, place)
            rows = await (platform_rows(inside, part) if done.tenant is None else inside.rows(part, done.tenant))
            json = (rows[0][2] or NULL) if rows else NULL
        made[item.key] = orjson.Fragment(json)
    return orjson.dumps(made)


def _reading(tx: Transaction) -> Read:
    async def read(statement: Statement, params: Sequence[bytes | None]) -> list[Row]:
        return await read_raw(tx, statement.text, params, (statement.operation, statement.site))

    return read
