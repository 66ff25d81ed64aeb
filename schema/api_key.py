"""API keys as their owner sees them: what they are for, how long, and when they were last used.

Promises: a key itself is in no field; it is shown once, by the mutation that makes it. Nobody sees another's keys.
"""

from datetime import datetime

import strawberry
from sqlalchemy import func

from auth import policy
from auth.scopes import Scope as Word
from schema.bind import Column, Connected, Expression, Place, Source, at, bound
from schema.relay import Connection, Node, connection
from schema.scope import Scope, listed
from schema.site import SITE_ORDERS, Site
from tenants.access_tables import ApiKey as ApiKeyTable
from tenants.tables import table_of, without

API_KEYS = Source(
    tables={Place.PLATFORM: without(table_of(ApiKeyTable), "secret_hash")},
    key="id",
    policy=policy.mine,
    tag="Y",
    needs={Place.PLATFORM: Word.ACCOUNT},
)


@bound(API_KEYS)
@strawberry.type(description="A key by which a machine works for an account, within its scopes and sites.")
class ApiKey(Node):
    """A key by which a machine works for an account."""

    name: str = strawberry.field(description="What its owner calls it.", metadata=at(Column("name")))
    start: str = strawberry.field(
        description="What the key begins with, to tell one from another.", metadata=at(Column("start"))
    )
    scopes: list[Scope] = strawberry.field(
        description="What it is for; ADMIN includes WRITE, and WRITE includes READ.", metadata=at(listed("scopes"))
    )
    is_for_all_sites: bool = strawberry.field(
        description="Whether it is for every site that its owner may go to, now and later.",
        metadata=at(Expression(lambda row, _: row.c.tenant_ids.is_(None))),
    )
    sites: Connection[Site] = connection(
        Connected(lambda key, site, _: site.c.id == func.any(key.c.tenant_ids), SITE_ORDERS, policy=policy.site_listed),
        "The sites that it is for, as far as the viewer may find them; empty if it is for all.",
    )
    created_at: datetime = strawberry.field(description="When it was made.", metadata=at(Column("created_at")))
    expires_at: datetime = strawberry.field(
        description="From when on it lets nobody in.", metadata=at(Column("expires_at"))
    )
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, to the minute; null if never.", metadata=at(Column("last_used_at"))
    )
    revoked_at: datetime | None = strawberry.field(
        description="When it was revoked; null while it was not.", metadata=at(Column("revoked_at"))
    )
