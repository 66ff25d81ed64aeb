"""What can go wrong for a caller, as codes: the one vocabulary of errors on every transport.

Promises: a `PleinError` is safe to show: its message is written for the caller and holds nothing of the inside.
Never used for our own faults; those stay what they are and are masked at the door.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from auth.scopes import SQUARE_WIDE, Scope


class ErrorCode(StrEnum):
    """The value of `extensions.code` in every error."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    CONFLICT = "CONFLICT"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    RATE_LIMITED = "RATE_LIMITED"
    SITE_SUSPENDED = "SITE_SUSPENDED"
    STEP_UP_REQUIRED = "STEP_UP_REQUIRED"
    UPLOAD_REJECTED = "UPLOAD_REJECTED"
    UNAVAILABLE = "UNAVAILABLE"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"


class PleinError(Exception):
    """An error for the caller: a code, a sentence, and for bad input the field's name (`input.slug`, `first`).

    `more` stands under `extensions` too: what a program needs to go on.
    """

    def __init__(
        self, code: ErrorCode, message: str, *, field: str | None = None, more: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.more = dict(more or {})

    @property
    def extensions(self) -> dict[str, str]:
        """What goes under `extensions` in the response."""
        return {"code": self.code.value} | ({"field": self.field} if self.field else {}) | self.more


def bad_input(field: str, message: str) -> PleinError:
    """Input that the schema's types allow but Plein does not."""
    return PleinError(ErrorCode.BAD_USER_INPUT, message, field=field)


def not_found(field: str) -> PleinError:
    """A thing that is not there, or that this viewer may not know of: the same error for both."""
    return PleinError(ErrorCode.NOT_FOUND, "There is no such thing, or it is not yours to see.", field=field)


def out_of_scope(needed: Scope) -> PleinError:
    """What the account may perhaps do, but not by the credential that was shown."""
    message = f"Your key or token is not good for this: it would need the scope `{needed}`"
    message += ", and to be for no sites in particular." if needed in SQUARE_WIDE else "."
    return PleinError(ErrorCode.FORBIDDEN, message)


def step_up_required(slug: str, base_url: str) -> PleinError:
    """A site that does not know the viewer by how they signed in. `base_url` is the square's own address."""
    message = "This site does not know you by how you signed in; sign in as it demands, and ask again."
    more = {"site": slug, "stepUpUrl": f"{base_url}/sign-in/step-up?site={slug}"}
    return PleinError(ErrorCode.STEP_UP_REQUIRED, message, more=more)
