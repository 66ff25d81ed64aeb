"""Which sites there are: from a slug, a host or an id to the schema and the role.

Promises: what is remembered never changes for an id (schema, role), is checked again by every compiled statement
(slug, state, access), so a stale entry can only lead to nothing found, or is forgotten in every process when it changes
(what a site demands of a sign-in); memory is bounded; unknown names are asked for again each time. Never says who may
see a site.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from tenants import platform_tables
from tenants.errors import NotMigrated, StatementFailed
from tenants.reader import Reader, Statement
from tenants.tables import table_of

TENANT = table_of(platform_tables.Tenant)
HOST = table_of(platform_tables.Host)
SQUARE = table_of(platform_tables.Square)
REF = (TENANT.c.id, TENANT.c.slug, TENANT.c.schema_name, TENANT.c.role_name)
DEMAND = (TENANT.c.second_factor, func.to_json(TENANT.c.issuers).label("issuers"))
NO_ROLE = "none"  # what SET ROLE takes, quoted or not, for whoever connected; no role can have this name
NOT_THERE = ("42P01", "3F000")  # undefined_table, invalid_schema_name
SLUG = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")  # as platform.tenant has it
REMEMBERED_MAX = 20_000  # of ids, of slugs and of hosts each: some 5 MB when full


@dataclass(frozen=True, slots=True)
class Demand:
    """How people must have signed in for a site to know them: with a second factor, with one of these issuers."""

    second_factor: bool
    issuers: frozenset[str]


@dataclass(frozen=True, slots=True)
class TenantRef:
    """A site, as far as one must know it to run a statement there; `demand` is None where it demands nothing."""

    id: UUID
    slug: str
    schema_name: str
    role_name: str
    demand: Demand | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TenantOverview:
    """A site in a list for whoever runs the square."""

    ref: TenantRef
    name: str
    state: str
    schema_version: int
    created_at: datetime


class Registry:
    """The register, read through the pipelined reader as `platform_role` and remembered."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._platform_role: str | None = None
        self._by_id: OrderedDict[int, TenantRef] = OrderedDict()  # a number is compared without asking Python
        self._by_slug: OrderedDict[str, UUID] = OrderedDict()
        self._by_host: OrderedDict[str, UUID] = OrderedDict()
        self._narrowed: OrderedDict[frozenset[UUID], NarrowedRegistry] = OrderedDict()
        self._forgotten = 0

    async def open(self) -> None:
        """Learn the platform's role. Raises a `ReadError`, or `NotMigrated` where there is no square yet."""
        try:
            rows = await self._reader.fetch(Statement(find_platform_role(), NO_ROLE), ())
        except StatementFailed as error:
            if error.sqlstate in NOT_THERE:
                raise NotMigrated(error.message) from error
            raise
        if not rows or not rows[0][0]:
            raise NotMigrated("platform.square is empty")
        self._platform_role = rows[0][0].decode()

    @property
    def platform_role(self) -> str:
        """The role under which the platform's tables are read; known once the registry is open."""
        if self._platform_role is None:
            raise NotMigrated("the registry is not open")
        return self._platform_role

    def narrowed(self, tenant_ids: frozenset[UUID]) -> Registry:
        """The register as far as it is about these sites."""
        narrowed = self._narrowed.get(tenant_ids)
        if narrowed is None:
            narrowed = NarrowedRegistry(self, tenant_ids)
            keep(self._narrowed, tenant_ids, narrowed)
        return narrowed

    def remembered(self, tenant_id: UUID) -> TenantRef | None:
        """The site with this id if it is remembered, without waiting for anything."""
        return self._by_id.get(tenant_id.int)

    async def by_id(self, tenant_id: UUID) -> TenantRef | None:
        """The site with this id, or None."""
        return self._by_id.get(tenant_id.int) or (await self.many((tenant_id,))).get(tenant_id)

    async def by_slug(self, slug: str) -> TenantRef | None:
        """The site with this slug, or None."""
        return await self._by_name(self._by_slug, slug, find_by_slug())

    async def by_host(self, host: str) -> TenantRef | None:
        """The site that answers under this host name (in any case, without a port), or None."""
        return await self._by_name(self._by_host, host.lower(), find_by_host())

    async def many(self, tenant_ids: Iterable[UUID]) -> dict[UUID, TenantRef]:
        """Those of these sites that exist, by id, in the order asked for; at most one read."""
        asked = list(dict.fromkeys(tenant_ids))
        found = {each: ref for each in asked if (ref := self._by_id.get(each.int)) is not None}
        missing = [each for each in asked if each not in found]
        if missing:
            array = "{" + ",".join(str(each) for each in missing) + "}"
            since = self._forgotten
            rows = await self._reader.fetch(Statement(find_by_ids(), self.platform_role), (array.encode(),))
            found |= {ref.id: ref for ref in (self._remember(row, since) for row in rows)}
        return {each: found[each] for each in asked if each in found}

    async def many_by_slug(self, slugs: Iterable[str]) -> dict[str, TenantRef]:
        """Those of these sites that exist, by slug; at most one read."""
        asked = list(dict.fromkeys(slugs))
        known = {slug: self._by_slug.get(slug) for slug in asked}
        found = {slug: ref for slug, id_ in known.items() if id_ is not None and (ref := self._by_id.get(id_.int))}
        missing = [slug for slug in asked if slug not in found and len(slug) <= 63 and SLUG.fullmatch(slug)]
        if missing:
            array = "{" + ",".join(missing) + "}"
            since = self._forgotten
            rows = await self._reader.fetch(Statement(find_by_slugs(), self.platform_role), (array.encode(),))
            for ref in (self._remember(row, since) for row in rows):
                keep(self._by_slug, ref.slug, ref.id)
                found[ref.slug] = ref
        return found

    def forget(self, tenant_id: UUID) -> None:
        """Drop everything remembered of a site: after it is removed, renamed, given another host, or demands more."""
        self._forgotten += 1
        self._by_id.pop(tenant_id.int, None)
        for names in (self._by_slug, self._by_host):
            for name in [name for name, each in names.items() if each == tenant_id]:
                del names[name]

    async def _by_name(self, names: OrderedDict[str, UUID], name: str, text: str) -> TenantRef | None:
        known = names.get(name)
        if known is not None and (ref := self._by_id.get(known.int)) is not None:
            names.move_to_end(name)
            return ref
        if "\0" in name:  # no name of a site holds it, and Postgres would not take it
            return None
        since = self._forgotten
        rows = await self._reader.fetch(Statement(text, self.platform_role), (name.encode(errors="replace"),))
        if not rows:
            return None
        ref = self._remember(rows[0], since)
        keep(names, name, ref.id)
        return ref

    def _remember(self, row: tuple[bytes | None, ...], since: int) -> TenantRef:
        """The site in a row. It is kept unless something was forgotten meanwhile: it may be older than that."""
        tenant_id, slug, schema_name, role_name, second_factor, issuers = ((value or b"").decode() for value in row)
        demand = Demand(second_factor == "t", frozenset(json.loads(issuers)))
        asked = demand if demand.second_factor or demand.issuers else None
        ref = TenantRef(UUID(tenant_id), slug, schema_name, role_name, asked)
        if since == self._forgotten:
            keep(self._by_id, ref.id.int, ref)
        return ref


