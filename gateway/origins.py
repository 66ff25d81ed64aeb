"""CORS: which pages of other origins may read answers.

Promises: the origins in `PLEIN_CORS_ORIGINS`, the square's own host and those of its sites; in development also every
page of this machine. No origin is ever let in with cookies: who asks is said by a header that only the page itself
knows. A page of any other origin is told nothing, and its preflight fails.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway.errors import Header
from gateway.hosts import is_loopback, site_here
from gateway.settings import Settings
from tenants.errors import ReadError
from tenants.registry import Registry

EVERY = "*"
LONGEST_ORIGIN = 300  # bytes; a host name has at most 253
EXPOSED: Header = (
    b"access-control-expose-headers",
    b"etag, x-request-id, retry-after, ratelimit, ratelimit-policy, server-timing",
)
# `*` stands for every header but Authorization, as no cookies are let in.
PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, DELETE"),
    (b"access-control-allow-headers", b"*, authorization"),
    (b"access-control-max-age", b"7200"),
)


class Origins:
    """Knows which origins may read; one per process."""

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self._settings = settings
        self._registry = registry

    async def headers(self, origin: bytes, host: bytes) -> tuple[Header, ...]:
        """What an answer to a page of this origin says, at this `Host`; nothing if it is the same or not let in."""
        if origin.endswith(b"://" + host) or not await self._may_read(origin):
            return ()
        return ((b"access-control-allow-origin", origin), EXPOSED)

    async def _may_read(self, origin: bytes) -> bool:
        text = origin.decode("latin-1").lower()
        allowed = self._settings.cors_origins
        if EVERY in allowed or text in allowed:
            return True
        if len(origin) > LONGEST_ORIGIN:
            return False
        try:
            parts = urlsplit(text)
            name, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        if "@" in text or parts.scheme not in {"https", "http"} or text != f"{parts.scheme}://{parts.netloc}":
            return False
        if not self._settings.is_production and is_loopback(name):
            return True
        secure = parts.scheme == "https" or not self._settings.is_production
        return secure and port == urlsplit(f"//{self._settings.base_host}").port and await self._is_ours(name)

    async def _is_ours(self, name: str) -> bool:
        """Whether the square or a site answers under this name."""
        base = self._settings.base_host
        if name == urlsplit(f"//{base}").hostname:
            return True
        here = site_here(name.encode("latin-1"), base)
        if here is None:
            return False
        try:
            found = await (self._registry.by_host(here) if "." in here else self._registry.by_slug(here))
        except ReadError:  # without the register nobody is let in; the answer itself tells what is wrong
            return False
        return found is not None
