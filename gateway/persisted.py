"""Persisted documents: texts that a request names instead of sending them.

Trusted documents come from a manifest, made when a client was built. Automatic ones are registered by clients, who send
text and hash once, and are let go of when they are too many. Promises: what clients register runs under the hash of its
own text only; with `only`, nothing runs that is not in the manifest. Never examines a text.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from schema.errors import ErrorCode, PleinError

KEPT_TEXTS = 1_000
KEPT_CHARACTERS = 4_000_000
SHA256_PREFIX = "sha256:"
# Clients know these words: Apollo's and urql's send the text on the first, and stop sending hashes on the second.
WORDS = {
    ErrorCode.PERSISTED_QUERY_NOT_FOUND: "PersistedQueryNotFound",
    ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED: "PersistedQueryNotSupported",
}


class ManifestError(Exception):
    """A manifest that cannot be read; the message is one line."""


class Persisted:
    """The persisted documents; one per process."""

    def __init__(self, trusted: Mapping[str, str] | None = None, *, only: bool = False) -> None:
        """`trusted` is the manifest: texts by id. `only`: no other text may run."""
        self.only = only
        self._by_id = dict(trusted or {})
        self._by_hash = {sha256(text.encode()).hexdigest(): text for text in self._by_id.values()}
        self._texts = frozenset(self._by_id.values())
        self._registered: OrderedDict[str, str] = OrderedDict()
        self._characters = 0

    def by_id(self, document_id: str) -> str:
        """The text that `documentId` names. Raises PleinError where there is none."""
        text = self._by_id.get(document_id)
        if text is None and document_id.startswith(SHA256_PREFIX):
            text = self._find(document_id.removeprefix(SHA256_PREFIX))
        if text is None:
            raise _missing(ErrorCode.PERSISTED_QUERY_NOT_FOUND)
        return text

    def by_hash(self, hash_: str) -> str:
        """The text that `extensions.persistedQuery.sha256Hash` names. Raises PleinError where there is none."""
        text = self._find(hash_) or self._by_id.get(hash_)
        if text is None:
            code = "NOT_SUPPORTED" if self.only else "NOT_FOUND"
            raise _missing(ErrorCode(f"PERSISTED_QUERY_{code}"))
        return text

    def require_trusted(self, text: str) -> None:
        """Raises PleinError for a text that is not in the manifest."""
        if text not in self._texts:
            raise PleinError(ErrorCode.FORBIDDEN, "Only documents that were registered before may be run here.")

    def register(self, hash_: str, text: str) -> None:
        """Keep a text that is in order under its hash, which was checked."""
        if self.only or hash_ in self._registered:
            return
        self._registered[hash_] = text
        self._characters += len(text)
        while len(self._registered) > KEPT_TEXTS or self._characters > KEPT_CHARACTERS:
            _, gone = self._registered.popitem(last=False)
            self._characters -= len(gone)

    def _find(self, hash_: str) -> str | None:
        text = self._by_hash.get(hash_)
        if text is None and (text := self._registered.get(hash_)) is not None:
            self._registered.move_to_end(hash_)
        return text


def load_manifest(path: Path) -> dict[str, str]:
    """The texts by id in a manifest: `{id: text}` (Relay, graphql-codegen) or Apollo's. Raises ManifestError."""
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ManifestError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if isinstance(content, dict) and content.get("format") == "apollo-persisted-query-manifest":
        pairs = [_operation(each) for each in content.get("operations") or ()]
    else:
        pairs = list(content.items()) if isinstance(content, dict) else [(None, None)]
    if not all(isinstance(id_, str) and isinstance(text, str) for id_, text in pairs):
        raise ManifestError(f"{path} is no manifest: neither {{id: text}} nor Apollo's format")
    return dict(pairs)


def _operation(entry: Any) -> tuple[Any, Any]:
    return (entry.get("id"), entry.get("body")) if isinstance(entry, dict) else (None, None)


def _missing(code: ErrorCode) -> PleinError:
    return PleinError(code, WORDS[code])
