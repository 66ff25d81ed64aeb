"""The id of a request, in `x-request-id`: what a caller, a proxy and the log call one request by.

Promises: every answer names it; one that a proxy gave is kept if it is a plain word, else there is a new one. It is a
context variable, so that a log line from any depth can name it; nothing is decided by it.
"""

from __future__ import annotations

import random
import re
from contextvars import ContextVar

HEADER = b"x-request-id"
PLAIN = re.compile(rb"[A-Za-z0-9._:-]{1,128}")  # nothing that could break a header, a log line or a page

_CURRENT: ContextVar[bytes] = ContextVar("request_id")


def begin_request(given: bytes | None) -> bytes:
    """The id of the request that begins now: the one given, or a new one."""
    if given is None or PLAIN.fullmatch(given) is None:
        given = b"%016x" % random.getrandbits(64)  # it need not be a secret, only another one
    _CURRENT.set(given)
    return given


def current_request_id() -> str:
    """The id of the request under way; a new one outside of any."""
    return (_CURRENT.get(None) or b"%016x" % random.getrandbits(64)).decode()
