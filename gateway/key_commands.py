"""`plein keys …`: the keys that sign the square's tokens, from the terminal.

Promises: acts as whoever runs the machine, and is written down in the audit. Never shows anything of a private key.
"""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime

from gateway.settings import Settings
from gateway.site_commands import migrated_database
from gateway.terminal import Terminal


async def list_keys(settings: Settings, terminal: Terminal, args: Namespace) -> int:
    """List the keys that are published."""
    from auth.provider.signing_keys import load_signers  # noqa: PLC0415 - SQLAlchemy takes a while
    from gateway.credentials import provider_of  # noqa: PLC0415

    now = datetime.now(UTC)
    async with migrated_database(settings) as database, database.transaction(None) as tx:
        signers = await load_signers(tx, provider_of(settings, database).settings, now)
    rows = [
        {
            "id": each.id,
            "algorithm": each.algorithm,
            "state": str(each.state(now)),
            "signsFrom": each.signs_from.isoformat(timespec="seconds"),
            "publishedUntil": None
            if each.published_until is None
            else each.published_until.isoformat(timespec="seconds"),
        }
        for each in signers
    ]
    if args.json:
        terminal.result_json(rows)
    else:
        head = ("id", "algorithm", "state", "signs from", "published until")
        terminal.table(head, [tuple(value or "" for value in row.values()) for row in rows])
    return 0


async def rotate(settings: Settings, terminal: Terminal, args: Namespace) -> int:
    """Make new keys."""
    from auth.audit import COMMAND_LINE, Act, record  # noqa: PLC0415
    from auth.provider.signing_keys import rotate_keys  # noqa: PLC0415
    from gateway.credentials import provider_of  # noqa: PLC0415

    now = datetime.now(UTC)
    async with migrated_database(settings) as database, database.transaction(None) as tx:
        given = provider_of(settings, database).settings
        await rotate_keys(tx, given, now, at_once=args.at_once)
        details = {"at_once": args.at_once}
        await record(tx, Act("keys.rotated", None, None, given.issuer, details, COMMAND_LINE))
    if args.at_once:
        terminal.note("New keys sign from now on; what the old ones signed is worth nothing any more.")
    else:
        terminal.note("New keys sign in an hour, when every client has them; nobody notices.")
    return 0
