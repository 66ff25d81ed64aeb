"""Sites come and go here: provisioned, suspended, resumed and dropped.

Promises: a site exists whole or not at all: its row, schema, role, tables and owner come in one transaction, and go in
one. Nothing here takes a lock that somebody writing on another site, or on the platform's tables, could hold for long.
Never decides who may do so, and never commits a transaction it was given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from psycopg import sql
from sqlalchemy import ColumnElement, Text, cast, delete, func, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.ext.asyncio import AsyncConnection

from tenants import site_tables
from tenants.database import Database, become, become_platform, driver, run_script
from tenants.errors import SlugTaken
from tenants.ids import uuid7
from tenants.migrate import site_script
from tenants.registry import REF, SQUARE, TENANT, TenantRef
from tenants.roles import checked_name, create_role
from tenants.scripts import Scripts, load_scripts
from tenants.tables import table_of

MEMBER = table_of(site_tables.Member)
MEMBERSHIP = table_of(site_tables.MembershipWindow)
OWNER = 5  # the highest rank of a member
MEMBERS, PUBLIC = 2, 4  # access levels by rank

Seed = Callable[[AsyncConnection, TenantRef], Awaitable[None]]
"""Writes a new site's first content, as that site's role, in the transaction that makes it."""


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A site to be. Levels are ranks; `joining` is OPEN, REQUEST, DOMAIN or INVITATION."""

    slug: str
    name: str
    description: str = ""
    language: str = "nl"
    visibility: int = PUBLIC
    access: int = MEMBERS
    joining: str = "REQUEST"
    id: UUID = field(default_factory=uuid7)


async def provision(
    database: Database,
    new: NewTenant,
    *,
    owner_account_id: UUID,
    seed: Seed | None = None,
    scripts: Scripts | None = None,
) -> TenantRef:
    """Make a site in a transaction of its own. Raises as `provision_in` and `Database.transaction` do."""
    async with database.transaction(None) as tx:
        return await provision_in(tx, new, owner_account_id=owner_account_id, seed=seed, scripts=scripts)


async def provision_in(
    tx: AsyncConnection,
    new: NewTenant,
    *,
    owner_account_id: UUID,
    seed: Seed | None = None,
    scripts: Scripts | None = None,
) -> TenantRef:
    """Make a site in the platform's transaction `tx`, which goes on as the new site's.

    Raises `SlugTaken`, after which `tx` is still whole and the platform's, and SQLAlchemy's `IntegrityError` for what
    the table's checks refuse. Another site of the same slug that is being made right now is waited for.
    """
    scripts = scripts or load_scripts()
    now = datetime.now(UTC)
    ref = await register(tx, new, scripts.tenant_version, now)
    server_version = (await driver(tx)).info.server_version
    # One text, one round trip: what is made here is the same however it is sent, only later.
    ground = sql.SQL("CREATE SCHEMA {};").format(sql.Identifier(ref.schema_name)).as_string(None)
    await run_script(tx, "\n".join((create_role(ref.role_name, server_version), ground, site_script(scripts, ref))))
    await become(tx, ref)
    owner = {"account_id": owner_account_id, "role": OWNER, "joined_at": now}
    await tx.execute(insert(MEMBER).values(owner))
    await tx.execute(insert(MEMBERSHIP).values(owner | {"tenant_id": ref.id, "group_ids": []}))
    if seed is not None:
        await seed(tx, ref)
    return ref


async def register(tx: AsyncConnection, new: NewTenant, schema_version: int, now: datetime) -> TenantRef:
    """Write the site's row of the register; how the site is called inside."""
    statement = (
        insert_or_not(TENANT)
        .values(
            id=new.id,
            slug=new.slug,
            schema_name=schema_name_of(new.id),
            role_name=role_name_of(new.id),
            name=new.name,
            description=new.description,
            language=new.language,
            state="ACTIVE",
            visibility=new.visibility,
            access=new.access,
            joining=new.joining,
            version=1,
            schema_version=schema_version,
            created_at=now,
            updated_at=now,
        )
        # Not an error of the database's: that would end the caller's transaction.
        .on_conflict_do_nothing(index_elements=[TENANT.c.slug])
        .returning(*REF)
    )
    made = (await tx.execute(statement)).first()
    if made is None:
        raise SlugTaken(new.slug)
    return TenantRef(*made)


async def drop(tx: AsyncConnection, tenant: TenantRef) -> None:
    """Remove a site with everything in it, in the platform's transaction `tx`; what is gone already is no fault."""
    await become_platform(tx)
    await tx.execute(delete(TENANT).where(TENANT.c.id == tenant.id))
    commands = sql.SQL("DROP SCHEMA IF EXISTS {schema} CASCADE; DROP ROLE IF EXISTS {role};").format(
        schema=sql.Identifier(checked_name(tenant.schema_name)), role=sql.Identifier(checked_name(tenant.role_name))
    )
    await run_script(tx, commands.as_string(None))


def schema_name_of(tenant_id: UUID) -> str:
    """How a site's schema is called."""
    # The last 16 hexadecimal digits: the first of a time-ordered id are the time, and those here are random.
    return f"t_{tenant_id.hex[-16:]}"


def role_name_of(tenant_id: UUID) -> ColumnElement[str]:
    """How a site's role is called, as SQL: the schema's name, and what no other square has.

    Roles are the whole server's, and the same site (of a demo, of a copy) may be in several of its databases.
    """
    here = cast(SQUARE.c.id, Text).concat(func.current_database())
    digits = func.encode(func.sha256(func.convert_to(here, "UTF8")), "hex")
    return select(literal(f"{schema_name_of(tenant_id)}_", Text).concat(func.substr(digits, 1, 8))).scalar_subquery()
