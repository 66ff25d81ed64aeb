"""The command `plein`: what can be typed, and what happens then.

Promises: results on standard output, one line on standard error for what was to be expected to go wrong, and an exit
code: 0 done, 1 could not, 2 typed wrongly, 128 and the signal's number when ended. Never imports what a command does
not need, so that help comes at once.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
from collections.abc import Callable, Coroutine, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.signals import Ended, ending_on_signals
from gateway.terminal import CommandError, Terminal, counted, this_terminal

if TYPE_CHECKING:
    from gateway.settings import Settings

YOUNG_MOST = 50_000
"""New objects between two looks for circles: imports make none, and Python's 700 cost a fifth of a start."""

Command = Callable[[argparse.Namespace, Terminal], int]
SiteCommand = Callable[["Settings", Terminal, argparse.Namespace], Coroutine[Any, Any, int]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was typed and return the exit code."""
    gc.set_threshold(YOUNG_MOST)
    args = make_parser().parse_args(arguments)
    terminal = this_terminal()
    command: Command = args.command
    try:
        with ending_on_signals():
            return command(args, terminal)
    except Ended as ended:
        return ended.exit_code
    except BrokenPipeError:  # whoever read our output has enough
        return 0
    except Exception as error:
        if not is_expected(error):
            raise
        terminal.note(f"plein: {' '.join(str(error).split())}")
        return error.exit_code if isinstance(error, CommandError) else 1


def is_expected(error: Exception) -> bool:
    """Whether the error says in one line, for whoever typed, what is wrong. All others are faults of ours."""
    if isinstance(error, CommandError | OSError):
        return True
    from auth.errors import AuthError  # noqa: PLC0415 - nothing is imported for this while all goes well
    from gateway.settings import SettingsError  # noqa: PLC0415
    from schema.errors import PleinError  # noqa: PLC0415
    from storage.errors import StorageError  # noqa: PLC0415
    from tenants.embedded import EmbeddedPostgresError  # noqa: PLC0415
    from tenants.errors import TenantsError  # noqa: PLC0415
    from tenants.server import ServerUnusable  # noqa: PLC0415

    own = (SettingsError, AuthError, PleinError, StorageError, TenantsError, EmbeddedPostgresError, ServerUnusable)
    return isinstance(error, own)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser: everything that can be typed, with its help."""
    parser = argparse.ArgumentParser(
        prog="plein",
        description="One GraphQL gateway over a square full of isolated sites.",
        epilog="Settings come from environment variables that begin with PLEIN_; docs/settings.md lists them.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    each = add(commands, "serve", run_serve, "run the gateway, with a bundled database and object store if need be")
    each.add_argument("--host", help="the address to listen on (PLEIN_HOST)")
    each.add_argument("--port", help="the port to listen on (PLEIN_PORT)")
    each.add_argument("--workers", metavar="N", help="how many processes serve (PLEIN_WORKERS)")

    each = add(commands, "migrate", run_migrate, "bring the database and every site to the newest version")
    add_json(each)

    each = add(commands, "demo", run_demo, "fill the square with example sites, people and content")
    each.add_argument(
        "--scale",
        help="how much: small, municipalities or pleio (default: municipalities, or small with the sample)",
    )
    each.add_argument(
        "--data-dir",
        type=Path,
        help="where municipalities.csv and regulations.ndjson.gz are (default: ../shared/data beside the project, "
        "else the sample that comes along)",
    )
    each.add_argument("--seed", type=int, default=1, help="another number makes another square (default: 1)")
    each.add_argument("--reset", action="store_true", help="remove an earlier demo first; other sites stay")
    add_json(each)

    each = add(commands, "schema", run_schema, "print the GraphQL schema, or what changed since an earlier one")
    each.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="print what changed since the schema in this file instead; the exit code is 1 if something breaks clients",
    )
    each.add_argument(
        "--federation", action="store_true", help="with keys and links, as a gateway composes it with other services"
    )
    each.add_argument("--json", action="store_true", help="with --against: give the changes as JSON")

    each = add(commands, "doctor", run_doctor, "look at database, object store and settings, and say what is wrong")
    add_json(each)

    add_site_commands(commands)
    add_key_commands(commands)
    add_account_commands(commands)
    return parser


def add_key_commands(commands: Any) -> None:
    """Add `plein keys …`."""
    about = "list and renew the keys that sign the square's tokens"
    keys = commands.add_parser("keys", help=about, description=f"{about.capitalize()}.")
    actions = keys.add_subparsers(metavar="ACTION", required=True)
    add_json(add(actions, "list", run_keys("list_keys"), "list the keys that are published"))
    each = add(actions, "rotate", run_keys("rotate"), "make new keys, which sign in an hour")
    each.add_argument("--at-once", action="store_true", help="for stolen keys: the old ones are worth nothing from now")


def add_site_commands(commands: Any) -> None:
    """Add `plein site …`."""
    about = "open, list, show, suspend, resume and delete sites"
    site = commands.add_parser("site", help=about, description=f"{about.capitalize()}.")
    sites = site.add_subparsers(metavar="ACTION", required=True)

    each = add(sites, "create", run_site("create_site"), "open a site")
    each.add_argument("slug", help="its name in addresses: lower-case letters, digits and hyphens")
    each.add_argument("--name", help="its name for people (default: the slug)")
    each.add_argument("--description", default="", help="what it is for")
    each.add_argument("--owner", required=True, metavar="EMAIL", help="whose it is")
    each.add_argument("--owner-name", metavar="NAME", help="makes an account for the owner if there is none")
    levels = ("MEMBERS", "ACCOUNTS", "PUBLIC")
    each.add_argument("--access", choices=levels, default="MEMBERS", help="who may read it (default: MEMBERS)")
    each.add_argument("--visibility", choices=levels, default="PUBLIC", help="who may find it (default: PUBLIC)")
    ways = ("OPEN", "REQUEST", "DOMAIN", "INVITATION")
    each.add_argument("--joining", choices=ways, default="REQUEST", help="how one joins (default: REQUEST)")
    add_json(each)

    add_json(add(sites, "list", run_site("list_sites"), "list all sites"))
    for action, name, help_text in (
        ("show", "show_site", "show one site"),
        ("suspend", "suspend_site", "close a site for now; nothing is lost"),
        ("resume", "resume_site", "open a suspended site again"),
        ("delete", "delete_site", "delete a site with everything in it, for good"),
    ):
        each = add(sites, action, run_site(name, needs_store=action == "delete"), help_text)
        each.add_argument("slug")
        if action == "show":
            add_json(each)
        if action == "delete":
            each.add_argument("--confirm", metavar="SLUG", help="the slug once more, to show that you mean it")


def add_account_commands(commands: Any) -> None:
    """Add `plein account …`."""
    about = "invite people, help who lost their app, give roles on the square, suspend and resume accounts"
    account = commands.add_parser("account", help=about, description=f"{about.capitalize()}.")
    accounts = account.add_subparsers(metavar="ACTION", required=True)

    each = add(accounts, "invite", run_account("invite_account"), "give somebody a link for making an account")
    each.add_argument("email")
    each.add_argument("--name", default="", help="their name, which they can change")
    roles = ("NONE", "ANALYST", "OPERATOR")
    each.add_argument("--role", choices=roles, default="NONE", help="what they may do on the square (default: NONE)")
    each.add_argument("--language", choices=("nl", "en"), default="nl", help="of the mail (default: nl)")
    add_json(each)
    each = add(accounts, "remove-app", run_account("remove_second_factor"), "take away somebody's authenticator app")
    each.add_argument("email")
    for action, name, help_text in (
        ("role", "set_role", "give an account a role on the square"),
        ("suspend", "suspend", "let nobody in as this account; every session, key and connection of it ends"),
        ("resume", "resume", "let the owner of a suspended account sign in again"),
    ):
        each = add(accounts, action, _on_database("gateway.role_commands", name), help_text)
        each.add_argument("email", help="the account's e-mail address")
        if action == "role":
            each.add_argument("role", choices=("none", "analyst", "operator"))


def add(commands: Any, name: str, command: Command, help_text: str) -> argparse.ArgumentParser:
    """Add a command and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=help_text, description=f"{help_text.capitalize()}."
    )
    parser.set_defaults(command=command)
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    """Let the command give its result as JSON."""
    parser.add_argument("--json", action="store_true", help="give the result as JSON")


def run_serve(args: argparse.Namespace, terminal: Terminal) -> int:
    """Run the gateway until a signal."""
    from gateway.serve import serve  # noqa: PLC0415

    return serve(load(PLEIN_HOST=args.host, PLEIN_PORT=args.port, PLEIN_WORKERS=args.workers), terminal)


def run_migrate(args: argparse.Namespace, terminal: Terminal) -> int:
    """Apply what is still to be applied; 1 if a site could not be brought up to date."""
    from gateway.parts import database_settings, running_database  # noqa: PLC0415
    from tenants.migrate import Progress, migrate  # noqa: PLC0415

    def tell(progress: Progress) -> None:
        if progress.error is not None:
            terminal.note(f"  × {progress.slug}: {progress.error}")
        elif progress.done == progress.total or progress.done % 100 == 0:
            terminal.note(f"  {progress.done} of {progress.total} sites")

    with running_database(load(), terminal) as settings:
        report = asyncio.run(migrate(database_settings(settings), progress=tell))
    if args.json:
        terminal.result_json({"shared": report.shared, "migrated": report.migrated, "failed": dict(report.failed)})
    else:
        done = f"{counted(len(report.shared), 'platform script')} run, {counted(report.migrated, 'site')} changed"
        terminal.result(f"{done}, {len(report.failed)} failed.")
    return int(bool(report.failed))


def run_demo(args: argparse.Namespace, terminal: Terminal) -> int:
    """Fill the square."""
    from gateway import demo  # noqa: PLC0415
    from gateway.parts import database_settings, running_parts  # noqa: PLC0415
    from tenants.migrate import migrate  # noqa: PLC0415

    async def fill(settings: Settings) -> demo.Summary:
        await migrate(database_settings(settings))
        with demo.shown_progress(terminal) as progress:
            return await demo.run(
                settings,
                scale=args.scale,
                data_dir=args.data_dir,
                seed=args.seed,
                reset=args.reset,
                progress=progress,
            )

    with running_parts(load(), terminal) as settings:
        summary = asyncio.run(fill(settings))
    if args.json:
        terminal.result_json(summary)
    else:
        terminal.pairs({name: str(value) for name, value in summary.items()})
    return 0


def run_schema(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print the schema, or what changed since an earlier one; 1 if that breaks clients."""
    from schema.root import graphql_schema  # noqa: PLC0415
    from schema.sdl import federation_sdl, plain_sdl  # noqa: PLC0415

    today = (federation_sdl if args.federation else plain_sdl)(graphql_schema())
    if args.against is None:
        terminal.result(today)
        return 0
    from schema.changes import Effect, NotASchema, find_changes  # noqa: PLC0415

    try:
        changes = find_changes(args.against.read_text(encoding="utf-8"), today)
    except (NotASchema, UnicodeDecodeError) as error:
        raise CommandError(f"{args.against} holds no GraphQL schema: {error}") from error
    if args.json:
        terminal.result_json([{"effect": each.effect, "what": each.what} for each in changes])
    else:
        terminal.table(("effect", "what"), [(each.effect, each.what) for each in changes])
    return int(any(each.effect is Effect.BREAKING for each in changes))


def run_doctor(args: argparse.Namespace, terminal: Terminal) -> int:
    """Look at everything."""
    from gateway.doctor import doctor  # noqa: PLC0415

    return doctor(load, terminal, as_json=args.json)


def run_site(name: str, *, needs_store: bool = False) -> Command:
    """Return the command that runs a function of `gateway.site_commands` on a running database."""

    def run(args: argparse.Namespace, terminal: Terminal) -> int:
        from gateway import site_commands  # noqa: PLC0415
        from gateway.parts import running_database, running_parts  # noqa: PLC0415

        command: SiteCommand = getattr(site_commands, name)
        running = running_parts if needs_store else running_database
        with running(load(), terminal.quiet) as settings:
            return asyncio.run(command(settings, terminal, args))

    return run


def run_keys(name: str) -> Command:
    """Return the command that runs a function of `gateway.key_commands` on a running database."""
    return _on_database("gateway.key_commands", name)


def run_account(name: str) -> Command:
    """Return the command that runs a function of `gateway.account_commands` on a running database."""
    return _on_database("gateway.account_commands", name)


def _on_database(module: str, name: str) -> Command:
    def run(args: argparse.Namespace, terminal: Terminal) -> int:
        from gateway.parts import running_database  # noqa: PLC0415

        command: SiteCommand = getattr(import_module(module), name)
        with running_database(load(), terminal.quiet) as settings:
            return asyncio.run(command(settings, terminal, args))

    return run


def load(**overrides: str | None) -> Settings:
    """Return the settings of this process; what was typed comes before the environment."""
    from gateway.settings import settings_of_process  # noqa: PLC0415

    return settings_of_process({name: value for name, value in overrides.items() if value is not None})
