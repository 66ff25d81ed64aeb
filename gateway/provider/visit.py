"""What the pages of the provider share: only at the square's own host, counted, and with a page for every fault.

Promises: whoever comes by another name is led to the issuer's address with the same request, so that the session of the
square is looked at and no other. Nobody is sent to an address that was not checked before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from auth.provider.authorization import Returned
from auth.provider.errors import OAuthError
from auth.provider.grants import SignedIn
from auth.provider.parameters import LONGEST_REQUEST, Parameters
from auth.sessions import SQUARE, Session
from gateway.pages.faults import error_page, guarded
from gateway.pages.layout import SAFETY, here_of
from gateway.provider.door import FORM_TYPE, Door, door_of

Show = Callable[[Door, Request], Awaitable[Response]]


def shown(show: Show) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for people."""

    async def answered(request: Request) -> Response:
        door = door_of(request)
        if here_of(request) != SQUARE:
            query = f"?{request.url.query}" if request.url.query else ""
            there = f"{door.provider.settings.issuer}{request.url.path}{query}"
            return RedirectResponse(there, 307, SAFETY)
        await door.charge(request, 1)
        try:
            return await show(door, request)
        except Returned as returned:
            return sent(returned.address(door.provider.settings))
        except OAuthError as error:
            return error_page(request, 400, error.code, reason="provider.refused", why=error.description)

    return guarded(answered)


def sent(address: str) -> Response:
    """Lead on to an address that was checked. The browser tells it nothing of where it came from."""
    return RedirectResponse(address, 303, SAFETY | {"referrer-policy": "no-referrer"})


async def query_of(request: Request) -> str:
    """The request's parameters; of a form, as a query. Raises `OAuthError`."""
    if request.method != "POST":
        return request.url.query
    body = b""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM_TYPE:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_REQUEST:
                break
    Parameters(text := body.decode("latin-1"))
    return text


def signed_in_as(session: Session | None) -> SignedIn | None:
    """Who is signed in, as the provider has it."""
    if session is None:
        return None
    how = session.how
    return SignedIn(session.id, session.account_id, how.authenticated_at, how.acr, how.amr, how.issuer)


def form_target(uri: str) -> str:
    """What a content security policy calls the place of an address: its origin, or its scheme."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"https", "http"} else f"{parts.scheme}:"
