"""`plein serve`: everything a square needs on one machine, started in order, ended in order.

Promises: a port that is taken is told before anything is started; every process started here ends with this one, on
Ctrl-C, on SIGTERM and when the terminal goes; requests under way are finished first, unless one asks a second time.
Never shows an address before it answers.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from importlib import import_module
from typing import TYPE_CHECKING

from gateway.parts import database_settings, opened_database, opened_store, running_parts, site_url
from gateway.settings import Settings
from gateway.signals import Ended
from gateway.telemetry.logs import configure_logging
from gateway.terminal import CommandError, Terminal, counted

if TYPE_CHECKING:
    from gateway.server import Server
    from tenants.database import Database

SHOWN_SITES = 5


def serve(settings: Settings, terminal: Terminal) -> int:
    """Serve until a signal; return the exit code: 0 after an orderly end, else what a signal or a failure means."""
    configure_logging(settings.log_level, as_json=settings.watching.log_json)
    is_serving = False
    try:
        with listening(settings) as listener:
            threading.Thread(target=_import_early, args=(settings.workers,), daemon=True).start()
            with running_parts(settings, terminal, share=False) as found:
                asyncio.run(prepare(found, terminal, has_own_store=settings.s3 is not None))
                is_serving = True
                return (run if found.workers == 1 else run_workers)(listener, found, terminal)
    except Ended as ended:
        terminal.note("Ended." if is_serving else "Ended before it was ready.")
        return 0 if is_serving else ended.exit_code


@contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """Hold the port: nobody else can take it while the rest is set up. It answers only once the server runs."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
            listener.listen(2048)  # without this a second process could bind the same port
        except OSError as error:
            place = f"{settings.host}:{settings.port}"
            reason = error.strerror or str(error)
            raise CommandError(f"Cannot listen on {place} ({reason}): choose another port with --port.") from None
        yield listener


async def prepare(settings: Settings, terminal: Terminal, *, has_own_store: bool) -> None:
    """Bring the database and the bucket to where the gateway needs them. The bundled store made its bucket itself."""
    from tenants.migrate import migrate  # noqa: PLC0415

    with terminal.step("tables") as step:
        report = await migrate(database_settings(settings))
        if report.shared or report.migrated:
            step.detail = f"{counted(len(report.shared), 'script')} run, {counted(report.migrated, 'site')} changed"
    for slug, reason in report.failed:
        terminal.note(f"  ! site {slug} could not be brought up to date: {reason}")
    if has_own_store and not settings.is_production:
        async with opened_store(settings) as store:
            await store.ensure_bucket()


def run_workers(listener: socket.socket, settings: Settings, terminal: Terminal) -> int:
    """Serve with several processes until a signal."""
    from gateway.processes.supervisor import supervise  # noqa: PLC0415

    async def announce_all() -> None:
        async with opened_database(settings) as database:
            await announce(settings, terminal, database)

    return supervise(settings, listener, lambda: asyncio.run(announce_all()))


def run(listener: socket.socket, settings: Settings, terminal: Terminal) -> int:
    """Serve until a signal, on the fastest loop there is; return 1 if the application did not start."""
    from gateway.server import give_up_on_the_stuck, make_server  # noqa: PLC0415 - it takes a while

    give_up_on_the_stuck([listener])
    server = make_server(settings)

    async def until_ended() -> None:
        with telling_of(server, asyncio.get_running_loop(), settings):
            await server.serve_on(listener, tell_ready)

    async def tell_ready() -> None:
        await announce(settings, terminal, server.gateway.square.database)

    return server.run_main(until_ended)


def telling_of(server: Server, loop: asyncio.AbstractEventLoop, settings: Settings) -> AbstractContextManager[None]:
    """Answer `/metrics` for this one process while the block lasts, if it is asked for."""
    if settings.watching.metrics_port is None:
        return nullcontext()
    from gateway.telemetry.metrics import Totals, look_from_thread, telling  # noqa: PLC0415

    snapshot = server.gateway.telemetry.snapshot
    return telling(settings.watching, Totals(lambda: {1: look_from_thread(loop, snapshot)}))


async def announce(settings: Settings, terminal: Terminal, database: Database) -> None:
    """Show where things are: the console, the API, and the first few sites."""
    from tenants.registry import list_tenants  # noqa: PLC0415

    async with database.transaction(None) as tx:
        sites = await list_tenants(tx, limit=SHOWN_SITES)
    base = f"http://{settings.base_host}"
    terminal.note("")
    if settings.console:
        terminal.result(f"  GraphiQL {base}/")
    terminal.result(f"  GraphQL  {base}/graphql")
    for place, site in enumerate(sites):
        terminal.result(f"  {'Sites  ' if place == 0 else '       '}  {site_url(settings, site.ref.slug)}  {site.name}")
    if not sites:
        terminal.note("  There are no sites yet: `python3 run.py demo` fills the square, createSite opens one.")
    terminal.note("\nCtrl-C ends it.")


def _import_early(workers: int) -> None:
    """Import what is needed later while the database starts, which is waiting and not work."""
    serving = ("uvicorn", "gateway.server") if workers == 1 else ("gateway.processes.supervisor",)
    with suppress(Exception):  # whoever needs it will meet the same fault, and tell it
        for name in ("tenants.migrate", *serving):
            import_module(name)
