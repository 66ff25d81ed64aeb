"""What somebody changes about their own account: name, language, and the ways in which they sign in.

Promises: it stands on the account once, and sites show what stands there. The last way to sign in stays.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import false, or_, update

from auth.accounts import ACCOUNT
from auth.identities import LastWayIn, unlink_identity
from auth.viewer import Viewer
from schema.errors import ErrorCode, PleinError, bad_input, not_found
from schema.inputs.issuer import UnlinkIdentityInput, UpdateAccountInput
from schema.relay import PLATFORM_ID, NodeId, encode_id
from schema.services.texts import given, line, require_account
from schema.work import Done, Work

NAME_MAX = 200
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")
LANGUAGE_MAX = 35


async def update_account(work: Work, viewer: Viewer, asked: UpdateAccountInput) -> Done:
    """Changes the viewer's own account."""
    me = require_account(viewer, asked)
    values: dict[str, Any] = {
        "name": line(asked.name, "input.name", NAME_MAX),
        "language": _language(given(asked.language)),
    }
    changes = {name: value for name, value in values.items() if value is not None}
    node = NodeId("A", PLATFORM_ID, me)
    differs = or_(false(), *(ACCOUNT.c[name].is_distinct_from(value) for name, value in changes.items()))
    changed = update(ACCOUNT).where(ACCOUNT.c.id == me, differs).values(changes) if changes else None
    if changed is not None and (await work.tx.execute(changed)).rowcount:
        await work.audit(viewer, "account.updated", encode_id(node), fields=sorted(changes))
    return Done(None, {"account": node})


async def unlink_identity_of_viewer(work: Work, viewer: Viewer, asked: UnlinkIdentityInput) -> Done:
    """Takes a way to sign in away, with what it has opened elsewhere."""
    me = require_account(viewer, asked)
    key = work.key_on_platform(asked.id, "D", "input.id")
    usable = {issuer.url for issuer in await work.about.directory.load_all(work.tx)}
    try:
        done = await unlink_identity(
            work.tx, me, key, usable=usable, passwords=work.about.passwords, but=viewer.session_id
        )
    except LastWayIn as error:
        raise PleinError(ErrorCode.CONFLICT, error.message, field="input.id") from None
    if done is None:
        raise not_found("input.id")
    identity, ended = done
    work.has_revoked = bool(ended)
    await work.audit(
        viewer,
        "identity.unlinked",
        encode_id(NodeId("A", PLATFORM_ID, me)),
        issuer=identity.issuer,
        email=identity.email,
    )
    return Done(None, {"deletedId": asked.id, "account": NodeId("A", PLATFORM_ID, me)})


def _language(tag: str | None) -> str | None:
    if tag is not None and (len(tag) > LANGUAGE_MAX or LANGUAGE.fullmatch(tag) is None):
        raise bad_input("input.language", "A BCP 47 tag, such as `nl` or `fy`.")
    return tag
