"""Fields that several inputs share, said once.

Promises: an optional field that is left out, or null, means the default on creation and no change on update.
"""

from typing import Any

import strawberry


def optional(description: str) -> Any:
    """A field that may be left out."""
    return strawberry.field(default=strawberry.UNSET, description=description)


def required(description: str) -> Any:
    """A field that must be given."""
    return strawberry.field(description=description)


def idempotency_key() -> Any:
    """The field by which a client may repeat a request without doing it twice."""
    return optional(
        "Text of 1 to 200 characters that the client makes up for this one request, such as a UUID. Repeating the same "
        "request with the same key gives the first answer and does nothing; another request with it is a CONFLICT."
    )


def version() -> Any:
    """The field by which a client says which version it saw."""
    return required("The `version` that was read; if it is no longer the current one, nothing changes: CONFLICT.")
