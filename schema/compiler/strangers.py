"""Sites that do not know the viewer by how they signed in: which of them the account could find at all.

Promises: pure. That there is such a site is no news to whoever is told, as they are a member or may find it anyhow.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import ARRAY, Integer, Uuid, bindparam, cast, func, or_, select

from auth.policy import Level
from tenants.platform_tables import Membership, Tenant
from tenants.registry import written
from tenants.tables import table_of

OPEN = b"%d" % Level.ACCOUNTS
"""The lowest level at which everybody with an account finds a site."""


@cache
def find_findable() -> str:
    """SQL text; $1 is an array of sites, $2 `OPEN`, $3 the account."""
    site, mine = table_of(Tenant), table_of(Membership)
    me = cast(bindparam("me", type_=Uuid), Uuid)
    asked = site.c.id == func.any(cast(bindparam("sites", type_=ARRAY(Uuid)), ARRAY(Uuid)))
    member = select(mine.c.tenant_id).where(mine.c.account_id == me, mine.c.tenant_id == site.c.id).exists()
    is_open = func.greatest(site.c.visibility, site.c.access) >= bindparam("open", type_=Integer)
    return written(select(site.c.id).where(asked, or_(is_open, member)))
