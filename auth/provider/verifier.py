"""Access tokens of this provider at the API: from a token to a viewer, or a refusal.

Promises: a token counts with its signature and its time, and as long as the grant it hangs on, the account and the
session are good. That is read once in half a minute; what ends in between is told at once. A viewer may do what the
token's scopes and sites say, and nothing on any other site; a site that demands a second factor or an issuer knows
those who signed in so.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import time
from uuid import UUID

from sqlalchemy import select

from auth.accounts import ACCOUNT
from auth.assurance import UNSURE, assurance_of
from auth.errors import Unauthenticated
from auth.provider.grants import GRANT, grant_from, is_living
from auth.provider.provider import Provider, utc_now
from auth.provider.tokens import Access, key_id_of, read_access_token
from auth.remembered import Remembered
from auth.scopes import with_included
from auth.sessions import SESSION
from auth.tokens import TokenVerifier
from auth.viewer import PlatformRole, Viewer


class AccessTokenVerifier:
    """Verifies the access tokens of this provider, and gives all others to `others`. One per process."""

    def __init__(self, provider: Provider, others: TokenVerifier) -> None:
        self._provider = provider
        self._others = others
        # Asked with every request: one memory for both, and the plain clock where it is the plain time anyhow.
        self.memory = Remembered(time if provider.clock is utc_now else lambda: provider.clock().timestamp())
        others.memory = self.memory

    async def verify(self, token: str) -> Viewer:
        """Return the viewer of this token. Raises `TokenExpired` or `Unauthenticated`, and whatever reading raises."""
        viewer = self.memory.find(token)
        if viewer is not None:
            return viewer
        try:
            key_id_of(token)
        except Unauthenticated:
            return await self._others.verify(token)
        forgotten, provider = self.memory.forgotten, self._provider
        access = await read_access_token(provider.keys, provider.settings, token, provider.clock())
        viewer = await self._viewer(access)
        self.memory.keep(token, viewer, access.expires_at, forgotten)
        return viewer

    async def _viewer(self, access: Access) -> Viewer:
        now = self._provider.clock()
        found = (
            select(*GRANT.c, ACCOUNT.c.role, SESSION.c.issuer, SESSION.c.amr)
            .join_from(GRANT, ACCOUNT, ACCOUNT.c.id == GRANT.c.account_id)
            .outerjoin(SESSION, SESSION.c.id == GRANT.c.session_id)
            .where(GRANT.c.id == access.grant_id, is_living(now, self._provider.settings.sessions))
        )
        async with self._provider.transaction() as tx:
            row = (await tx.execute(found)).first()
        if row is None or row.client_id != access.client_id:
            raise Unauthenticated
        grant = grant_from(row)
        viewer = Viewer(
            grant.account_id,
            PlatformRole(row.role),
            float(access.expires_at),
            session_id=None if grant.outlives_session else grant.session_id,
            client_id=grant.client_id,
            grant_id=grant.id,
            assurance=UNSURE if grant.issuer is None else assurance_of(grant.issuer, grant.amr),
        )
        scopes = with_included(access.scopes & grant.scopes)
        return viewer.narrowed_to(scopes, _both(access.tenant_ids, grant.tenant_ids))


def _both(token: frozenset[UUID] | None, grant: Iterable[UUID] | None) -> frozenset[UUID] | None:
    """The sites that both are for; None for all."""
    if grant is None:
        return token
    return frozenset(grant) if token is None else token & frozenset(grant)
