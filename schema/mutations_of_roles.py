"""The mutations about who may do what: members' roles, ownership of a site, and accounts on the square.

Promises: none of them gives anybody more than whoever does it has. Bindings only; what is done stands in
`schema/services/`.
"""

import strawberry

from auth.scopes import Scope
from schema.account import Member
from schema.bind import NOTHING, bound
from schema.inputs import account as account_inputs
from schema.inputs import member as member_inputs
from schema.levels import PlatformRole
from schema.ownership import OwnershipOffer
from schema.payload import made, mutation
from schema.services import account, ownership, role
from schema.site import Site


@bound(NOTHING)
@strawberry.type(description="The member with their role.")
class SetMemberRolePayload:
    """What `setMemberRole` gives back."""

    member: Member | None = made("member", "The member as they are now.")


@bound(NOTHING)
@strawberry.type(description="The member who is gone.")
class RemoveMemberPayload:
    """What `removeMember` gives back."""

    removed_id: strawberry.ID | None = made("removedId", "The id of the member, to drop it from what the client holds.")


@bound(NOTHING)
@strawberry.type(description="The offer that was made.")
class OfferOwnershipPayload:
    """What `offerOwnership` gives back."""

    offer: OwnershipOffer | None = made("offer", "The offer.")


@bound(NOTHING)
@strawberry.type(description="The site with its new owner.")
class AcceptOwnershipPayload:
    """What `acceptOwnership` gives back."""

    site: Site | None = made("site", "The site, as its owner sees it.")
    member: Member | None = made("member", "The viewer as a member.")


@bound(NOTHING)
@strawberry.type(description="The offer that is gone.")
class DeclineOwnershipPayload:
    """What `declineOwnership` gives back."""

    declined_id: strawberry.ID | None = made(
        "declinedId", "The id of the offer, to drop it from what the client holds."
    )


@bound(NOTHING)
@strawberry.type(description="The account and its role.")
class SetPlatformRolePayload:
    """What `setPlatformRole` gives back."""

    account_id: strawberry.ID | None = made("accountId", "The account.")
    role: PlatformRole | None = made("role", "Its role now.")


@bound(NOTHING)
@strawberry.type(description="The suspended account.")
class SuspendAccountPayload:
    """What `suspendAccount` gives back."""

    account_id: strawberry.ID | None = made("accountId", "The account.")


@bound(NOTHING)
@strawberry.type(description="The account that can sign in again.")
class ResumeAccountPayload:
    """What `resumeAccount` gives back."""

    account_id: strawberry.ID | None = made("accountId", "The account.")


@bound(NOTHING)
@strawberry.type(description="What can be changed about who may do what.")
class RoleMutations:
    """What can be changed about who may do what."""

    set_member_role: SetMemberRolePayload | None = mutation(
        role.set_member_role,
        "member",
        member_inputs.SetMemberRoleInput,
        "Gives a member another role. For admins and owners, up to their own role and for members up to it. The last "
        "owner stays one: CONFLICT.",
        needs=Scope.ADMIN,
        privileged=True,
    )
    remove_member: RemoveMemberPayload | None = mutation(
        role.remove_member,
        "removedId",
        member_inputs.RemoveMemberInput,
        "Ends another's membership of a site and of its groups; what they wrote stays. For admins and owners, for "
        "members up to their own role. Where `joining` is OPEN they can come back.",
        needs=Scope.ADMIN,
        privileged=True,
    )
    offer_ownership: OfferOwnershipPayload | None = mutation(
        ownership.offer_ownership,
        "offer",
        member_inputs.OfferOwnershipInput,
        "Offers the ownership of a site to one of its members, for a week. For owners. An offer made again is the new "
        "one.",
        needs=Scope.ADMIN,
        privileged=True,
    )
    accept_ownership: AcceptOwnershipPayload | None = mutation(
        ownership.accept_ownership,
        "site",
        member_inputs.AcceptOwnershipInput,
        "Makes the viewer an owner of a site that was offered to them. Without an offer that is good: NOT_FOUND.",
        needs=Scope.ADMIN,
        privileged=True,
    )
    decline_ownership: DeclineOwnershipPayload | None = mutation(
        ownership.decline_ownership,
        "declinedId",
        member_inputs.DeclineOwnershipInput,
        "Takes an offer of ownership away. For whom it was made to, and for owners.",
        needs=Scope.ADMIN,
        privileged=True,
    )
    set_platform_role: SetPlatformRolePayload | None = mutation(
        account.set_platform_role,
        "accountId",
        account_inputs.SetPlatformRoleInput,
        "Gives an account a role on the square. For operators. The last operator stays one: CONFLICT.",
        needs=Scope.PLATFORM,
        privileged=True,
    )
    suspend_account: SuspendAccountPayload | None = mutation(
        account.suspend_account,
        "accountId",
        account_inputs.SuspendAccountInput,
        "Lets nobody in as this account: every session, key and grant is over for good, on all sites, and every "
        "connection is closed. What it wrote stays. For operators. A suspended account stays as it is.",
        needs=Scope.PLATFORM,
        privileged=True,
    )
    resume_account: ResumeAccountPayload | None = mutation(
        account.resume_account,
        "accountId",
        account_inputs.ResumeAccountInput,
        "Lets the owner of a suspended account sign in again. For operators. One that is not suspended stays as it is.",
        needs=Scope.PLATFORM,
        privileged=True,
    )
