"""Signing out at the wish of another service: the person is asked, unless the service shows that it knows the session.

Promises: the session ends here and at every service that took part in it; the person is then led to an address that the
service registered, or told that they are signed out.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.provider.decision import load_hint
from auth.provider.ending import EndRequest, require_end_request
from auth.provider.metadata import END_SESSION_PATH
from auth.provider.parameters import Parameters
from auth.sessions import close_session
from gateway.cookies import SESSION
from gateway.pages.forms import read_form
from gateway.pages.layout import SAFETY, page, pages_of, session_of
from gateway.provider.door import Door
from gateway.provider.visit import form_target, query_of, sent, shown

CONFIRM_PATH = "oauth/sign-out"


async def end_session(door: Door, request: Request) -> Response:
    """Answer `GET` and `POST /oauth/end-session`."""
    query = await query_of(request)
    if request.method == "POST":  # a form from elsewhere comes without our cookie; a browser that follows brings it
        return RedirectResponse(f"/{END_SESSION_PATH}?{query}", 303, SAFETY)
    asked, session = await _asked(door, query), await session_of(request)
    if session is None or asked.is_about(session.id):
        return await _ended(door, request, asked)
    targets = () if asked.back_to is None else (form_target(asked.back_to),)
    return page(request, "end_session.html", form_targets=targets, query=query)


async def confirmed(door: Door, request: Request) -> Response:
    """Answer `POST /oauth/sign-out`: the person agrees."""
    await session_of(request)
    form = await read_form(request, "end-session")
    return await _ended(door, request, await _asked(door, form["request"]))


async def _asked(door: Door, query: str) -> EndRequest:
    given = Parameters(query)
    hint = await load_hint(door.provider, given.get("id_token_hint"))
    async with door.provider.transaction() as tx:
        return await require_end_request(tx, given, hint)


async def _ended(door: Door, request: Request, asked: EndRequest) -> Response:
    session = await session_of(request)
    if session is not None:
        async with door.provider.transaction() as tx:
            await close_session(tx, session.account_id, session.id)
        request.state.session = None
    response = page(request, "signed_out.html") if asked.back_to is None else sent(asked.back_to)
    response.headers.append("set-cookie", pages_of(request).cookies.removed(SESSION))
    return response


def end_session_routes() -> list[Route]:
    """The routes of signing out at the wish of another service."""
    return [
        Route(f"/{END_SESSION_PATH}", shown(end_session), methods=["GET", "POST"]),
        Route(f"/{CONFIRM_PATH}", shown(confirmed), methods=["POST"]),
    ]
