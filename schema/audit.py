"""The audit as it is read: who did what, to what, from where, by which credential.

Promises: on a site for its admins and owners, over the whole square for its operators; the newest first; never changed.
"""

from datetime import datetime
from typing import Any

import strawberry
from sqlalchemy import Text, column, func, select

from auth import policy
from auth.policy import Row, Terms
from auth.scopes import Scope
from schema.account import Account
from schema.audit_lists import actor
from schema.bind import Column, Derived, Expression, Listed, One, Place, Source, at, bound
from schema.relay import Node
from schema.site import Site
from tenants.platform_tables import Audit
from tenants.site_tables import AuditWindow
from tenants.tables import table_of

ACTS = Source(
    tables={Place.SITE: table_of(AuditWindow)},
    key="id",
    policy=policy.audit_visible,
    tag="U",
    needs={Place.SITE: Scope.ADMIN},
)
PLATFORM_ACTS = Source(
    tables={Place.PLATFORM: table_of(Audit)},
    key="id",
    policy=policy.for_operators,
    tag="V",
    needs={Place.PLATFORM: Scope.PLATFORM},
)


def _details(row: Row, _terms: Terms) -> Any:
    """The details as pairs of text, in the order of their names."""
    pair = func.jsonb_each_text(row.c.details).table_valued(column("key", Text), column("value", Text))
    return (
        select(pair.c.key.label("name"), func.coalesce(pair.c.value, "").label("value")).order_by(pair.c.key).lateral()
    )


@bound(Derived())
@strawberry.type(description="One thing that is known of an act.")
class ActDetail:
    """One thing that is known of an act."""

    name: str = strawberry.field(description="What it is.", metadata=at(Column("name")))
    value: str = strawberry.field(description="What it was; lists and the like as JSON.", metadata=at(Column("value")))


@strawberry.type
class Deed:
    """What is told of every act, on a site and on the square."""

    action: str = strawberry.field(description="What was done, as `site.updated`.", metadata=at(Column("action")))
    subject: str = strawberry.field(
        description="What it was done to: a global id, or a name.", metadata=at(Column("subject"))
    )
    details: list[ActDetail] = strawberry.field(description="What else is known of it.", metadata=at(Listed(_details)))
    account_id: strawberry.ID | None = strawberry.field(
        description="The id of the account that did it; null for a command on the machine itself.",
        metadata=at(Expression(actor)),
    )
    account: Account | None = strawberry.field(
        description="The account that did it; null where only the id is known: the account is gone, "
        "or never was a member of the site, such as an operator.",
        metadata=at(One(lambda row, person, _: person.c.id == row.c.account_id, policy.everyone)),
    )
    address: str = strawberry.field(
        description="From which address; empty if not known.", metadata=at(Column("address"))
    )
    agent: str = strawberry.field(description="What the client calls itself.", metadata=at(Column("agent")))
    credential: str = strawberry.field(
        description="By which credential: `session:<id>`, `key:<id>`, `client:<id>`, `token` or `command-line`.",
        metadata=at(Column("credential")),
    )
    request_id: str = strawberry.field(
        description="The request's id, as in the answer's `x-request-id`.", metadata=at(Column("request_id"))
    )
    happened_at: datetime = strawberry.field(description="When it was done.", metadata=at(Column("happened_at")))


@bound(ACTS)
@strawberry.type(description="Something that was done on a site by the power of a role. It is never changed.")
class Act(Node, Deed):
    """Something that was done on a site by the power of a role."""


@bound(PLATFORM_ACTS)
@strawberry.type(description="Something that was done on the square or on one of its sites by the power of a role.")
class PlatformAct(Node, Deed):
    """Something that was done on the square or on one of its sites by the power of a role."""

    site: Site | None = strawberry.field(
        description="The site on which it was done; null for the square itself, and for a site that is gone.",
        metadata=at(One(lambda row, site, _: site.c.id == row.c.tenant_id, policy.everyone)),
    )
