"""Who may be told: the same predicates as for reading, asked for many viewers in one statement.

Promises: pure; each viewer is judged by themselves, by the rows of that moment. What viewers have in common (their
role, their groups) comes along, so that those who are alike can share an answer.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Text, cast, exists, func, literal, null, select

from auth.policy import groups_of, site_visible, terms_of_many
from schema.bind import Place, Policy
from schema.compiler.compile import UUIDS, Compiler, Rejections
from schema.compiler.part import Call, Part, wanted

VIEWERS = "viewers"
"""Stands, among the letters of types in `Call.wanted`, for the accounts that are asked about."""

VISITOR = UUID(int=0)
"""Stands for whoever is not signed in, among those accounts."""


def audience(compiler: Compiler, tag: str, policy: Policy, *, with_groups: bool) -> Part:
    """For each viewer who may know of the row that is wanted: the account (null: a visitor), role and groups."""

    def build(rejected: Rejections) -> Part:
        draft = compiler.draft(Place.SITE, rejected)
        source = compiler.catalogue.source(compiler.catalogue.tags[tag])
        row, about = draft.table(source), terms_of_many(draft.parameter(_viewers, UUIDS, ()))
        subject = row.c[source.key] == func.any(draft.parameter(wanted(tag), UUIDS, ()))
        groups = cast(groups_of(about) if with_groups else null(), Text)
        columns = (cast(about.account, Text), cast(about.role(), Text), groups)
        query = select(*columns).select_from(about.standing.join(row, subject)).where(policy(row, about))
        return compiler.part(draft, query, rejected, build)

    return build({})


def entrance(compiler: Compiler, tag: str) -> Part:
    """For a viewer who may find the site: its state, and whether they may see the row that is wanted, as text."""

    def build(rejected: Rejections) -> Part:
        draft = compiler.draft(Place.SITE, rejected)
        catalogue = compiler.catalogue
        source = catalogue.source(catalogue.tags[tag])
        site, row = draft.table(catalogue.source("Site")), draft.table(source)
        key = row.c[source.key] == func.any(draft.parameter(wanted(tag), UUIDS, ()))
        visible = exists(select(literal(1)).select_from(row).where(key, source.policy(row, draft.terms)))
        query = select(site.c.state, cast(visible, Text)).where(site_visible(site, draft.terms))
        return compiler.part(draft, query, rejected, build)

    return build({})


def _viewers(call: Call, tenant_id: UUID) -> bytes:
    accounts = call.wanted.get((VIEWERS, tenant_id), ())
    return b"{%s}" % ",".join("NULL" if each == VISITOR else str(each) for each in accounts).encode()
