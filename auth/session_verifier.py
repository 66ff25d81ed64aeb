"""Session cookies: from the token in one to a viewer, or to nobody.

Promises: what was verified is remembered for half a minute and never past its own end, so a request costs a hash and a
look-up; what is ended elsewhere is forgotten as soon as that is told. Never remembers a refusal, never holds a token
itself (only its hash). A token that is no session any more makes a visitor, not an error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import time

from auth.assurance import assurance_of
from auth.remembered import Remembered
from auth.sessions import TOKEN_CHARACTERS, Session
from auth.viewer import Viewer

LoadSession = Callable[[str, str], Awaitable[Session | None]]
"""From a token and a host to the session, which is now seen, or None."""


class SessionVerifier:
    """Verifies session tokens. One per process, on one event loop."""

    def __init__(self, load: LoadSession, *, clock: Callable[[], float] = time) -> None:
        """`clock` gives seconds since the epoch; tests move it."""
        self._load = load
        self.memory = Remembered(clock)

    def known(self, token: str, host: str) -> Viewer | None:
        """Return whose session this is on this host, without waiting, if it was verified a moment ago."""
        return self.memory.find(_shown(token, host))

    async def verify(self, token: str, host: str) -> Viewer | None:
        """Return whose session this is on this host, `SQUARE` or a site's, or None; raises what reading raises."""
        viewer = self.known(token, host)
        if viewer is not None or len(token) != TOKEN_CHARACTERS:
            return viewer
        forgotten = self.memory.forgotten
        session = await self._load(token, host)
        if session is None:
            return None
        viewer = viewer_of(session)
        self.memory.keep(_shown(token, host), viewer, session.expires_at.timestamp(), forgotten)
        return viewer


def _shown(token: str, host: str) -> str:
    """What is remembered: a token that is good on one host is not known to be on another."""
    return f"{token}\0{host}"


def viewer_of(session: Session) -> Viewer:
    """Who asks, where this session is shown."""
    tenant_id = session.device.tenant_id
    return Viewer(
        session.account_id,
        session.platform_role,
        session.expires_at.timestamp(),
        sites=None if tenant_id is None else frozenset({tenant_id}),
        session_id=session.id,
        assurance=assurance_of(session.how.issuer, session.how.amr),
    )
