"""API keys as a site's admins see them: whose programs may come here, and to do what.

Promises: only keys that are good, of members, for this site; nothing of the other sites that they are for.
"""

from datetime import datetime

import strawberry

from auth import policy
from auth.scopes import Scope as Word
from schema.account import API_KEY_ORDERS, Account
from schema.bind import Column, One, Place, Source, at, bound
from schema.relay import Node
from schema.scope import Scope, listed
from tenants.site_tables import ApiKeyWindow
from tenants.tables import table_of

SITE_API_KEYS = Source(
    tables={Place.SITE: table_of(ApiKeyWindow)},
    key="id",
    policy=policy.audit_visible,
    tag="B",
    needs={Place.SITE: Word.ADMIN},
)
SITE_API_KEY_ORDERS = API_KEY_ORDERS


@bound(SITE_API_KEYS)
@strawberry.type(description="A key by which a machine works for a member of a site, as far as it is for this site.")
class SiteApiKey(Node):
    """A key by which a machine works for a member of a site."""

    account: Account | None = strawberry.field(
        description="Whom it works for. It may never do more here than they may.",
        metadata=at(One(lambda row, person, _: person.c.id == row.c.account_id, policy.everyone)),
    )
    name: str = strawberry.field(description="What its owner calls it.", metadata=at(Column("name")))
    start: str = strawberry.field(
        description="What the key begins with, to tell one from another.", metadata=at(Column("start"))
    )
    scopes: list[Scope] = strawberry.field(
        description="What it is for; ADMIN includes WRITE, and WRITE includes READ.", metadata=at(listed("scopes"))
    )
    is_for_all_sites: bool = strawberry.field(
        description="Whether it is for every site of its owner's, not for this one by name.",
        metadata=at(Column("is_for_all_sites")),
    )
    created_at: datetime = strawberry.field(description="When it was made.", metadata=at(Column("created_at")))
    expires_at: datetime = strawberry.field(
        description="From when on it lets nobody in.", metadata=at(Column("expires_at"))
    )
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, on whatever site, to the minute; null if never.",
        metadata=at(Column("last_used_at")),
    )
