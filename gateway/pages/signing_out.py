"""Signing out, and choosing a language: what every page links to.

Promises: nobody is signed out by another page's link or form; signing out ends the session everywhere it was used, the
sites' own hosts included, whether or not the browser keeps its cookie.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.sessions import close_session
from gateway.cookies import LANGUAGE, SESSION
from gateway.pages.addresses import form_targets_of, safe_next
from gateway.pages.faults import guarded
from gateway.pages.forms import read_form
from gateway.pages.languages import KEPT_S, LANGUAGES
from gateway.pages.layout import page, pages_of, session_of

PURPOSE = "sign-out"


async def sign_out(request: Request) -> Response:
    """Answer `GET /sign-out`: a page that asks."""
    session = await session_of(request)
    if session is None:
        return page(request, "signed_out.html")
    there = await pages_of(request).way_out(request, session)
    return page(request, "sign_out.html", form_targets=form_targets_of(request, there or ""))


async def end(request: Request) -> Response:
    """Answer `POST /sign-out`: the session is over."""
    session, there = await session_of(request), None
    if session is not None:
        await read_form(request, PURPOSE)
        there = await pages_of(request).way_out(request, session)
        async with pages_of(request).square().database.transaction(None) as tx:
            await close_session(tx, session.account_id, session.parent_id or session.id)
        request.state.session = None
    response = RedirectResponse(there or "/sign-out", 303, {"clear-site-data": '"cache"'})
    response.headers.append("set-cookie", pages_of(request).cookies.removed(SESSION))
    return response


async def choose_language(request: Request) -> Response:
    """Answer `GET /language?to=…&next=…`: the choice is kept in a cookie."""
    there = await safe_next(request, request.query_params.get("next"))
    response = RedirectResponse(there, 303, {"cache-control": "no-store"})
    chosen = request.query_params.get("to")
    if chosen in LANGUAGES:
        response.headers.append("set-cookie", pages_of(request).cookies.written(LANGUAGE, chosen, max_age_s=KEPT_S))
    return response


def signing_out_routes() -> list[Route]:
    """The routes of signing out and of choosing a language."""
    return [
        Route("/sign-out", guarded(sign_out), methods=["GET"]),
        Route("/sign-out", guarded(end), methods=["POST"]),
        Route("/language", guarded(choose_language), methods=["GET"]),
    ]
