"""`plein site …`: open, list, show, suspend, resume and delete sites from the terminal.

Promises: these act as whoever runs the machine, so no access rule applies; each is one transaction; what cannot be
undone asks for the slug once more. Never writes a site's content.
"""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from gateway.parts import database_settings, opened_database, opened_store, site_url
from gateway.settings import Settings
from gateway.terminal import CommandError, Terminal, counted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from auth.accounts import Connection
    from tenants.database import Database, Transaction
    from tenants.registry import TenantOverview
    from tenants.suspension import Suspender

    ChangeState = Callable[[Transaction, UUID, Suspender], Awaitable[bool]]

SLUG = re.compile(r"(?=.{2,63}$)[a-z][a-z0-9]*(-[a-z0-9]+)*")  # as platform.tenant demands it
NAME_MAX = 200
PAGE = 1000


async def create_site(settings: Settings, terminal: Terminal, args: Namespace) -> int:
    """Open a site and make its owner, in one transaction."""
    from auth.policy import Level  # noqa: PLC0415 - SQLAlchemy takes a while
    from tenants.database import become_platform  # noqa: PLC0415
    from tenants.errors import SlugTaken  # noqa: PLC0415
    from tenants.provisioning import NewTenant, provision_in  # noqa: PLC0415

    name = args.name or args.slug
    if not SLUG.fullmatch(args.slug):
        raise CommandError(
            f"{args.slug!r} is not a slug: 2 to 63 lower-case letters, digits and single hyphens, a letter first."
        )
    if len(name) > NAME_MAX:
        raise CommandError(f"A name has at most {NAME_MAX} characters.")
    new = NewTenant(
        slug=args.slug,
        name=name,
        description=args.description,
        visibility=Level[args.visibility],
        access=Level[args.access],
        joining=args.joining,
    )
    async with migrated_database(settings) as database:
        try:
            async with database.transaction(None) as tx:
                owner = await _owner(tx, args.owner, args.owner_name)
                ref = await provision_in(tx, new, owner_account_id=owner)
                await become_platform(tx)
                await _record(tx, ref.id, "site.created", slug=ref.slug, name=name)
        except SlugTaken:
            raise CommandError(f"There is a site called {args.slug} already.") from None
        show_sites([await find_site(database, ref.slug)], settings, terminal, as_json=args.json, is_list=False)
    return 0


async def list_sites(settings: Settings, terminal: Terminal, args: Namespace) -> int:
    """List every site by slug."""
    from tenants.registry import list_tenants  # noqa: PLC0415

    sites: list[TenantOverview] = []
    async with migrated_database(settings) as database, database.transaction(None) as tx:
        while page := await list_tenants(tx, after_slug=sites[-1].ref.slug if sites else "", limit=PAGE):
            sites += page
    show_sites(sites, settings, terminal, as_json=args.json, is_list=True)
    if not sites:
        terminal.note("There are no sites yet.")
    return 0


async def show_site(settings: Settings, terminal: Terminal, args: Namespace) -> int:
    """Show what the register knows of one site."""
    async with migrated_database(settings) as database:
        show_sites([await find_site(database, args.slug)], settings, terminal, as_json=args.json, is_list=False)
    return 0


async def suspend_site(settings: Settings, terminal: Terminal, args: Namespace) -> int:
    """Close a site for now, as an operator: its name can be seen, nothing in it can."""
    from tenants.suspension import suspend  # noqa: PLC0415

    return await _change_state(settings, terminal, args, suspend, ("is suspended", "was suspended already"))


async def resume_site(settings: Settings, terminal: Terminal, args: Namespace) -> int:
    """Open a suspended site again, whoever suspended it."""
    from tenants.suspension import resume  # noqa: PLC0415

    return await _change_state(settings, terminal, args, resume, ("answers again", "was not suspended"))


async def _change_state(
    settings: Settings, terminal: Terminal, args: Namespace, change: ChangeState, told: tuple[str, str]
) -> int:
    """Suspend or resume; `told`: what is said of the site when that changed something, and when not."""
    from tenants.suspension import COMMAND_LINE  # noqa: PLC0415

    async with migrated_database(settings) as database:
        site = await find_site(database, args.slug)
        async with database.transaction(None) as tx:
            changed = await change(tx, site.ref.id, COMMAND_LINE)
            if changed:
                await _record(tx, site.ref.id, "site.resumed" if told[0] == "answers again" else "site.suspended")
    terminal.note(f"{args.slug} {told[0] if changed else told[1]}.")
    return 0


