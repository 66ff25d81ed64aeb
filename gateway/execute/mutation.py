"""Mutations: a service and the payload it earns, in one transaction.

Promises: all of it happens or nothing; a request repeated with its idempotency key gets the first one's answer. The
payload is read as any query, as the viewer, under the site's role, and sees what was just written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import orjson
from graphql import GraphQLObjectType, get_named_type
from sqlalchemy import Table, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from strawberry.types.arguments import convert_argument

from auth.viewer import Viewer
from gateway.execute.nodes import NULL, rows_part
from gateway.execute.run import Read, Row, Run
from gateway.execute.sites import site_json
from schema.bind import Made, Mutates
from schema.compiler.selection import Selected, arguments, collect
from schema.compiler.trail import under
from schema.errors import ErrorCode, PleinError
from schema.relay import NodeId, decode_id, encode_id
from schema.root import strawberry_schema
from schema.work import Done, Work
from tenants.database import read_raw
from tenants.platform_tables import Request
from tenants.reader import Statement

REQUEST = cast("Table", Request.__table__)  # type: ignore[attr-defined]
REMEMBERED = timedelta(hours=24)
"""How long an idempotency key is remembered."""


async def mutation_field(run: Run, selected: Selected, mutates: Mutates) -> bytes:
    """One mutation: its transaction, begun and committed here."""
    input_ = _input(run, selected)
    async with run.square.database.transaction(None) as tx:
        work = Work(tx, run.square.registry)
        done = await _once(run, selected, mutates, work, input_)
        if work.tenant != done.tenant:
            await work.enter(done.tenant)
        return await _payload(run, selected, done, tx)


def _input(run: Run, selected: Selected) -> Any:
    """The input as its strawberry class."""
    assert selected.definition is not None
    given = arguments(run.plan.compiler.operation, selected)["input"].read(run.call.variables)
    field = selected.definition.extensions["strawberry-definition"]
    (argument,) = field.arguments
    schema = strawberry_schema()
    return convert_argument(given, argument.type, schema.schema_converter.scalar_registry, schema.config)


async def _once(run: Run, selected: Selected, mutates: Mutates, work: Work, input_: Any) -> Done:
    """What the service did, now or when the same request came first."""
    key = getattr(input_, "idempotency_key", None)
    if not key or run.viewer.account_id is None:
        return cast("Done", await mutates.service(work, run.viewer, input_))
    given = arguments(run.plan.compiler.operation, selected)["input"].read(run.call.variables)
    asked = orjson.dumps([selected.name, given], default=str, option=orjson.OPT_SORT_KEYS)
    fingerprint = sha256(asked).hexdigest()
    earlier = await _claim(work.tx, run.viewer, key, fingerprint)
    if earlier is not None:
        return await _again(work, earlier, mutates)
    done = cast("Done", await mutates.service(work, run.viewer, input_))
    node = done.values[mutates.returns]
    assert isinstance(node, NodeId)
    await work.leave()
    result = f"{encode_id(node)}@{done.tenant.id}"
    mine = (REQUEST.c.account_id == run.viewer.account_id, REQUEST.c.key == key)
    await work.tx.execute(update(REQUEST).where(*mine).values(result=result))
    return done


async def _claim(tx: AsyncConnection, viewer: Viewer, key: str, fingerprint: str) -> str | None:
    """Takes the key for this request, or gives what the earlier one with it returned.

    Two requests at once wait for each other at the row's primary key.
    """
    if len(key) > 200 or "\0" in key:
        raise PleinError(ErrorCode.BAD_USER_INPUT, "A key has 1 to 200 characters.", field="input.idempotencyKey")
    now = datetime.now(UTC)
    own = REQUEST.c.account_id == viewer.account_id
    await tx.execute(delete(REQUEST).where(own, REQUEST.c.created_at < now - REMEMBERED))
    row = {"account_id": viewer.account_id, "key": key, "fingerprint": fingerprint, "result": None, "created_at": now}
    taken = await tx.execute(insert(REQUEST).values(row).on_conflict_do_nothing().returning(REQUEST.c.key))
    if taken.first() is not None:
        return None
    found = (await tx.execute(select(REQUEST.c.fingerprint, REQUEST.c.result).where(own, REQUEST.c.key == key))).one()
    if found.fingerprint != fingerprint:
        message = "This key was used for another request; take a new one."
        raise PleinError(ErrorCode.CONFLICT, message, field="input.idempotencyKey")
    return cast("str", found.result)


async def _again(work: Work, result: str, mutates: Mutates) -> Done:
    text, _, site = result.partition("@")
    node = decode_id(text)
    tenant = await work.registry.by_id(UUID(site))
    if node is None or tenant is None:
        raise PleinError(ErrorCode.CONFLICT, "What this request made is no longer there.", field="input.idempotencyKey")
    return Done(tenant, {mutates.returns: node})


async def _payload(run: Run, selected: Selected, done: Done, tx: AsyncConnection) -> bytes:
    assert selected.definition is not None
    type_ = get_named_type(selected.definition.type)
    assert isinstance(type_, GraphQLObjectType)
    inside = Run(run.square, run.plan, run.call, run.viewer, run.here, _reading(tx))
    trail = under((), selected.definition.type)
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
        item_trail = under(trail, item.definition.type)
        if value.tag == "S":
            json = await site_json(inside, item, done.tenant, item.selection_sets, path, item_trail)
        else:
            run.call.wanted[value.tag, done.tenant.id] = [value.key]
            rows = await inside.rows(rows_part(inside, item, (value.tag,), path, item_trail), done.tenant)
            json = (rows[0][2] or NULL) if rows else NULL
        made[item.key] = orjson.Fragment(json)
    return orjson.dumps(made)


def _reading(tx: AsyncConnection) -> Read:
    async def read(statement: Statement, params: Sequence[bytes | None]) -> list[Row]:
        return await read_raw(tx, statement.text, params)

    return read
