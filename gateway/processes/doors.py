"""The port that several processes listen on: a listening socket for each, between which the system spreads connections.

Promises: where the system can, each process gets its even share of new connections; one socket for all of them would
give whole bursts to whichever wakes first. The sockets are the supervisor's, so those who wait at the door of a process
that died are served by the one that replaces it. Nobody who does not know the trick can take the port beside it.
"""

from __future__ import annotations

import socket
import sys

BACKLOG = 2_048


def doors(listener: socket.socket, count: int) -> list[socket.socket]:
    """So many listening sockets on the port of this one, which is the first; the same one for all where need be."""
    if sys.platform != "linux":  # elsewhere the newest socket gets every connection
        return [listener] * count
    made = [listener]
    try:
        # Not before the first one listened: until then, that the port was taken would not have been found out.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        for _ in range(count - 1):
            made.append(socket.socket(listener.family, socket.SOCK_STREAM))
            for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                made[-1].setsockopt(socket.SOL_SOCKET, option, 1)
            made[-1].bind(listener.getsockname())
            made[-1].listen(BACKLOG)
    except OSError:
        for each in made[1:]:
            each.close()
        return [listener] * count
    return made
