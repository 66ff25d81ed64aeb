"""One serving process: started by the supervisor with a line to it and the port, and nothing else.

Promises: it ends with the supervisor, in order if it can and after some seconds if it cannot; it answers the
supervisor's question for its numbers, also while it is busy serving.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from gateway.processes.control import Line
from gateway.server import Server, give_up_on_the_stuck, make_server
from gateway.signals import DRAIN_SECONDS, Ended, ending_on_signals
from gateway.telemetry.logs import configure_logging
from gateway.telemetry.metrics import look_from_thread

SPARE_SECONDS = 3


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal. The arguments are the numbers of two open files: the line, and the port."""
    line = Line(socket.socket(fileno=int(arguments[0])))
    listener = socket.socket(fileno=int(arguments[1]))
    try:
        with ending_on_signals():
            task = line.take()
            settings = task.settings
            configure_logging(settings.log_level, as_json=settings.watching.log_json, worker=task.number)
            give_up_on_the_stuck([listener])
            server = make_server(settings)
            return serve(server, listener, line)
    except Ended:
        return 0
    except EOFError:
        return 1


def serve(server: Server, listener: socket.socket, line: Line) -> int:
    """Serve on the port; 1 if the application did not start."""

    async def until_ended() -> None:
        loop = asyncio.get_running_loop()
        threading.Thread(target=_listen, args=(server, loop, line), name="control", daemon=True).start()
        await server.serve_on(listener, tell_ready)

    async def tell_ready() -> None:
        line.send({"ready": os.getpid()})

    return server.run_main(until_ended)


def _listen(server: Server, loop: asyncio.AbstractEventLoop, line: Line) -> None:
    """Answer the supervisor until it is gone, and then end this process."""
    with suppress(EOFError, OSError):
        while True:
            asked = line.receive()
            snapshot = look_from_thread(loop, server.gateway.telemetry.snapshot)
            line.send({"look": asked["look"], "snapshot": snapshot})
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(DRAIN_SECONDS + SPARE_SECONDS)
    os._exit(1)  # the loop is stuck, or a request is: nobody is left who would kill this process


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
