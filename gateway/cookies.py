"""Cookies: what ours are called, how they are set, and how they are read from a request.

Promises: each belongs to one host and is read by no script; in production each is `__Host-` and `Secure`, so that no
other host and no connection without TLS can set or see it. In development they go without, for pages at http://.
"""

from __future__ import annotations

import re
from functools import cache

SESSION = "plein"
FORM = "plein-form"
LANGUAGE = "plein-language"
STATE = "plein-state"

LONGEST_HEADER = 8_192  # bytes


class Cookies:
    """Reads and writes cookies by their names here."""

    def __init__(self, *, is_secure: bool) -> None:
        self._prefix = "__Host-" if is_secure else ""
        self._end = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if is_secure else "")

    def read(self, header: bytes, name: str) -> str | None:
        """The value of a cookie of ours in a `Cookie` header, or None."""
        found = _pattern(self._prefix + name).search(header, 0, LONGEST_HEADER)
        return None if found is None else found[1].strip().decode("latin-1")

    def written(self, name: str, value: str, *, max_age_s: int | None = None) -> str:
        """The value of `Set-Cookie` for a cookie; without an age it ends with the browser."""
        age = "" if max_age_s is None else f"; Max-Age={max_age_s}"
        return f"{self._prefix}{name}={value}{age}{self._end}"

    def removed(self, name: str) -> str:
        """The value of `Set-Cookie` that takes a cookie away."""
        return self.written(name, "", max_age_s=0)


@cache
def _pattern(name: str) -> re.Pattern[bytes]:
    """Finds the first cookie of this name."""
    return re.compile(rb"(?:^|;)[ \t]*" + re.escape(name).encode() + rb"=([^;]*)")
