"""One operation while it runs: what every root field is given, and how a part is read.

Promises: a part runs under the role of the site it is read from, or the platform's reader role; what fails at one site
is told as that site's, what fails everywhere (no database) as the whole request's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol
from uuid import UUID

from graphql import FieldNode

from auth.audit import Client
from auth.viewer import Viewer
from gateway.context import NOWHERE, Square
from gateway.execute.introspection import Introspections
from schema.compiler.compile import Compiler
from schema.compiler.cost import Cost
from schema.compiler.part import Call, Finished, Part, Path, Rejected, RejectedError, Slots, finish
from schema.compiler.selection import Selected, Value, arguments
from schema.compiler.slices import sliced
from schema.compiler.stages import Stages
from schema.errors import PleinError, step_up_required
from schema.relay import PLATFORM_ID
from tenants.errors import DatabaseUnavailable, ReaderBusy, ReadError, StatementFailed
from tenants.reader import Statement
from tenants.registry import Registry, TenantRef
from tenants.site_tables import TENANT

Row = tuple[bytes | None, ...]
STAND_IN = f'"{TENANT}"'
TEXTS_MOST = 2000
"""Of how many sites a part keeps its finished text."""

HEAVY_FIELDS = 60
"""Each takes some 0.4 milliseconds to compile."""

ROLE_MISSING = "22023"
"""What Postgres says to SET ROLE of a role that is not there: the site was removed."""

EVERYWHERE = (DatabaseUnavailable, ReaderBusy)
"""Faults of the database as a whole: no site can answer."""


RunField = Callable[["Run", Selected], Awaitable[bytes]]
"""Runs a root field; gives its JSON, or the mark of its error."""


@dataclass
class Plan:
    """An operation compiled for variables of one shape; its parts are made when first needed and then kept.

    `introspections`: the answers about the schema that are kept, of all plans together.
    """

    compiler: Compiler
    selected: tuple[Selected, ...]
    cost: Cost
    introspections: Introspections
    name: str | None = None
    parts: dict[object, Part] = field(default_factory=dict)
    given: dict[str, dict[str, Value]] = field(default_factory=dict)
    fields: tuple[RunField, ...] = ()
    """How each of the selected root fields is run; found out by the executor, once."""
    stages: Stages | None = None
    """What may come later, if this is the plan for an answer in parts."""
    staged: Plan | None = None
    """The same for an answer in parts, where there is something to gain."""
    is_heavy: bool = field(init=False)
    """Whether compiling it takes so long that it is done in slices."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Whoever compiles a heavy one; the others wait."""
    openings: tuple[bytes, ...] = field(init=False)
    """The names of the root fields as they stand in the answer, with a colon."""

    def __post_init__(self) -> None:
        """Write what is the same in every answer."""
        self.is_heavy = self.cost.fields > HEAVY_FIELDS
        self.openings = tuple(b'"%b":' % selected.key.encode() for selected in self.selected)

    def arguments(self, selected: Selected) -> dict[str, Value]:
        """How the arguments of a root field are read from the variables, by name; found out once."""
        values = self.given.get(selected.key)
        if values is None:
            values = self.given[selected.key] = arguments(self.compiler.operation, selected)
        return values


class Read(Protocol):
    """How a statement is read: by the reader, or inside a transaction."""

    def __call__(self, statement: Statement, params: Sequence[bytes | None]) -> Awaitable[list[Row]]:
        """The rows, in Postgres' text form."""
        ...


