"""The HTTP server: uvicorn, set up for a gateway with many quiet connections that last.

Promises: on SIGTERM it says for a while that it is not ready, and answers all the same, so that nobody is sent here any
more when it closes; Ctrl-C and a second signal skip that. Before it waits for requests to end, it asks connections that
last to come back elsewhere; a client that takes nothing any more is let go of by the operating system.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from types import FrameType
from typing import Any

import uvicorn

from gateway.app import Gateway, create_app
from gateway.at_once import Protocol, closing_quiet
from gateway.settings import Settings
from gateway.signals import DRAIN_SECONDS

STUCK_MILLISECONDS = 60_000
KEEP_ALIVE_S = 75.0  # longer than proxies keep an idle connection, so they never write into a closed one
YOUNG_MOST = 10_000
"""New objects between two looks for circles. Requests make hardly any, and Python's 700 cost 5 % of their CPU."""


class Server(uvicorn.Server):
    """Serves one gateway."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway, drain_ms: int) -> None:
        super().__init__(config)
        self.gateway = gateway
        self._drain_s = drain_ms / 1000
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal, or until `should_exit`."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    async def serve_on(self, listener: socket.socket, when_ready: Callable[[], Awaitable[None]]) -> None:
        """Serve on the port until a signal; `when_ready` is awaited once it answers."""
        serving = asyncio.create_task(self.serve(sockets=[listener]))
        while not self.started and not serving.done():  # noqa: ASYNC110 - uvicorn tells it by an attribute only
            await asyncio.sleep(0.01)
        if self.started:
            await when_ready()
        await serving

    def run_main(self, main: Callable[[], Coroutine[Any, Any, None]]) -> int:
        """Run `main`, which serves, on the fastest loop there is; 1 if the application did not start."""
        with asyncio.Runner(loop_factory=self.config.get_loop_factory()) as runner:
            try:
                runner.run(main())
            finally:
                # What is cut off when one asks a second time would tell of it as of a fault.
                logging.getLogger("uvicorn.error").disabled = self.force_exit
        return 0 if self.started else 1

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End, by a signal; for SIGTERM not at once."""
        if sig == signal.SIGTERM and self._drain_s and self._loop is not None and not self.gateway.is_draining:
            self.gateway.is_draining = True
            # A signal may come at any moment, so the loop is only told.
            self._loop.call_soon_threadsafe(self._loop.call_later, self._drain_s, super().handle_exit, sig, None)
        else:
            self.gateway.is_draining = True
            super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and take what lives as long as the server does out of the garbage collector's rounds.

        Without looking for garbage first: a start leaves a hundred objects of it, and to find them takes 100 ms.
        """
        await super().startup(sockets)
        gc.freeze()
        gc.set_threshold(YOUNG_MOST)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End in order: streams first, as they would never end by themselves, then requests, then the gateway."""
        for listening in self.servers:
            listening.close()
        if not self.force_exit:
            await self.gateway.drain()
        await super().shutdown(sockets)


def make_server(settings: Settings) -> Server:
    """The server for these settings; what a proxy in front says of a client is not believed."""
    gateway = create_app(settings)
    heartbeat_s = float(settings.heartbeat_seconds)
    config = uvicorn.Config(
        gateway,
        access_log=False,
        http=partial(Protocol, closing_quiet(KEEP_ALIVE_S)),  # type: ignore[arg-type]
        server_header=False,
        proxy_headers=False,
        log_config=None,
        lifespan="on",
        timeout_graceful_shutdown=DRAIN_SECONDS,
        ws_max_size=settings.limits.body_bytes,
        ws_ping_interval=heartbeat_s,
        ws_ping_timeout=heartbeat_s,
        # Each connection would hold tens of kilobytes for it, and each message be compressed for everybody anew.
        ws_per_message_deflate=False,
    )
    return Server(config, gateway, settings.drain_ms)


def give_up_on_the_stuck(listeners: Sequence[socket.socket]) -> None:
    """Let the system end connections whose other side takes nothing for a minute, where it can."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        for listener in listeners:
            listener.setsockopt(socket.IPPROTO_TCP, option, STUCK_MILLISECONDS)
