"""Listings against a model: whatever keys, prefix, delimiter and page size, the pages add up to the truth."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.devstore.buckets import Listing, find
from storage.devstore.index import Entry, Index

LETTERS = st.sampled_from(["a", "b", "/", "é", "\U0010ffff", "-", "\x00"])
KEYS = st.sets(st.text(LETTERS, min_size=1, max_size=6), max_size=25)


def model(keys: set[str], prefix: str, delimiter: str) -> list[bytes]:
    """Keys and common prefixes in order of their bytes."""
    found = set()
    for key in keys:
        if key.startswith(prefix):
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            found.add((key if cut < 0 else key[: cut + len(delimiter)]).encode())
    return sorted(found)


@settings(max_examples=60, deadline=None)
@given(KEYS, st.text(LETTERS, max_size=2), st.sampled_from(["", "/", "a", "b/", "é"]), st.integers(1, 4))
def test_pages_add_up(keys: set[str], prefix: str, delimiter: str, limit: int) -> None:
    with TemporaryDirectory() as directory:
        index = Index(Path(directory) / "index.sqlite3")
        index.create_bucket("bucket", 0)
        for key in keys:
            index.put("bucket", Entry(key, "blob", 0, "etag", 0), lambda _etag: None)
        found: list[bytes] = []
        first: bytes | None = prefix.encode()
        while first is not None:
            page = find(index, "bucket", Listing(prefix.encode(), delimiter.encode(), first, limit))
            assert page.count() <= limit
            assert page.count() == limit or page.next_first is None
            found += sorted([entry.key.encode() for entry in page.entries] + page.common_prefixes)
            first = page.next_first
        index.close()
    assert found == model(keys, prefix, delimiter)