@dataclass(slots=True)
class Run:
    """One operation on its way: the square, the compiled plan, the call, and whose parts are read how."""

    square: Square
    plan: Plan
    call: Call
    viewer: Viewer
    here: str | None
    read: Read
    registry: Registry
    """The register, as far as the viewer's credential reaches."""

    client: Client = NOWHERE

    def fail(self, error: Exception, levels: int, node: FieldNode) -> bytes:
        """The mark that stands, as JSON, where a field failed; re-raises what concerns the whole request."""
        if isinstance(error, EVERYWHERE):
            raise error
        return self.mark(error, levels, node)

    def mark(self, error: Exception, levels: int, node: FieldNode) -> bytes:
        """The mark that stands, as JSON, where a field failed, whatever it failed with."""
        return b'"' + self.call.mark(Rejected(error, levels, node)).encode() + b'"'

    async def made(self, key: object, make: Callable[[], Part]) -> Part:
        """The part that is kept under this key, made now; one that takes long in slices, and once."""
        parts = self.plan.parts
        if not self.plan.is_heavy:
            part = parts[key] = make()
            return part
        async with self.plan.turn:
            if key not in parts:
                parts[key] = await sliced(make)
            return parts[key]

    async def rows(self, part: Part, tenant: TenantRef | None) -> list[Row]:
        """The rows of a part from one site, or from the platform; none from a site that was removed."""
        if self.plan.is_heavy:  # it may have to be compiled anew
            statement, params, _ = await sliced(lambda: self.prepare(part, tenant))
        else:
            statement, params, _ = self.prepare(part, tenant)
        try:
            return await self.read(statement, params)
        except StatementFailed as error:
            if tenant is not None and self.removed(tenant, error):
                return []
            raise

    async def rows_with_slots(self, part: Part) -> tuple[list[Row], tuple[Slots, ...]]:
        """The rows of a part from the platform, and what in them each site answers itself: as it was sent, so without
        the fields that answer as errors because a parameter of theirs cannot be read."""
        prepared = await sliced(lambda: self.prepare(part, None)) if self.plan.is_heavy else self.prepare(part, None)
        statement, params, sent = prepared
        return await self.read(statement, params), sent.slots

    def removed(self, tenant: TenantRef, error: StatementFailed) -> bool:
        """Whether a statement failed because its site is no more; the register is then told to forget it."""
        if error.sqlstate != ROLE_MISSING:
            return False
        self.registry.forget(tenant.id)
        return True

    def prepare(self, part: Part, tenant: TenantRef | None) -> tuple[Statement, list[bytes | None], Part]:
        """A part's statement for one site, or for the platform, its parameters, and the part that it is in the end."""
        name, tenant_id = ("", PLATFORM_ID) if tenant is None else (tenant.schema_name, tenant.id)
        if self.viewer.sites is not None and tenant is not None and tenant_id not in self.viewer.sites:
            raise RuntimeError("a site was asked that the credential is not for")  # the register should not have it
        call = self.call
        if tenant is not None and tenant.demand is not None and not self.viewer.assurance.meets(tenant.demand):
            self._make_stranger(tenant)
        found = len(call.faults)
        while True:
            finished = part.finished.get(name)
            if finished is None:
                finished = self._finished(part, tenant, tenant_id)
            params = finished.params.copy()
            try:
                for place, getter in finished.varying:
                    params[place] = getter(call, tenant_id)
            except RejectedError:
                rejected = _rejected(finished, call, tenant_id)
            else:
                return finished.statement, params, part
            del call.faults[found:]
            part = part.reject(rejected)  # compiled anew, with all of these fields answering as errors

    def _make_stranger(self, tenant: TenantRef) -> None:
        """From here on the viewer is a visitor on this site."""
        if self.viewer.account_id is not None and tenant.id not in self.call.strange:
            self.call.strange[tenant.id] = step_up_required(tenant.slug, self.square.settings.base_url)

    def _finished(self, part: Part, tenant: TenantRef | None, tenant_id: UUID) -> Finished:
        if tenant is None:
            name, statement = "", Statement(part.text, self.square.registry.platform_role, self.plan.name)
        else:
            name, text = tenant.schema_name, part.text.replace(STAND_IN, f'"{tenant.schema_name}"')
            statement = Statement(text, tenant.role_name, self.plan.name, tenant.slug)
        if len(part.finished) >= TEXTS_MOST:
            part.finished.clear()
        finished = part.finished[name] = finish(part, statement, tenant_id, self.call)
        return finished


def _rejected(finished: Finished, call: Call, tenant_id: UUID) -> dict[Path, PleinError]:
    """The fields whose parameters cannot be read, each with its first error."""
    rejected: dict[Path, PleinError] = {}
    for _, getter in finished.varying:
        try:
            getter(call, tenant_id)
        except RejectedError as rejection:
            rejected.setdefault(rejection.path, rejection.error)
    return rejected


def _prepare_each(run: Run, part: Part, tenants: Sequence[TenantRef]) -> list[tuple[Statement, list[bytes | None]]]:
    return [run.prepare(part, tenant)[:2] for tenant in tenants]


async def each(run: Run, part: Part, tenants: Sequence[TenantRef]) -> dict[UUID, list[Row] | ReadError]:
    """The rows of a part from each of these sites, sent together; what fails at one site is its answer."""
    prepared = partial(_prepare_each, run, part, tenants)
    answers = await run.square.reader.fetch_many(await sliced(prepared) if run.plan.is_heavy else prepared())
    found: dict[UUID, list[Row] | ReadError] = {}
    for tenant, answer in zip(tenants, answers, strict=True):
        if isinstance(answer, EVERYWHERE):
            raise answer
        gone = isinstance(answer, StatementFailed) and run.removed(tenant, answer)
        found[tenant.id] = [] if gone else answer
    return found
