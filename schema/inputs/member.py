"""Inputs about members of a site, their roles, and handing a site over."""

import strawberry

from schema.inputs.fields import optional, required
from schema.levels import MemberRole


@strawberry.input(description="A role for a member.")
class SetMemberRoleInput:
    """A role for a member."""

    member: strawberry.ID = required("The member.")
    role: MemberRole = required(
        "The role to have from now on, none above one's own. OWNER is not given: it is offered, with `offerOwnership`."
    )


@strawberry.input(description="A member to remove.")
class RemoveMemberInput:
    """A member to remove."""

    member: strawberry.ID = required("The member; not oneself, which is `leaveSite`.")


@strawberry.input(description="The ownership of a site, offered to one of its members.")
class OfferOwnershipInput:
    """The ownership of a site, offered to one of its members."""

    member: strawberry.ID = required("The member who is to become an owner.")
    steps_down: bool | None = optional(
        "Whether whoever offers it becomes an admin when it is accepted: true if not given. With false the site has "
        "one more owner."
    )


@strawberry.input(description="An offer of ownership to accept.")
class AcceptOwnershipInput:
    """An offer of ownership to accept."""

    site: strawberry.ID = required("The site that is offered to the viewer.")


@strawberry.input(description="An offer of ownership to decline or to withdraw.")
class DeclineOwnershipInput:
    """An offer of ownership to decline or to withdraw."""

    offer: strawberry.ID = required("The offer: one's own to decline, or one that one made to withdraw.")
