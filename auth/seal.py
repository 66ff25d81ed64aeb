"""Sealed texts: what leaves this process and comes back, or lies in the database, and is readable by nobody else.

Promises: a seal is made for one purpose and one thing; what was sealed for another, changed or made up does not open.
The key comes from the platform's secret, so with another secret nothing that was sealed before opens.
Never says why a seal did not open.
"""

from __future__ import annotations

from typing import Any

import orjson
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from auth.issuer import derive_key

HEADER = {"alg": "dir", "enc": "A256GCM"}
LONGEST = 32 * 1024  # characters of a sealed text


class SealBroken(Exception):  # noqa: N818 - a state of the thing
    """This is nothing that was sealed here for this purpose and this thing."""


class Seal:
    """Seals for one purpose."""

    def __init__(self, secret: str, purpose: str) -> None:
        """`secret` is the platform's own."""
        self._key = OctKey.import_key(derive_key(secret, f"seal/{purpose}"))

    def close(self, about: str, value: Any) -> str:
        """The sealed form of a JSON value about this thing."""
        plain = orjson.dumps([about, value])
        return jwe.encrypt_compact(HEADER, plain, self._key, algorithms=["dir", "A256GCM"])

    def open(self, about: str, text: str) -> Any:
        """The value that was sealed about this thing. Raises SealBroken."""
        if len(text) > LONGEST or not text.isascii():
            raise SealBroken
        try:
            found = jwe.decrypt_compact(text, self._key, algorithms=["dir", "A256GCM"])
            sealed_about, value = orjson.loads(found.plaintext or b"")
        except (JoseError, ValueError, TypeError, KeyError):
            raise SealBroken from None
        if found.protected.get("alg") != "dir" or "zip" in found.protected or sealed_about != about:
            raise SealBroken
        return value
