"""CORS: which pages of other origins may read answers.

Promises: the origins in `PLEIN_CORS_ORIGINS`, the square's own host and those of its sites, and those that OAuth
clients registered for their pages; in development also every page of this machine. No origin is ever let in with
cookies: who asks is said by a header that only the page itself knows. A page of any other origin is told nothing, and
its preflight fails.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import SplitResult, urlsplit

from auth.loopback import is_loopback
from gateway.errors import Header
from gateway.hosts import site_here
from gateway.settings import Settings
from tenants.errors import ReadError
from tenants.registry import Registry, TenantRef

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

    def __init__(
        self, settings: Settings, registry: Registry, is_known: Callable[[str], Awaitable[bool]] | None = None
    ) -> None:
        """`is_known` tells whether others let in pages of this origin."""
        self._settings = settings
        self._registry = registry
        self._is_known = is_known

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
        parts = _parts(text)
        if parts is None:
            return False
        if not self._settings.is_production and is_loopback(parts.hostname or ""):
            return True
        return await self.is_ours(text) or (self._is_known is not None and await self._is_known(text))

    async def is_ours(self, origin: str) -> bool:
        """Whether the square or a site answers at this origin."""
        parts = _parts(origin.lower())
        if parts is None or (parts.scheme != "https" and self._settings.is_production):
            return False
        if parts.port != urlsplit(f"//{self._settings.base_host}").port:
            return False
        name = parts.hostname or ""
        return name == urlsplit(f"//{self._settings.base_host}").hostname or await self.site_at(name) is not None

    async def site_at(self, name: str) -> TenantRef | None:
        """The site that answers under this host name, or None; none is known while the register cannot be read."""
        here = site_here(name.encode("latin-1", "replace"), self._settings.base_host)
        if here is None:
            return None
        try:
            return await (self._registry.by_host(here) if "." in here else self._registry.by_slug(here))
        except ReadError:  # without the register nobody is let in; the answer itself tells what is wrong
            return None


def _parts(origin: str) -> SplitResult | None:
    """The parts of an origin in lower case; None for whatever is not one."""
    if len(origin) > LONGEST_ORIGIN or "@" in origin:
        return None
    try:
        parts = urlsplit(origin)
        is_usable = parts.port != 0  # raises where it is no number
    except ValueError:
        return None
    is_origin = parts.scheme in {"https", "http"} and origin == f"{parts.scheme}://{parts.netloc}"
    return parts if is_origin and is_usable else None
