"""Inputs of operators about accounts."""

import strawberry

from schema.inputs.fields import required
from schema.levels import PlatformRole


@strawberry.input(description="A role on the square for an account.")
class SetPlatformRoleInput:
    """A role on the square for an account."""

    account: strawberry.ID = required("The account.")
    role: PlatformRole = required("The role to have from now on.")


@strawberry.input(description="An account to suspend.")
class SuspendAccountInput:
    """An account to suspend."""

    account: strawberry.ID = required("The account.")


@strawberry.input(description="An account to resume.")
class ResumeAccountInput:
    """An account to resume."""

    account: strawberry.ID = required("The account.")
