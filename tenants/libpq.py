"""The one call of libpq that psycopg does not wrap: a Sync that is not sent at once.

psycopg's `pipeline_sync` sends what is buffered each time, so reads that begin in the same turn of the loop would cost
a system call each, and wake the server each. Promises: only the very library that psycopg runs on is called, found as
one that is loaded already; where that cannot be told, psycopg's own call does. Never waits.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from psycopg import pq
from psycopg.pq.abc import PGconn

Sync = Callable[[], object]
"""Closes a segment; 0, or an error raised, where libpq refuses. What is left in the buffer goes with the next flush."""


def sync_of(connection: PGconn) -> Sync:
    """How to close segments on this connection."""
    call = _send_pipeline_sync()
    if call is None:
        return connection.pipeline_sync
    return partial(call, ctypes.c_void_p(connection.pgconn_ptr))  # type: ignore[attr-defined]


@cache
def _send_pipeline_sync() -> Any | None:
    """PQsendPipelineSync of the libpq that psycopg's wheel brings (from version 17 on), if that is what it uses."""
    spec = find_spec("psycopg_binary") if pq.__impl__ == "binary" else None
    if spec is None or spec.origin is None:
        return None
    for path in (Path(spec.origin).parent.parent / "psycopg_binary.libs").glob("libpq-*"):
        try:
            # Loaded already or not at all; and not giving the interpreter's lock away, as it does not wait.
            call = ctypes.PyDLL(str(path), mode=os.RTLD_NOW | os.RTLD_NOLOAD).PQsendPipelineSync
        except (OSError, AttributeError):
            continue
        call.argtypes, call.restype = (ctypes.c_void_p,), ctypes.c_int
        return call
    return None
