"""Pages that tell what went wrong, and what one can do about it.

Promises: every fault gets a page with its code and a status of HTTP; what we did not foresee shows an id under which it
was logged, and nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import problem_from
from gateway.pages.forms import FormRefused
from gateway.pages.layout import page
from gateway.pages.words import is_known
from schema.errors import ErrorCode

Endpoint = Callable[[Request], Awaitable[Response]]


def error_page(
    request: Request,
    status: int,
    code: str,
    *,
    reason: str | None = None,
    way_on: tuple[str, str] | None = None,
    **values: Any,
) -> Response:
    """A page that tells of a fault.

    `code` is shown, for who asks for help. `reason` is the key of a sentence in `words`, filled with `values`; without
    one, `error.<code>` is told, or what belongs to the status. `way_on` is a key and where it leads: a link.
    """
    if reason is None:
        reason = f"error.{code}" if is_known(f"error.{code}") else "error.other"
    return page(request, "error.html", status, code=code, reason=reason, way_on=way_on, reason_values=values)


def guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint, with a page for whatever it raises."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except FormRefused as refused:
            return error_page(
                request,
                refused.status,
                ErrorCode.FORBIDDEN,
                reason=refused.reason,
                way_on=("error.again", request.url.path),
            )
        except Exception as error:  # the one map decides what is shown
            return page_of_fault(request, error)

    return answered


def page_of_fault(request: Request, error: Exception) -> Response:
    """The page for an exception."""
    problem = problem_from(error)
    told = problem.errors[0]["extensions"]
    response = error_page(request, problem.status, told["code"], request_id=told.get("requestId", ""))
    response.raw_headers.extend(problem.headers)
    return response


def wants_page(request: Request) -> bool:
    """Whether a browser asks for something to show, rather than a program for an answer."""
    return "text/html" in request.headers.get("accept", "")
