"""Who is asking, whatever they show: the one place where a credential's shape decides who verifies it.

Promises: each kind of credential has one verifier, and what one refuses is not tried on another. A credential that is
shown and is none is refused; it never makes a visitor. Never looks at requests: the door takes credentials out of them.
"""

from __future__ import annotations

from auth.api_keys import PREFIX, KeyVerifier
from auth.session_verifier import SessionVerifier
from auth.tokens import Verifier
from auth.viewer import ANONYMOUS, Viewer


class Authenticator:
    """One per process."""

    def __init__(self, *, tokens: Verifier, sessions: SessionVerifier, keys: KeyVerifier) -> None:
        self._tokens = tokens
        self.keys = keys
        self.sessions = sessions

    def known(self, credential: str, host: str | None) -> Viewer | None:
        """Who shows this, without waiting, if it was verified a moment ago; see `verify`."""
        if host is not None:
            return self.sessions.known(credential, host)
        return (self.keys if credential.startswith(PREFIX) else self._tokens).memory.find(credential)

    async def verify(self, credential: str, host: str | None) -> Viewer:
        """Who shows this after `Authorization: Bearer`, or with a host, in the cookie of a session there.

        Raises `Unauthenticated`; a session that is over makes a visitor.
        """
        if host is not None:
            return await self.sessions.verify(credential, host) or ANONYMOUS
        return await (self.keys if credential.startswith(PREFIX) else self._tokens).verify(credential)
