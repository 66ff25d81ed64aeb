"""`plein account …`: invite people, and help whoever lost their app, from the terminal.

Promises: these act as whoever runs the machine; each is one transaction, with a row in the audit. Never shows or takes
a password.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from gateway.settings import Settings
from gateway.site_commands import migrated_database
from gateway.terminal import CommandError, Terminal

if TYPE_CHECKING:
    from auth.local.local import Local
    from auth.local.mailbox import Mail
    from tenants.database import Database

LONGEST_NAME = 200


async def invite_account(settings: Settings, terminal: Terminal, args: Namespace) -> int:
    """Give somebody a link by which they make an account, or choose a password for the one they have."""
    from auth.audit import COMMAND_LINE  # noqa: PLC0415 - SQLAlchemy takes a while
    from auth.local.registration import invite  # noqa: PLC0415
    from auth.viewer import PlatformRole  # noqa: PLC0415
    from gateway.pages.checks import ADDRESS  # noqa: PLC0415
    from gateway.pages.letters import Letters  # noqa: PLC0415

    if not settings.local.passwords:
        raise CommandError("PLEIN_PASSWORDS is off: nobody signs in with a password here.")
    if not ADDRESS.fullmatch(args.email):
        raise CommandError(f"{args.email!r} is not an e-mail address.")
    if len(args.name) > LONGEST_NAME:
        raise CommandError(f"A name has at most {LONGEST_NAME} characters.")
    scheme = "https" if settings.is_production else "http"
    letters, links = Letters(f"{scheme}://{settings.base_host}", args.language, is_open=False), []

    def compose(token: str) -> Mail:
        mail, link = letters.invitation(args.email, token)
        links.append(link)
        return mail

    async with migrated_database(settings) as database, _local(settings, database) as local:
        await invite(local, args.email, args.name, PlatformRole[args.role], compose, COMMAND_LINE)
    if args.json:
        terminal.result_json({"email": args.email, "role": args.role, "link": links[0]})
    else:
        terminal.result(links[0])
    has_server = settings.local.mail_server is not None
    terminal.note(
        "It is sent by mail as well." if has_server else "There is no mail server: pass the link on yourself."
    )
    return 0


async def remove_second_factor(settings: Settings, terminal: Terminal, args: Namespace) -> int:
    """Take somebody's authenticator app away, and end their sessions."""
    from auth.audit import COMMAND_LINE  # noqa: PLC0415
    from auth.local.registration import remove_app  # noqa: PLC0415

    async with migrated_database(settings) as database, _local(settings, database) as local:
        is_removed = await remove_app(local, args.email, COMMAND_LINE)
    if not is_removed:
        raise CommandError(f"There is no account with {args.email} and an authenticator app.")
    terminal.note(f"{args.email} signs in without an app now, and is signed out everywhere.")
    return 0


@asynccontextmanager
async def _local(settings: Settings, database: Database) -> AsyncIterator[Local]:
    from auth.local.local import Local  # noqa: PLC0415

    local = Local(partial(database.transaction, None), settings.secret)
    try:
        yield local
    finally:
        local.passwords.close()
