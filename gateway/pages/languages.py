"""In which language a page speaks: what was chosen, else what the browser asks for, else Dutch.

Promises: a choice lasts for a year and is kept in a cookie only once somebody chose.
"""

from __future__ import annotations

from starlette.requests import Request

from gateway.cookies import LANGUAGE, Cookies

DUTCH, ENGLISH = "nl", "en"
LANGUAGES = {DUTCH: "Nederlands", ENGLISH: "English"}
"""By their tags, each in its own language."""

KEPT_S = 365 * 24 * 3600


def language_of(request: Request, cookies: Cookies) -> str:
    """The tag of the language for this request."""
    chosen = cookies.read(request.headers.get("cookie", "").encode("latin-1"), LANGUAGE)
    return chosen if chosen in LANGUAGES else asked_for(request.headers.get("accept-language", ""))


def asked_for(accept_language: str) -> str:
    """The best of our languages for an `Accept-Language`; whoever asks for others only reads English."""
    best, quality, asked = None, 0.0, False
    for part in accept_language.lower().split(",")[:20]:
        tag, _, weight = part.partition(";")
        primary = tag.strip().partition("-")[0]
        if not primary:
            continue
        asked = asked or primary != "*"
        try:
            q = float(weight.strip().removeprefix("q=")) if weight.strip() else 1.0
        except ValueError:
            continue
        if primary in LANGUAGES and q > quality:
            best, quality = primary, q
    return best or (ENGLISH if asked else DUTCH)
