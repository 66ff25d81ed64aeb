"""Object keys: `sites/<tenant uuid hex>/<path>`, with the tenant as an argument everywhere.

Promises: an `ObjectKey` that exists is well formed and lies under its tenant's prefix; the client and the
signer accept nothing else, so a bare string from a row or a request cannot reach another tenant's bytes.
Never touches the network, never repairs a bad key: it refuses.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from uuid import UUID

from storage.errors import InvalidKey

ROOT = "sites"
MAX_KEY_BYTES = 1024  # S3's own limit, counted in UTF-8
# Control characters, lone surrogates, line and paragraph separators: they break XML, logs and headers.
FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """One object of one tenant. Make it with `object_key` or `parse_key`; raises InvalidKey when malformed."""

    tenant: UUID
    path: str

    def __post_init__(self) -> None:
        _require_path(self.path)
        if len(self.text.encode()) > MAX_KEY_BYTES:
            raise InvalidKey(f"the key is longer than {MAX_KEY_BYTES} bytes")

    @property
    def text(self) -> str:
        """The key as the store knows it."""
        return tenant_prefix(self.tenant) + self.path

    def __str__(self) -> str:
        return self.text


def tenant_prefix(tenant: UUID) -> str:
    """What every key of this tenant begins with, slash included."""
    return f"{ROOT}/{tenant.hex}/"


def object_key(tenant: UUID, *segments: str) -> ObjectKey:
    """A key of this tenant from its segments ("files", "2f…", "original"). Raises InvalidKey."""
    for segment in segments:
        if "/" in segment:
            raise InvalidKey("a segment of a key holds no slash")
    return ObjectKey(tenant, "/".join(segments))


def parse_key(tenant: UUID, text: str) -> ObjectKey:
    """The stored form of a key, which must be this tenant's. Raises InvalidKey."""
    prefix = tenant_prefix(tenant)
    if not text.startswith(prefix):
        raise InvalidKey("the key is not under the prefix of this site")
    return ObjectKey(tenant, text[len(prefix) :])


def belongs_to(tenant: UUID, text: str) -> bool:
    """Whether this is a well-formed key of this tenant."""
    try:
        parse_key(tenant, text)
    except InvalidKey:
        return False
    return True


def listing_prefix(tenant: UUID, under: str = "") -> str:
    """The prefix for a listing inside the tenant: all of it, or the folder `under`. Raises InvalidKey."""
    if not under:
        return tenant_prefix(tenant)
    return ObjectKey(tenant, under.removesuffix("/")).text + "/"


def _require_path(path: str) -> None:
    if not path:
        raise InvalidKey("the key is empty")
    for segment in path.split("/"):
        if not segment:
            raise InvalidKey("the key has an empty segment")
        if segment in {".", ".."}:
            # Some stores and most proxies resolve dots, and so would leave the prefix.
            raise InvalidKey("the key has a segment of dots")
    if "\\" in path:
        raise InvalidKey("the key has a backslash")
    # str.isprintable is one fast pass; only what fails it deserves a look at categories.
    if not path.isprintable() and any(unicodedata.category(letter) in FORBIDDEN_CATEGORIES for letter in path):
        raise InvalidKey("the key has a control character")
