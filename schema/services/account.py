"""What operators do to accounts.

Promises: only operators learn which accounts there are. Suspending who is suspended, resuming who is not, and giving
the role that somebody has succeed and change nothing; the square keeps an operator.
"""

from __future__ import annotations

from uuid import UUID

from auth import suspension
from auth.errors import LastOperator
from auth.viewer import PlatformRole, Viewer
from schema.errors import ErrorCode, PleinError, not_found
from schema.inputs.account import ResumeAccountInput, SetPlatformRoleInput, SuspendAccountInput
from schema.services.standing import forbidden
from schema.services.texts import require_account
from schema.work import Done, Work

FIELD = "input.account"


async def set_platform_role(work: Work, viewer: Viewer, asked: SetPlatformRoleInput) -> Done:
    """Gives an account a role on the square."""
    account_id = _enter(work, viewer, asked, asked.account)
    role = PlatformRole[asked.role.name]
    try:
        before = await suspension.set_platform_role(work.tx, account_id, role)
    except LastOperator as error:
        raise PleinError(ErrorCode.CONFLICT, error.message, field=FIELD) from None
    if before is None:
        raise not_found(FIELD)
    if before is not role:
        work.has_revoked = True
        await work.audit(viewer, "account.role_set", asked.account, role=role.name, before=before.name)
    return Done(None, {"accountId": asked.account, "role": role.name})


async def suspend_account(work: Work, viewer: Viewer, asked: SuspendAccountInput) -> Done:
    """Lets nobody in as this account, at once and everywhere."""
    account_id = _enter(work, viewer, asked, asked.account)
    try:
        changed = await suspension.suspend_account(work.tx, account_id)
    except LastOperator as error:
        raise PleinError(ErrorCode.CONFLICT, error.message, field=FIELD) from None
    if changed is None:
        raise not_found(FIELD)
    if changed:
        work.has_revoked = True
        await work.audit(viewer, "account.suspended", asked.account)
    return Done(None, {"accountId": asked.account})


async def resume_account(work: Work, viewer: Viewer, asked: ResumeAccountInput) -> Done:
    """Lets its owner in again, who signs in anew."""
    account_id = _enter(work, viewer, asked, asked.account)
    changed = await suspension.resume_account(work.tx, account_id)
    if changed is None:
        raise not_found(FIELD)
    if changed:
        await work.audit(viewer, "account.resumed", asked.account)
    return Done(None, {"accountId": asked.account})


def _enter(work: Work, viewer: Viewer, asked: object, text: str) -> UUID:
    """The key of the account, for operators."""
    require_account(viewer, asked)
    if not viewer.is_operator:
        raise forbidden("Only operators of the square can do this.")
    return work.key_on_platform(text, "A", FIELD)
