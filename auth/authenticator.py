"""Who is asking, whatever they show: the one place where a credential's shape decides who verifies it.

Promises: each kind of credential has one verifier, and what one refuses is not tried on another. A credential that is
shown and is none is refused; it never makes a visitor. Never looks at requests: the door takes credentials out of them.
"""

from __future__ import annotations

from collections.abc import Awaitable

from auth.api_keys import PREFIX, KeyVerifier
from auth.session_verifier import SessionVerifier
from auth.tokens import Verifier
from auth.viewer import Viewer


class Authenticator:
    """One per process."""

    def __init__(self, *, tokens: Verifier, sessions: SessionVerifier, keys: KeyVerifier) -> None:
        self._tokens = tokens
        self.keys = keys
        self.sessions = sessions

    def bearer(self, credential: str) -> Awaitable[Viewer]:
        """Who shows this after `Authorization: Bearer`. Raises `Unauthenticated`."""
        return (self.keys if credential.startswith(PREFIX) else self._tokens).verify(credential)

    async def session(self, token: str, host: str) -> Viewer | None:
        """Whose session this is on this host, or None where it is over."""
        return await self.sessions.verify(token, host)
