"""Form tokens: what a form carries so that only a page of ours, in the same browser, can have sent it.

Promises: nothing is stored; a token is bound to a purpose, to a cookie of the browser and to the session it was made
in, and is good for some hours. So one that somebody fetched for themselves is of no use in another's browser, and one
from before signing in is of no use after it.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from hashlib import sha256
from time import time

from auth.issuer import derive_key

GOOD_FOR_S = 12 * 3600
NONCE_CHARACTERS = 22


class FormTokens:
    """Makes and checks tokens, with a key made from the platform's secret."""

    def __init__(self, secret: str, *, clock: Callable[[], float] = time) -> None:
        self._key = derive_key(secret, "form")
        self._clock = clock

    def make(self, purpose: str, nonce: str, session: str) -> str:
        """A token for a form; `nonce` is the browser's cookie, `session` the token of its session or an empty text."""
        ends_at = int(self._clock()) + GOOD_FOR_S
        return f"{ends_at}.{self._seal(ends_at, purpose, nonce, session)}"

    def is_good(self, token: str, purpose: str, nonce: str, session: str) -> bool:
        """Whether this token was made for this purpose, browser and session, and not too long ago."""
        ends_at, _, seal = token.partition(".")
        if not (ends_at.isascii() and ends_at.isdecimal() and len(ends_at) < 12 and is_nonce(nonce)):
            return False
        expected = self._seal(int(ends_at), purpose, nonce, session)
        is_ours = hmac.compare_digest(seal.encode("utf-8", "replace"), expected.encode())
        return is_ours and self._clock() < int(ends_at)

    def _seal(self, ends_at: int, purpose: str, nonce: str, session: str) -> str:
        parts = "\0".join((str(ends_at), purpose, nonce, session))
        return hmac.digest(self._key, parts.encode("utf-8", "replace"), sha256).hex()


def new_nonce() -> str:
    """What tells one browser from another in form tokens, and nothing else about it."""
    return secrets.token_urlsafe(16)


def is_nonce(text: str | None) -> bool:
    """Whether this can be a nonce of ours."""
    return text is not None and len(text) == NONCE_CHARACTERS and text.isascii()
