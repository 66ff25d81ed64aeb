"""Time-based one-time passwords: RFC 6238 with SHA-1, six digits and steps of 30 seconds, as every app knows them.

Promises: a code is good one step early and one step late, and which step it was of is told, so that it can be refused
the second time. Never compares codes in a way that tells how much of one was right.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b32encode
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
DRIFT = 1  # steps
SECRET_BYTES = 20  # as long as the hash, as RFC 4226 recommends


def new_secret() -> bytes:
    """A secret for an app."""
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """The code of a step (RFC 4226, section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_at(now: float) -> int:
    """The step of a moment, in seconds since 1970."""
    return int(now) // STEP_S


def matching_step(secret: bytes, code: str, now: float, after: int) -> int | None:
    """The step that this code is of, if it is good now and later than `after`, the last one used; else None."""
    found = None
    for step in range(step_at(now) - DRIFT, step_at(now) + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step), code) and step > after:
            found = step
    return found


def text_of(secret: bytes) -> str:
    """The secret as people type it: letters and digits in groups of four."""
    text = b32encode(secret).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def address_of(secret: bytes, account: str, service: str) -> str:
    """The address that an app reads from a QR code."""
    known = {"secret": b32encode(secret).decode().rstrip("="), "issuer": service, "digits": DIGITS, "period": STEP_S}
    return f"otpauth://totp/{quote(service, safe='')}:{quote(account, safe='@')}?{urlencode(known, quote_via=quote)}"
