"""Where a page is, and who may be there: on the platform's own host, signed in, a moment ago if need be.

Promises: passwords are asked for on the platform's own host only, so that nobody has to trust a site's host with one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from auth.sessions import SQUARE, Session
from gateway.pages.addresses import base_origin
from gateway.pages.faults import Endpoint
from gateway.pages.layout import here_of, session_of

RECENT = timedelta(minutes=15)
"""How long signing in is recent enough for changing how one signs in."""

SignedInEndpoint = Callable[[Request, Session], Awaitable[Response]]


def on_square(endpoint: Endpoint) -> Endpoint:
    """The endpoint on the platform's own host; asked on a site's, it leads to the platform's."""

    async def here(request: Request) -> Response:
        if here_of(request) == SQUARE:
            return await endpoint(request)
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{base_origin(request)}{request.url.path}{query}", 303)

    return here


def signed_in(endpoint: SignedInEndpoint) -> Endpoint:
    """The endpoint for somebody who is signed in, on the platform's own host; others sign in first."""

    async def known(request: Request) -> Response:
        session = await session_of(request)
        if session is None:
            return _leading_back("/sign-in", request)
        return await endpoint(request, session)

    return on_square(known)


def signed_in_again(endpoint: SignedInEndpoint) -> Endpoint:
    """The same for what changes how somebody signs in: they signed in a moment ago, or do so again first."""

    async def sure(request: Request, session: Session) -> Response:
        if not is_recent(session):
            return _leading_back("/sign-in/again", request)
        return await endpoint(request, session)

    return signed_in(sure)


def is_recent(session: Session) -> bool:
    """Whether somebody signed in a moment ago."""
    return datetime.now(UTC) - session.how.authenticated_at < RECENT


def _leading_back(path: str, request: Request) -> Response:
    """To a page that leads back here; what was sent with a form is asked for once more then."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{path}?{urlencode({'next': request.url.path + query})}", 303)
