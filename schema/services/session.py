"""Ending sessions: signing out, in this browser or in others.

Promises: a session that ends is over at once, on every host, with the connections that it opened.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from auth.sessions import SESSION, close_session, close_sessions_of
from auth.viewer import Viewer
from schema.errors import not_found
from schema.inputs.session import RevokeOtherSessionsInput, RevokeSessionInput
from schema.services.texts import given, require_account
from schema.work import Done, Work


async def revoke_session(work: Work, viewer: Viewer, asked: RevokeSessionInput) -> Done:
    """Ends one of the viewer's sessions."""
    me = require_account(viewer, asked)
    session_id = work.key_on_platform(asked.id, "N", "input.id")
    if not await close_session(work.tx, me, session_id):
        raise not_found("input.id")
    work.has_revoked = True
    await work.audit(viewer, "session.ended", f"session:{session_id}")
    return Done(None, {"revokedId": asked.id})


async def revoke_other_sessions(work: Work, viewer: Viewer, asked: RevokeOtherSessionsInput) -> Done:
    """Ends all of the viewer's sessions but one."""
    me = require_account(viewer, asked)
    ended = await close_sessions_of(work.tx, me, but=await _kept(work, me, viewer, given(asked.keep)))
    if ended:
        work.has_revoked = True
        await work.audit(viewer, "session.others_ended", f"account:{me}", count=len(ended))
    return Done(None, {"count": len(ended)})


async def _kept(work: Work, me: UUID, viewer: Viewer, keep: str | None) -> UUID | None:
    """The session to keep: where it was made from another, that one, as it hangs on it."""
    session_id = viewer.session_id if keep is None else work.key_on_platform(keep, "N", "input.keep")
    if session_id is None:
        return None
    mine = (SESSION.c.id == session_id, SESSION.c.account_id == me)
    found = (await work.tx.execute(select(SESSION.c.id, SESSION.c.parent_id).where(*mine))).first()
    if found is None:
        raise not_found("input.keep")
    return UUID(str(found.parent_id or found.id))
