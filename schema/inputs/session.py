"""Inputs about sessions."""

import strawberry

from schema.inputs.fields import optional, required


@strawberry.input(description="A session to end.")
class RevokeSessionInput:
    """A session to end."""

    id: strawberry.ID = required("The session.")


@strawberry.input(description="Which session to keep.")
class RevokeOtherSessionsInput:
    """Which session to keep."""

    keep: strawberry.ID | None = optional(
        "The session to keep. If not given: the one that the request came by, or none if it came by an access token."
    )
