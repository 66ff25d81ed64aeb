"""Media types: what a request may be written in, and what its answer is best written in.

Promises: follows the quality values and the order of `Accept`. Whoever takes anything (`*/*`, or no header) gets
`application/json`, as the audits of GraphQL over HTTP want it; the modern type is for those who name it. Never fails on
a header, however malformed: what cannot be read is not there.
"""

from __future__ import annotations

from enum import Enum, auto
from functools import lru_cache

GRAPHQL_RESPONSE = b"application/graphql-response+json"
JSON = b"application/json"
EVENT_STREAM = b"text/event-stream"
MULTIPART = b"multipart/mixed"
OFFERED = (JSON, GRAPHQL_RESPONSE, EVENT_STREAM)  # on a tie the first wins
UTF_8 = (b"utf-8", b"utf8")
MAX_RANGES = 50


@lru_cache(maxsize=512)
def accepted_media(accept: bytes) -> bytes | None:
    """The offered media type that this `Accept` header likes best, or None if it refuses all."""
    best: tuple[float, int, int] = (0.0, 0, 0)
    chosen = None
    ranges = [_parsed(each) for each in accept.split(b",")[:MAX_RANGES]]
    for offered in OFFERED:
        rank = _rank(offered, ranges)
        if rank[0] > 0 and rank > best:
            best, chosen = rank, offered
    if chosen is None and accepted_parts(accept) is not None:
        return MULTIPART  # which can hold a whole answer as well
    return chosen


class Parts(Enum):
    """In which way an answer may come in parts."""

    MULTIPART = auto()
    PAST_MULTIPART = auto()
    EVENTS = auto()


@lru_cache(maxsize=512)
def accepted_parts(accept: bytes) -> Parts | None:
    """In which way this `Accept` header asks for parts, if there are any; None if it does not, or likes JSON better.

    Who takes anything (`*/*`) does not ask for it.
    """
    ranges = [_parsed(each) for each in accept.split(b",")[:MAX_RANGES]]
    whole = max(_rank(JSON, ranges)[0], _rank(GRAPHQL_RESPONSE, ranges)[0])
    chosen, best = None, 0.0
    for media, parameters in ranges:
        parts, quality = _parts(media, parameters), _quality(parameters)
        if parts is not None and quality > best and quality >= whole:
            chosen, best = parts, quality
    return chosen


def _parts(media: bytes, parameters: dict[bytes, bytes]) -> Parts | None:
    """The way that a range names: without a version, it is the present one."""
    if parameters.get(b"charset", b"utf-8") not in UTF_8:
        return None
    if media == EVENT_STREAM:
        return Parts.EVENTS
    if media != MULTIPART or b"subscriptionspec" in parameters:  # the latter is a protocol of its own
        return None
    if b"deferspec" in parameters:
        return Parts.PAST_MULTIPART if parameters[b"deferspec"] == b"20220824" else None
    return Parts.MULTIPART if parameters.get(b"incrementalspec", b"v0.2") == b"v0.2" else None


@lru_cache(maxsize=512)
def is_json(content_type: bytes) -> bool:
    """Whether this `Content-Type` is JSON in UTF-8, which is also what it means when it names no charset."""
    media, parameters = _parsed(content_type)
    return media == JSON and parameters.get(b"charset", b"utf-8") in UTF_8


def _rank(offered: bytes, ranges: list[tuple[bytes, dict[bytes, bytes]]]) -> tuple[float, int, int]:
    """How well an offered type is liked: its quality, by the closest range; then how close that is; then how early."""
    closest = (0, 0, 0.0)
    for position, (media, parameters) in enumerate(ranges):
        closeness = {offered: 3, offered.partition(b"/")[0] + b"/*": 2, b"*/*": 1}.get(media, 0)
        if closeness > closest[0] and parameters.get(b"charset", b"utf-8") in UTF_8:
            closest = (closeness, -position, _quality(parameters))
    return closest[2], closest[0], closest[1]


def _quality(parameters: dict[bytes, bytes]) -> float:
    try:
        return min(max(float(parameters.get(b"q", b"1")), 0.0), 1.0)
    except ValueError:
        return 0.0


def _parsed(text: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """A media type or range in lower case, and its parameters."""
    media, *rest = text.lower().split(b";")
    pairs = (each.partition(b"=") for each in rest)
    return media.strip(), {name.strip(): value.strip(b' \t"') for name, _, value in pairs}
