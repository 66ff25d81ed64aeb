"""`plein account …`: roles on the square, suspending and resuming accounts, from the terminal.

Promises: these act as whoever runs the machine, so no access rule applies and the first operator is made here; each is
one transaction with a row in the audit, and works at once in gateways that run. Never tells or changes a password.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from gateway.settings import Settings
from gateway.site_commands import migrated_database
from gateway.terminal import CommandError, Terminal

if TYPE_CHECKING:
    from auth.accounts import Account, Connection

    Change = Callable[[Connection, Account], Awaitable[bool]]


async def set_role(settings: Settings, terminal: Terminal, args: Namespace) -> int:
    """Give an account a role on the square."""
    from auth.suspension import set_platform_role  # noqa: PLC0415 - SQLAlchemy takes a while
    from auth.viewer import PlatformRole  # noqa: PLC0415

    role = PlatformRole[args.role.upper()]

    async def change(tx: Connection, account: Account) -> bool:
        return await set_platform_role(tx, account.id, role) is not role

    about = {"role": role.name}
    changed = await _change(settings, args.email, change, "account.role_set", about)
    terminal.note(f"{args.email} {'is' if changed else 'was'} {args.role}{' now' if changed else ' already'}.")
    return 0


async def suspend(settings: Settings, terminal: Terminal, args: Namespace) -> int:
    """Let nobody in as this account."""
    from auth.suspension import suspend_account  # noqa: PLC0415

    async def change(tx: Connection, account: Account) -> bool:
        return bool(await suspend_account(tx, account.id))

    changed = await _change(settings, args.email, change, "account.suspended", {})
    terminal.note(f"{args.email} {'is suspended' if changed else 'was suspended already'}.")
    return 0


async def resume(settings: Settings, terminal: Terminal, args: Namespace) -> int:
    """Let its owner sign in again."""
    from auth.suspension import resume_account  # noqa: PLC0415

    async def change(tx: Connection, account: Account) -> bool:
        return bool(await resume_account(tx, account.id))

    changed = await _change(settings, args.email, change, "account.resumed", {})
    terminal.note(f"{args.email} {'can sign in again' if changed else 'was not suspended'}.")
    return 0


async def _change(settings: Settings, email: str, change: Change, action: str, about: dict[str, str]) -> bool:
    """Change the account with this address; whether that made a difference."""
    from auth.accounts import load_account_by_email  # noqa: PLC0415
    from auth.audit import COMMAND_LINE, Act, record  # noqa: PLC0415
    from schema.services.texts import account_node  # noqa: PLC0415

    async with migrated_database(settings) as database, database.transaction(None) as tx:
        account = await load_account_by_email(tx, email)
        if account is None:
            raise CommandError(f"Nobody has an account with {email}.")
        changed = await change(tx, account)
        if changed:
            await record(tx, Act(action, None, None, account_node(account.id), about, COMMAND_LINE))
    return changed
