"""The ID tokens that sessions began with: kept sealed, for the issuer to see when somebody signs out there.

Promises: a token is readable by this gateway only, and gone with its session. Never kept for anything else.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.seal import LONGEST, Seal, SealBroken
from tenants.issuer_tables import Vouched
from tenants.tables import table_of

VOUCHED = table_of(Vouched)


async def keep_id_token(tx: AsyncConnection, seal: Seal, session_id: UUID, id_token: str) -> None:
    """Keep the token of a session; one that is too long is let go of."""
    sealed = seal.close(str(session_id), id_token)
    if len(sealed) <= LONGEST:
        await tx.execute(insert(VOUCHED).values(session_id=session_id, id_token=sealed))


async def load_id_token(tx: AsyncConnection, seal: Seal, session_id: UUID) -> str | None:
    """The token of a session, or None."""
    sealed = await tx.scalar(select(VOUCHED.c.id_token).where(VOUCHED.c.session_id == session_id))
    try:
        return None if sealed is None else str(seal.open(str(session_id), sealed))
    except SealBroken:
        return None
