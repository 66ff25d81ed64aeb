"""Inputs about groups and who is in them."""

import strawberry

from schema.inputs.fields import idempotency_key, optional, required, version
from schema.levels import AccessLevel, Joining


@strawberry.input(description="A group to start.")
class CreateGroupInput:
    """A group to start."""

    site: strawberry.ID = required("The site it is on.")
    name: str = required("Its name: 1 to 200 characters.")
    description: str | None = optional("What it is for: 5,000 characters at most. Empty if not given.")
    access: AccessLevel | None = optional(
        "Who may read in it, a ceiling for all in it: GROUP, MEMBERS, ACCOUNTS or PUBLIC. MEMBERS if not given."
    )
    joining: Joining | None = optional("How one becomes a member. OPEN if not given.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a group; what is not given stays as it is.")
class UpdateGroupInput:
    """Changes to a group."""

    id: strawberry.ID = required("The group.")
    version: int = version()
    name: str | None = optional("Its name: 1 to 200 characters.")
    description: str | None = optional("What it is for: 5,000 characters at most.")
    access: AccessLevel | None = optional(
        "Who may read in it, a ceiling for all in it: GROUP, MEMBERS, ACCOUNTS or PUBLIC. Works at once and can be "
        "undone."
    )
    joining: Joining | None = optional("How one becomes a member.")


@strawberry.input(description="A group to join.")
class JoinGroupInput:
    """A group to join."""

    group: strawberry.ID = required("The group.")


@strawberry.input(description="A group to leave.")
class LeaveGroupInput:
    """A group to leave."""

    group: strawberry.ID = required("The group.")
