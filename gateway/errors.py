"""The one map from whatever went wrong to what the caller is told, and with which HTTP status.

Promises: every error on every transport has the same shape, `{"message", "locations"?, "path"?, "extensions": {"code",
"field"?, "requestId"?}}`. What we did not foresee is masked: the caller gets a request id, the log gets the exception
under that id. Never shows the text of an exception that was not written for callers.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError

from auth.errors import AuthError, Busy, TooManyAttempts, Unauthenticated
from gateway.record import note_code
from gateway.request_id import current_request_id
from schema.errors import ErrorCode, PleinError
from storage.errors import StoreUnavailable
from tenants.errors import DatabaseUnavailable, LockTimeout, NotMigrated, ReaderBusy, StatementTimeout

ErrorObject = dict[str, Any]
"""One member of `errors` in a GraphQL response."""

Header = tuple[bytes, bytes]

RETRY_AFTER: Header = (b"retry-after", b"2")  # longer than the reader's first attempts to connect again
CHALLENGE: Header = (b"www-authenticate", b'Bearer realm="plein"')
LONGEST_MESSAGE = 1_000  # characters

STATUSES = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.SITE_SUSPENDED: 403,
    ErrorCode.STEP_UP_REQUIRED: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.CONFLICT: 409,
    ErrorCode.PERSISTED_QUERY_NOT_FOUND: 404,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.INTERNAL_SERVER_ERROR: 500,
    ErrorCode.UNAVAILABLE: 503,
}  # all others: 400
FORESEEN: tuple[tuple[type[Exception], ErrorCode, str], ...] = (
    (DatabaseUnavailable, ErrorCode.UNAVAILABLE, "The database cannot be reached just now; try again in a moment."),
    (ReaderBusy, ErrorCode.UNAVAILABLE, "The database is too busy just now; try again in a moment."),
    (StoreUnavailable, ErrorCode.UNAVAILABLE, "The file store cannot be reached just now; try again in a moment."),
    (NotMigrated, ErrorCode.UNAVAILABLE, "The database is being prepared; try again in a moment."),
    (LockTimeout, ErrorCode.CONFLICT, "Somebody else is changing the same thing just now; try again in a moment."),
    (StatementTimeout, ErrorCode.LIMIT_EXCEEDED, "This took longer than one statement may take; ask for less."),
)
HEADERS = {ErrorCode.UNAUTHENTICATED: (CHALLENGE,), ErrorCode.UNAVAILABLE: (RETRY_AFTER,)}

logger = logging.getLogger(__name__)


class Refusal(Exception):  # noqa: N818 - the door's own word: what was sent is not a GraphQL request at all
    """A request that HTTP itself can refuse: wrong method, media type, size or shape."""

    def __init__(self, status: int, message: str, *, headers: Sequence[Header] = (), field: str | None = None) -> None:
        """`status` is the HTTP status; `message` is for the caller."""
        super().__init__(message)
        self.status = status
        self.headers = tuple(headers)
        code = ErrorCode.LIMIT_EXCEEDED if status in {408, 413} else ErrorCode.BAD_USER_INPUT
        self.error = error_object(code, message, field=field)


class Throttled(PleinError):  # noqa: N818 - a state of the caller
    """A caller who asks too much in too short a time; `headers` tell when to come back."""

    def __init__(self, message: str, headers: Sequence[Header]) -> None:
        super().__init__(ErrorCode.RATE_LIMITED, message)
        self.headers = tuple(headers)


class Rejected(Exception):  # noqa: N818 - a verdict on a document or its variables; may hold several errors
    """A well-formed request whose document or variables are not in order, with one error object for each fault."""

    def __init__(self, errors: Sequence[ErrorObject]) -> None:
        """`errors` are ready for the response; they hold no syntax tree, so that a verdict is small enough to keep."""
        super().__init__(errors[0]["message"])
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class Problem:
    """A whole request that failed. `malformed`: it was no GraphQL request, whatever media type was asked for."""

    status: int
    errors: tuple[ErrorObject, ...]
    headers: tuple[Header, ...] = ()
    malformed: bool = False


def problem_from(error: Exception) -> Problem:
    """What to answer when a request as a whole failed with this exception."""
    if isinstance(error, Refusal | Rejected):
        note_code(code_of(error))
    if isinstance(error, Refusal):
        return Problem(error.status, (error.error,), error.headers, malformed=True)
    if isinstance(error, Rejected):
        return Problem(400, error.errors)
    described = error_from(error)
    code = ErrorCode(described["extensions"]["code"])
    headers = error.headers if isinstance(error, Throttled) else HEADERS.get(code, ())
    if isinstance(error, TooManyAttempts):
        headers = ((b"retry-after", b"%d" % error.wait_s),)
    return Problem(STATUSES.get(code, 400), (described,), headers)


def error_from(
    error: Exception, *, path: Sequence[str | int] | None = None, locations: Sequence[Any] | None = None
) -> ErrorObject:
    """The error object for this exception, at this place in the response and the document where it has one."""
    if isinstance(error, GraphQLError):
        path, locations = path or error.path, locations or error.locations
        if error.original_error is None:
            code = "PARSE_FAILED" if isinstance(error, GraphQLSyntaxError) else "VALIDATION_FAILED"
            return error_object(ErrorCode(f"GRAPHQL_{code}"), error.message, path=path, locations=locations)
        return error_from(error.original_error, path=path, locations=locations)
    note_code(code_of(error))
    known = _known(error)
    if known is not None:
        known_code, message, field = known
        made = error_object(known_code, message, field=field, path=path, locations=locations)
        if isinstance(error, PleinError):
            made["extensions"] |= error.more
        return made
    request_id = current_request_id()
    logger.error("request %s failed", request_id, exc_info=error)
    message = "Something went wrong on our side. It has been logged under this request id."
    masked = error_object(ErrorCode.INTERNAL_SERVER_ERROR, message, path=path, locations=locations)
    masked["extensions"]["requestId"] = request_id
    return masked


def code_of(error: Exception) -> str:
    """The code that an exception is told by. Shows and logs nothing."""
    if isinstance(error, Refusal | Rejected):
        told = error.error if isinstance(error, Refusal) else error.errors[0]
        return str(told["extensions"]["code"])
    known = _known(error)
    return (ErrorCode.INTERNAL_SERVER_ERROR if known is None else known[0]).value


def error_object(
    code: ErrorCode,
    message: str,
    *,
    field: str | None = None,
    path: Sequence[str | int] | None = None,
    locations: Sequence[Any] | None = None,
) -> ErrorObject:
    """An error as the response holds it. `locations` are graphql-core's, or `{"line", "column"}` objects."""
    # A message may quote a name from the document, and a name may be a megabyte.
    made: ErrorObject = {"message": message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}…"}
    if locations:
        made["locations"] = [each if isinstance(each, dict) else each.formatted for each in locations]
    if path:
        made["path"] = list(path)
    made["extensions"] = {"code": code.value} | ({"field": field} if field else {})
    return made


def _known(error: Exception) -> tuple[ErrorCode, str, str | None] | None:
    """Code, message and field of an exception that was foreseen; None for all others."""
    if isinstance(error, PleinError):
        return error.code, error.message, error.field
    if isinstance(error, TooManyAttempts | Busy):
        return (
            (ErrorCode.RATE_LIMITED if isinstance(error, TooManyAttempts) else ErrorCode.UNAVAILABLE),
            error.message,
            None,
        )
    if isinstance(error, AuthError):
        code = ErrorCode.UNAUTHENTICATED if isinstance(error, Unauthenticated) else ErrorCode.CONFLICT
        return code, error.message, None
    for kind, code, message in FORESEEN:
        if isinstance(error, kind):
            return code, message, None
    return None
