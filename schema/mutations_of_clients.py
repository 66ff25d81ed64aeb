"""The mutations about clients of the square as a provider, and about what people let them do.

Promises: bindings only; what is done stands in `schema/services/client.py`.
"""

from datetime import datetime

import strawberry

from auth.scopes import Scope
from schema.bind import NOTHING, bound
from schema.client import Client
from schema.inputs import client as inputs
from schema.payload import made, mutation
from schema.services import client

TOLD_ONCE = "It is told this once; null for a client without one, and where the request is repeated with its key."


@bound(NOTHING)
@strawberry.type(description="The client that was registered.")
class RegisterClientPayload:
    """What `registerClient` gives back."""

    client: Client | None = made("client", "The new client.")
    secret: str | None = made("secret", f"Its secret. {TOLD_ONCE}")


@bound(NOTHING)
@strawberry.type(description="The client after the change.")
class UpdateClientPayload:
    """What `updateClient` gives back."""

    client: Client | None = made("client", "The client as it is now.")


@bound(NOTHING)
@strawberry.type(description="The client with its new secret.")
class RotateClientSecretPayload:
    """What `rotateClientSecret` gives back."""

    client: Client | None = made("client", "The client as it is now.")
    secret: str | None = made("secret", f"Its new secret. {TOLD_ONCE}")


@bound(NOTHING)
@strawberry.type(description="The client that is gone.")
class DeleteClientPayload:
    """What `deleteClient` gives back."""

    deleted_id: strawberry.ID | None = made("deletedId", "The id of the client, to drop it from what is held.")


@bound(NOTHING)
@strawberry.type(description="The consent that was taken back.")
class RevokeConsentPayload:
    """What `revokeConsent` gives back."""

    deleted_id: strawberry.ID | None = made("deletedId", "The id of the consent, to drop it from what is held.")


@bound(NOTHING)
@strawberry.type(description="The keys that were renewed.")
class RotateSigningKeysPayload:
    """What `rotateSigningKeys` gives back."""

    signs_from: datetime | None = made("signsFrom", "From when on the new keys sign.")


@bound(NOTHING)
@strawberry.type(description="What can be changed about clients, and about what they may do.")
class ClientMutations:
    """What can be changed about clients."""

    register_client: RegisterClientPayload | None = mutation(
        client.register_client,
        "client",
        inputs.RegisterClientInput,
        "Registers an app or service that signs people in with the square's account: one of a site for its admins, one "
        "of the platform for operators. Its secret is told once.",
        needs=Scope.ADMIN,
        privileged=True,
    )
    update_client: UpdateClientPayload | None = mutation(
        client.update_client,
        "client",
        inputs.UpdateClientInput,
        "Changes a client. For those who can register it.",
        needs=Scope.ADMIN,
        privileged=True,
    )
    rotate_client_secret: RotateClientSecretPayload | None = mutation(
        client.rotate_client_secret,
        "client",
        inputs.RotateClientSecretInput,
        "Gives a client a new secret, told once; the old one is good for 24 hours more. For those who can register it.",
        needs=Scope.ADMIN,
        privileged=True,
    )
    delete_client: DeleteClientPayload | None = mutation(
        client.delete_client,
        "deletedId",
        inputs.DeleteClientInput,
        "Removes a client, with everything that it was granted, at once. For those who can register it.",
        needs=Scope.ADMIN,
        privileged=True,
    )
    revoke_consent: RevokeConsentPayload | None = mutation(
        client.revoke_consent,
        "deletedId",
        inputs.RevokeConsentInput,
        "Takes back what the viewer lets an app or service do; whatever it holds of them ends at once.",
        needs=Scope.ACCOUNT,
        privileged=True,
    )
    rotate_signing_keys: RotateSigningKeysPayload | None = mutation(
        client.rotate_signing_keys,
        "signsFrom",
        inputs.RotateSigningKeysInput,
        "Renews the keys that sign tokens; they are renewed by themselves, too. For operators.",
        needs=Scope.PLATFORM,
        privileged=True,
    )