async def delete_site(settings: Settings, terminal: Terminal, args: Namespace) -> int:
    """Delete a site with everything in it, its files included. There is no way back."""
    from tenants.provisioning import drop  # noqa: PLC0415

    if args.confirm != args.slug:
        raise CommandError(f"This cannot be undone. If you mean it, add --confirm {args.slug}.")
    async with migrated_database(settings) as database:
        site = await find_site(database, args.slug)
        async with database.transaction(None) as tx:
            await drop(tx, site.ref)
            await _record(tx, site.ref.id, "site.deleted", slug=args.slug)
    count = await _delete_files(settings, site.ref.id)
    terminal.note(f"{args.slug} is deleted, with {counted(count, 'file')}.")
    return 0


def show_sites(
    sites: list[TenantOverview], settings: Settings, terminal: Terminal, *, as_json: bool, is_list: bool
) -> None:
    """Show sites as a table, one below the other, or as JSON."""
    rows = [
        {
            "id": str(each.ref.id),
            "slug": each.ref.slug,
            "name": each.name,
            "state": each.state,
            "url": site_url(settings, each.ref.slug),
            "schemaName": each.ref.schema_name,
            "roleName": each.ref.role_name,
            "schemaVersion": str(each.schema_version),
            "createdAt": each.created_at.isoformat(timespec="seconds"),
        }
        for each in sites
    ]
    if as_json:
        terminal.result_json(rows if is_list else rows[0])
    elif is_list:
        columns = ("slug", "name", "state", "url", "createdAt")
        terminal.table(
            ("Slug", "Name", "State", "Address", "Created"), [[row[each] for each in columns] for row in rows]
        )
    else:
        terminal.pairs(rows[0])


async def find_site(database: Database, slug: str) -> TenantOverview:
    """Return what the register knows of the site. Raises CommandError where there is none."""
    from tenants.registry import list_tenants  # noqa: PLC0415

    after = ""
    async with database.transaction(None) as tx:
        while page := await list_tenants(tx, after_slug=after, limit=PAGE):
            after = page[-1].ref.slug
            for each in page:
                if each.ref.slug == slug:
                    return each
    raise CommandError(f"There is no site called {slug}.")


@asynccontextmanager
async def migrated_database(settings: Settings) -> AsyncIterator[Database]:
    """Yield the database, opened. Raises CommandError where migrations are still to be applied."""
    from tenants.migrate import is_migrated  # noqa: PLC0415

    if not await is_migrated(database_settings(settings)):
        raise CommandError("Migrations are still to be applied: run `plein migrate` first.")
    async with opened_database(settings) as database:
        yield database


async def _record(tx: Connection, tenant_id: UUID, action: str, **details: str) -> None:
    """Write down what was done to a site from the terminal."""
    from auth.audit import COMMAND_LINE, Act, record  # noqa: PLC0415
    from schema.services.site import site_node  # noqa: PLC0415

    await record(tx, Act(action, None, tenant_id, site_node(tenant_id), details, COMMAND_LINE))


async def _owner(tx: Connection, email: str, name: str | None) -> UUID:
    """Return the account with this address; with a name, it is made where there is none."""
    from auth.accounts import create_account, load_account_by_email  # noqa: PLC0415

    if not 3 <= len(email) <= 254 or "@" not in email.strip("@"):
        raise CommandError(f"{email!r} is not an e-mail address.")
    account = await load_account_by_email(tx, email)
    if account is None and not name:
        raise CommandError(f"Nobody has an account with {email}: give --owner-name as well, to make one.")
    account = account or await create_account(tx, name or "", email)
    return account.id


async def _delete_files(settings: Settings, tenant_id: UUID) -> int:
    if settings.s3 is None:
        return 0
    from storage.errors import BucketMissing  # noqa: PLC0415

    async with opened_store(settings) as store:
        try:
            return await store.delete_prefix(tenant_id)
        except BucketMissing:
            return 0
