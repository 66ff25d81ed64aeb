"""The mutations about the viewer's own account: they concern no site.

Promises: none of them is for a credential that is not good for the account itself. Bindings only; what is done stands
in `schema/services/`.
"""

import strawberry

from auth.scopes import Scope
from schema.account import Account
from schema.api_key import ApiKey
from schema.bind import NOTHING, bound
from schema.inputs import api_key as inputs
from schema.inputs import issuer as issuer_inputs
from schema.inputs import session as sessions
from schema.payload import made, mutation
from schema.services import api_key, own_account, session


@bound(NOTHING)
@strawberry.type(description="The key that was made.")
class CreateApiKeyPayload:
    """What `createApiKey` gives back."""

    api_key: ApiKey | None = made("apiKey", "The new key, as it is listed.")
    secret: str | None = made(
        "secret",
        "The key itself, to be sent as `Authorization: Bearer <key>`. It is told this once; null where the request is "
        "repeated with its idempotency key.",
    )


@bound(NOTHING)
@strawberry.type(description="The key that lets nobody in any more.")
class RevokeApiKeyPayload:
    """What `revokeApiKey` gives back."""

    api_key: ApiKey | None = made("apiKey", "The key as it is now.")


@bound(NOTHING)
@strawberry.type(description="The session that is over.")
class RevokeSessionPayload:
    """What `revokeSession` gives back."""

    revoked_id: strawberry.ID | None = made("revokedId", "The id of the session, which is no longer there.")


@bound(NOTHING)
@strawberry.type(description="How many sessions are over.")
class RevokeOtherSessionsPayload:
    """What `revokeOtherSessions` gives back."""

    count: int | None = made("count", "How many ended, those on sites' hosts included.")


@bound(NOTHING)
@strawberry.type(description="The account after the change.")
class UpdateAccountPayload:
    """What `updateAccount` gives back."""

    account: Account | None = made("account", "The account as it is now.")


@bound(NOTHING)
@strawberry.type(description="The way to sign in that is gone.")
class UnlinkIdentityPayload:
    """What `unlinkIdentity` gives back."""

    deleted_id: strawberry.ID | None = made(
        "deletedId", "The id of the identity, to drop it from what the client holds."
    )
    account: Account | None = made("account", "The account as it is now.")


@bound(NOTHING)
@strawberry.type(description="What can be changed about the viewer's own account.")
class AccountMutations:
    """What can be changed about the viewer's own account."""

    update_account: UpdateAccountPayload | None = mutation(
        own_account.update_account,
        "account",
        issuer_inputs.UpdateAccountInput,
        "Changes the viewer's name and language. They stand on the account once, and every site shows them.",
        needs=Scope.ACCOUNT,
        privileged=True,
    )
    unlink_identity: UnlinkIdentityPayload | None = mutation(
        own_account.unlink_identity_of_viewer,
        "deletedId",
        issuer_inputs.UnlinkIdentityInput,
        "Takes away one of the ways in which the viewer signs in at issuers, and ends the sessions elsewhere that "
        "began so. The last way to sign in cannot be taken away: CONFLICT. One more is added at `/account/identities`.",
        needs=Scope.ACCOUNT,
        privileged=True,
    )
    create_api_key: CreateApiKeyPayload | None = mutation(
        api_key.create_api_key,
        "apiKey",
        inputs.CreateApiKeyInput,
        "Makes a key for a machine that works for the viewer. It may never do more than the viewer may at that moment, "
        "and of that what its scopes and sites say. The key is told once.",
        needs=Scope.ACCOUNT,
        privileged=True,
    )
    revoke_api_key: RevokeApiKeyPayload | None = mutation(
        api_key.revoke_api_key,
        "apiKey",
        inputs.RevokeApiKeyInput,
        "Ends a key of the viewer's at once, with every connection that it opened. One that is revoked stays so.",
        needs=Scope.ACCOUNT,
        privileged=True,
    )
    revoke_session: RevokeSessionPayload | None = mutation(
        session.revoke_session,
        "revokedId",
        sessions.RevokeSessionInput,
        "Signs the viewer out in one browser, at once and on every host, with every connection that it opened.",
        needs=Scope.ACCOUNT,
        privileged=True,
    )
    revoke_other_sessions: RevokeOtherSessionsPayload | None = mutation(
        session.revoke_other_sessions,
        "count",
        sessions.RevokeOtherSessionsInput,
        "Signs the viewer out everywhere else, at once.",
        needs=Scope.ACCOUNT,
        privileged=True,
    )
