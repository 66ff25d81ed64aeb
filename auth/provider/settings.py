"""The provider's settings, and the addresses that follow from them.

Promises: every address begins with the issuer, which is set and never taken from what a request says of its host.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from auth.session_limits import SessionLimits

CODE_LIFETIME = timedelta(seconds=60)
LONGEST_GRANT = timedelta(days=365)  # a grant with offline_access ends by then, however often it is refreshed
CLOCK_SKEW_SECONDS = 10


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """`issuer` is the square's origin, such as `https://plein.nl`; `base_host` its host, under which sites answer."""

    issuer: str
    base_host: str
    secret: str = field(repr=False)
    access_token_seconds: int = 600
    refresh_token_days: int = 30
    key_days: int = 90
    is_production: bool = True
    sessions: SessionLimits = field(default_factory=SessionLimits)

    @property
    def access_token_lifetime(self) -> timedelta:
        """How long an access token and an ID token are good for."""
        return timedelta(seconds=self.access_token_seconds)

    @property
    def refresh_token_lifetime(self) -> timedelta:
        """How long a refresh token may lie unused."""
        return timedelta(days=self.refresh_token_days)

    def at(self, path: str) -> str:
        """The address of an endpoint."""
        return f"{self.issuer}/{path}"
