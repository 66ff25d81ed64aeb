"""Compression of answers: which coding a client likes best, and the body in it.

Promises: a body within one network packet is left alone and costs nothing; a long one is compressed beside the event
loop. Never fails on a header, however malformed.
"""

from __future__ import annotations

import asyncio
import sys
import zlib
from collections.abc import Callable
from functools import lru_cache

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEAST_BYTES = 1_400  # what fits into one packet is not faster when it is shorter
BESIDE_BYTES = 262_144  # from here on it takes a millisecond or more, so it is done in a thread
MAX_CODINGS = 20
_KEPT = zstd.ZstdCompressor(1)  # making one takes as long as compressing 4 kB


def _gzip(body: bytes) -> bytes:
    made = zlib.compressobj(1, wbits=31)
    return made.compress(body) + made.flush()


def _zstd(body: bytes) -> bytes:
    if len(body) >= BESIDE_BYTES:  # in a thread, where the one that is kept must not be used
        return zstd.compress(body, 1)
    return _KEPT.compress(body, zstd.ZstdCompressor.FLUSH_FRAME)


# The fastest first: it is chosen where the client likes several alike. The levels are those at which a list of 20
# items (8 kB) takes some 25 microseconds; the next ones take twice as long for 5 percent less.
CODINGS: dict[bytes, Callable[[bytes], bytes]] = {
    b"zstd": _zstd,
    b"br": lambda body: brotli.compress(body, quality=1),
    b"gzip": _gzip,
}


@lru_cache(maxsize=512)
def accepted_coding(accept_encoding: bytes) -> bytes | None:
    """The coding that this `Accept-Encoding` header likes best, or None where that is no coding at all."""
    liked: dict[bytes, float] = {}
    for part in accept_encoding.lower().split(b",")[:MAX_CODINGS]:
        name, *parameters = part.split(b";")
        liked[name.strip()] = _quality(parameters)
    others = liked.get(b"*", 0.0)
    best = max(CODINGS, key=lambda coding: liked.get(coding, others))  # the first of several alike
    quality = liked.get(best, others)
    return best if quality > 0 and quality >= liked.get(b"identity", 0.0) else None


async def compressed(body: bytes, coding: bytes) -> bytes:
    """The body in one of the codings."""
    compress = CODINGS[coding]
    return compress(body) if len(body) < BESIDE_BYTES else await asyncio.to_thread(compress, body)


def _quality(parameters: list[bytes]) -> float:
    for each in parameters:
        name, _, value = each.partition(b"=")
        if name.strip() == b"q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
