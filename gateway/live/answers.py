"""Who is told of an event, and what: one statement says who may know, and one for each access class what they are told.

An access class is what the answer can depend on: whether one is signed in, the role on the site, and the groups where
the selection looks at groups. A selection that looks at the viewer in person (`viewerReaction`, lists of content, in
which there may be something private) is read for each viewer.
Promises: nobody is told of what they may not see at that moment. The number of statements depends on classes, never on
connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

import orjson

from auth.policy import Uses
from gateway.context import Square
from gateway.execute.nodes import rows_part
from gateway.execute.run import Run
from gateway.execute.sites import site_json
from gateway.execute.splice import NULL, body
from gateway.live.question import SITE, Question, run_as, write_cursor
from schema.bind import Place
from schema.compiler.audience import VIEWERS, VISITOR, audience
from schema.compiler.part import Part, Path
from schema.compiler.selection import Selected
from schema.compiler.trail import Trail, under
from schema.relay import PLATFORM_ID, NodeId, encode_id
from tenants.outbox import Event

DELETED = "DELETED"
NODE = "node"

Class = tuple[object, ...]


@dataclass(frozen=True)
class Told:
    """What is told of one event: the body of a GraphQL response, and the event's cursor."""

    body: bytes
    cursor: str = ""

    @cached_property
    def text(self) -> str:
        """The body as text, decoded once for all who are told."""
        return self.body.decode()


async def answers(
    square: Square, question: Question, event: Event, accounts: Sequence[UUID], gate: asyncio.Semaphore
) -> dict[UUID, Told]:
    """What each of these accounts (`VISITOR` for who is not signed in) is told; who may not know is left out.

    Raises `DatabaseUnavailable` and `ReaderBusy`; what fails in one field is told in its answer.
    """
    teller = _Teller(square, question, event, gate)
    if event.action == DELETED or not teller.nodes:
        seen = await teller.audience(accounts, Uses())
        told = await teller.tell(VISITOR, has_node=False) if seen else None
        return {} if told is None else dict.fromkeys((each for members in seen.values() for each in members), told)
    uses = await teller.uses()
    if uses.me or len(accounts) == 1:
        return await teller.tell_each(accounts)
    classes = list((await teller.audience(accounts, uses)).values())
    firsts = await teller.tell_each([members[0] for members in classes])
    found: dict[UUID, Told] = {}
    for members in classes:
        told = firsts.get(members[0])
        # Whoever spoke for the class may have lost sight of it meanwhile; the others may not have.
        found |= dict.fromkeys(members, told) if told else await teller.tell_each(members[1:])
    return found


@dataclass(frozen=True)
class _Teller:
    square: Square
    question: Question
    event: Event
    gate: asyncio.Semaphore

    @property
    def nodes(self) -> list[Selected]:
        """The fields of the payload that read the thing itself."""
        return [item for item, name in self.question.fields if name == NODE]

    async def uses(self) -> Uses:
        """What the answer depends on, besides the viewer's role."""
        run = self._run(VISITOR)
        parts = [await self._part(run, item) for item in self.nodes]
        return Uses(any(part.uses.me for part in parts), any(part.uses.groups for part in parts))

    async def audience(self, accounts: Sequence[UUID], uses: Uses) -> dict[Class, list[UUID]]:
        """Those of the accounts who may know of the event, by access class."""
        question, event = self.question, self.event
        binding, plan = question.binding, question.plan
        gone = event.action == DELETED
        key = ("audience", binding.topic, gone, uses.groups)
        part = plan.parts.get(key)
        if part is None:
            source = plan.compiler.catalogue.source(plan.compiler.catalogue.tags[binding.tag])
            policy = binding.known if gone else source.policy
            part = plan.parts[key] = audience(plan.compiler, binding.tag, policy, with_groups=uses.groups)
        run = self._run(VISITOR)
        run.call.wanted[VIEWERS, question.tenant.id] = list(accounts)
        run.call.wanted[binding.tag, question.tenant.id] = [event.subject_id]
        async with self.gate:
            rows = await run.rows(part, question.tenant)
        classes: dict[Class, list[UUID]] = {}
        for account_id, role, groups in rows:
            viewer = VISITOR if account_id is None else UUID(account_id.decode())
            classes.setdefault((viewer == VISITOR, role, groups), []).append(viewer)
        return classes

    async def tell_each(self, accounts: Iterable[UUID]) -> dict[UUID, Told]:
        """What each is told, read as themselves."""
        accounts = list(accounts)
        told = await asyncio.gather(*(self.tell(each) for each in accounts))
        return {account: each for account, each in zip(accounts, told, strict=True) if each is not None}

    async def tell(self, account: UUID, *, has_node: bool = True) -> Told | None:
        """What this account is told; None if it may not know of it."""
        event, question = self.event, self.question
        run = self._run(account)
        cursor = write_cursor(run.call.secret, event.tenant_id, event)
        tag = question.binding.tag
        own = PLATFORM_ID if tag == SITE else event.tenant_id
        facts = {"action": event.action, "id": encode_id(NodeId(tag, own, event.subject_id)), "cursor": cursor}
        made: dict[str, Any] = {}
        for item, name in question.fields:
            if name is None:
                made[item.key] = item.parent.name
            elif name != NODE:
                made[item.key] = facts[name]
            else:
                json = await self._read(run, item) if has_node else NULL
                if has_node and json == NULL:
                    return None
                made[item.key] = orjson.Fragment(json)
        payload = orjson.dumps({question.selected.key: made})
        return Told(body(run.call, payload), cursor)

    async def _read(self, run: Run, item: Selected) -> bytes:
        tenant, tag = self.question.tenant, self.question.binding.tag
        path, trail = self._place(item)
        async with self.gate:
            if tag == SITE:
                return await site_json(run, item, tenant, item.selection_sets, path, trail)
            run.call.wanted[(path, tag), tenant.id] = [self.event.subject_id]
            rows = await run.rows(await self._part(run, item), tenant)
        return (rows[0][2] or NULL) if rows else NULL

    async def _part(self, run: Run, item: Selected) -> Part:
        path, trail = self._place(item)
        if self.question.binding.tag != SITE:
            return await rows_part(run, item, (self.question.binding.tag,), path, trail, Place.SITE)
        part = run.plan.parts.get(("site", path))
        if part is None:
            compiler = run.plan.compiler
            part = await run.made(("site", path), lambda: compiler.site(item.selection_sets, path, trail))
        return part

    def _place(self, item: Selected) -> tuple[Path, Trail]:
        selected = self.question.selected
        return (selected.key, item.key), under(under((), selected.output), item.output)

    def _run(self, account: UUID) -> Run:
        question = self.question
        account_id = None if account == VISITOR else account
        return run_as(self.square, question.plan, question.variables, account_id)
