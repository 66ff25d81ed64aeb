"""Conditional requests and ranges (RFC 9110), as S3 understands them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from storage.devstore.errors import S3Error
from storage.devstore.index import Condition, Entry

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def require_read(entry: Entry, headers: Mapping[str, str], *, prefix: str = "") -> None:
    """Check If-Match and its kin of a read, or (by `prefix`) of the source of a copy. Raises 304 or 412.

    An etag condition, where it is given, decides alone over the date condition beside it.
    """
    if_match, if_none_match = headers.get(f"{prefix}if-match"), headers.get(f"{prefix}if-none-match")
    since = _date(headers.get(f"{prefix}if-modified-since"))
    unmodified_since = _date(headers.get(f"{prefix}if-unmodified-since"))
    modified_at = int(entry.modified_at)
    if if_match is not None:
        if not _matches(if_match, entry.etag):
            raise _failed("If-Match")
    elif unmodified_since is not None and modified_at > unmodified_since.timestamp():
        raise _failed("If-Unmodified-Since")
    unchanged = since is not None and modified_at <= since.timestamp()
    if if_none_match is not None:
        unchanged = _matches(if_none_match, entry.etag)
    if unchanged:
        if prefix:
            raise _failed("x-amz-copy-source-if-none-match")
        raise S3Error("NotModified", "Not Modified", {"ETag": f'"{entry.etag}"'})


def write_condition(headers: Mapping[str, str]) -> Condition:
    """The condition of a write by If-None-Match: * (create only) or If-Match (replace only this)."""
    if_match, if_none_match = headers.get("if-match"), headers.get("if-none-match")
    if if_none_match not in {None, "*"}:
        raise S3Error("NotImplemented", "If-None-Match on a write is implemented for * only, as in S3")

    def require(etag: str | None) -> None:
        if if_none_match and etag is not None:
            raise _failed("If-None-Match")
        if if_match is not None:
            if etag is None:
                raise S3Error("NoSuchKey", "The specified key does not exist")
            if not _matches(if_match, etag):
                raise _failed("If-Match")

    return require


def parse_range(headers: Mapping[str, str], entry: Entry) -> tuple[int, int] | None:
    """Start and length of the one range asked for; None for the whole object. Raises S3Error (416)."""
    match = RANGE.fullmatch(headers.get("range", "").replace(" ", ""))
    if match is None or match[0] == "bytes=-":
        return None  # several ranges, other units and nonsense: a server may ignore the header, and S3 does
    if "if-range" in headers and headers["if-range"].strip('"') != entry.etag:
        return None
    size = entry.size_bytes
    if match[1]:
        start, last = int(match[1]), min(int(match[2]) if match[2] else size - 1, size - 1)
        if match[2] and int(match[2]) < start:
            return None
    else:
        start, last = max(size - int(match[2]), 0), size - 1
    if start > last:
        raise S3Error("InvalidRange", "The requested range is not satisfiable", {"Content-Range": f"bytes */{size}"})
    return start, last - start + 1


def _matches(header: str, etag: str) -> bool:
    return any(candidate.strip() in {"*", etag, f'"{etag}"', f'W/"{etag}"'} for candidate in header.split(","))


def _date(text: str | None) -> datetime | None:
    """A date that cannot be read is no condition (RFC 9110, 13.1.3)."""
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


def _failed(condition: str) -> S3Error:
    return S3Error("PreconditionFailed", f"At least one of the preconditions did not hold: {condition}")
