"""The mutations about the issuers that people sign in with: for operators, they concern no site.

Promises: bindings only; what is done stands in `schema/services/issuer.py`.
"""

import strawberry

from auth.scopes import Scope
from schema.bind import NOTHING, bound
from schema.inputs import issuer as inputs
from schema.issuer import Issuer
from schema.payload import made, mutation
from schema.services import issuer


@bound(NOTHING)
@strawberry.type(description="The issuer that was added.")
class CreateIssuerPayload:
    """What `createIssuer` gives back."""

    issuer: Issuer | None = made("issuer", "The new issuer.")


@bound(NOTHING)
@strawberry.type(description="The issuer after the change.")
class UpdateIssuerPayload:
    """What `updateIssuer` gives back."""

    issuer: Issuer | None = made("issuer", "The issuer as it is now.")


@bound(NOTHING)
@strawberry.type(description="The issuer that is gone.")
class DeleteIssuerPayload:
    """What `deleteIssuer` gives back."""

    deleted_id: strawberry.ID | None = made("deletedId", "The id of the issuer, to drop it from what the client holds.")


@bound(NOTHING)
@strawberry.type(description="What can be changed about the issuers that people sign in with.")
class IssuerMutations:
    """What can be changed about the issuers that people sign in with."""

    create_issuer: CreateIssuerPayload | None = mutation(
        issuer.create_issuer,
        "issuer",
        inputs.CreateIssuerInput,
        "Lets people sign in with an OpenID Connect issuer. For operators. A key or an address that is taken is a "
        "CONFLICT.",
        needs=Scope.PLATFORM,
        privileged=True,
    )
    update_issuer: UpdateIssuerPayload | None = mutation(
        issuer.update_issuer,
        "issuer",
        inputs.UpdateIssuerInput,
        "Changes an issuer. For operators.",
        needs=Scope.PLATFORM,
        privileged=True,
    )
    delete_issuer: DeleteIssuerPayload | None = mutation(
        issuer.delete_issuer,
        "deletedId",
        inputs.DeleteIssuerInput,
        "Takes an issuer out: nobody signs in with it any more. Who is signed in stays so, and identities count again "
        "if it comes back. For operators.",
        needs=Scope.PLATFORM,
        privileged=True,
    )