class NarrowedRegistry(Registry):
    """The register as far as it is about these sites: no other is there."""

    def __init__(self, whole: Registry, tenant_ids: frozenset[UUID]) -> None:
        super().__init__(whole._reader)
        self._whole = whole
        self._numbers = frozenset(each.int for each in tenant_ids)  # which are compared without asking Python

    @property
    def platform_role(self) -> str:
        """As in the whole register."""
        return self._whole.platform_role

    def remembered(self, tenant_id: UUID) -> TenantRef | None:
        """The site with this id, if it is one of these and remembered."""
        return self._whole.remembered(tenant_id) if tenant_id.int in self._numbers else None

    async def by_id(self, tenant_id: UUID) -> TenantRef | None:
        """The site with this id, if it is one of these."""
        return await self._whole.by_id(tenant_id) if tenant_id.int in self._numbers else None

    async def by_slug(self, slug: str) -> TenantRef | None:
        """The site with this slug, if it is one of these."""
        return self._own(await self._whole.by_slug(slug))

    async def by_host(self, host: str) -> TenantRef | None:
        """The site that answers under this host name, if it is one of these."""
        return self._own(await self._whole.by_host(host))

    async def many(self, tenant_ids: Iterable[UUID]) -> dict[UUID, TenantRef]:
        """Those of these sites that exist, by id."""
        return await self._whole.many(each for each in tenant_ids if each.int in self._numbers)

    async def many_by_slug(self, slugs: Iterable[str]) -> dict[str, TenantRef]:
        """Those of these sites that exist, by slug."""
        found = await self._whole.many_by_slug(slugs)
        return {slug: ref for slug, ref in found.items() if ref.id.int in self._numbers}

    def forget(self, tenant_id: UUID) -> None:
        """As in the whole register."""
        self._whole.forget(tenant_id)

    def _own(self, tenant: TenantRef | None) -> TenantRef | None:
        return tenant if tenant is not None and tenant.id.int in self._numbers else None


async def load_tenant(tx: AsyncConnection, slug: str) -> TenantRef | None:
    """The site with this slug as the transaction sees it, or None."""
    row = (await tx.execute(select(*REF).where(TENANT.c.slug == slug))).first()
    return None if row is None else TenantRef(*row)


async def list_tenants(tx: AsyncConnection, *, after_slug: str = "", limit: int = 1000) -> list[TenantOverview]:
    """Up to `limit` sites by slug, those after `after_slug`."""
    columns = (*REF, TENANT.c.name, TENANT.c.state, TENANT.c.schema_version, TENANT.c.created_at)
    statement = select(*columns).where(TENANT.c.slug > after_slug).order_by(TENANT.c.slug).limit(limit)
    return [TenantOverview(TenantRef(*row[:4]), *row[4:]) for row in await tx.execute(statement)]


def keep(names: OrderedDict[Any, Any], name: object, value: object) -> None:
    """Remember, and let go of the oldest."""
    names[name] = value
    names.move_to_end(name)
    if len(names) > REMEMBERED_MAX:
        names.popitem(last=False)


@cache
def find_platform_role() -> str:
    """SQL text without parameters."""
    return written(select(SQUARE.c.reader_role_name))


@cache
def find_by_slug() -> str:
    """SQL text; $1 is the slug."""
    return written(select(*REF, *DEMAND).where(TENANT.c.slug == bindparam("slug")))


@cache
def find_by_slugs() -> str:
    """SQL text; $1 is an array of slugs."""
    return written(select(*REF, *DEMAND).where(TENANT.c.slug == func.any(bindparam("slugs"))))


@cache
def find_by_host() -> str:
    """SQL text; $1 is the host."""
    of_host = HOST.c.tenant_id == TENANT.c.id
    return written(select(*REF, *DEMAND).join(HOST, of_host).where(HOST.c.host == bindparam("host")))


@cache
def find_by_ids() -> str:
    """SQL text; $1 is an array of ids."""
    return written(select(*REF, *DEMAND).where(TENANT.c.id == func.any(bindparam("ids"))))


def written(statement: Select[Any]) -> str:
    """The statement as text with $1, $2 … in the order of its parameters."""
    return str(statement.compile(dialect=postgresql.dialect(paramstyle="numeric_dollar")))  # type: ignore[no-untyped-call]
