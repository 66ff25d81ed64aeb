"""The page for signing in, and what every way of signing in ends with: a session in the browser.

Promises: signing in always gives a new session, whatever the browser brought along, and ends the one it had. Leads on
only to where `safe_next` lets.
"""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.accounts import Connection
from auth.sessions import Device, NewSession, close_session
from gateway.callers import address_of
from gateway.cookies import SESSION
from gateway.pages.addresses import form_targets_of, safe_next
from gateway.pages.devices import device_name
from gateway.pages.faults import guarded
from gateway.pages.forms import Form
from gateway.pages.layout import here_of, page, pages_of, session_of

PURPOSE = "sign-in"


def sign_in_path(next_: str) -> str:
    """The address of the page for signing in, which leads on to `next_`."""
    return f"/sign-in?{urlencode({'next': next_})}"


async def sign_in(request: Request) -> Response:
    """Answer `GET /sign-in?next=…`: the ways to sign in."""
    await session_of(request)
    return await sign_in_page(request, Form(), await safe_next(request, request.query_params.get("next")))


async def sign_in_page(request: Request, form: Form, there: str, status: int = 200) -> Response:
    """The page, with what was filled in so far and what was wrong with it."""
    providers = await pages_of(request).providers(request)
    return page(
        request,
        "sign_in.html",
        status,
        form_targets=form_targets_of(request, there),
        form=form,
        next=there,
        providers=[(each.name, f"{each.path}?{urlencode({'next': there})}") for each in providers],
    )


def device_of(request: Request) -> Device:
    """What the browser that asks is, for the list of its account's sessions."""
    client = (request.client.host, request.client.port) if request.client else None
    forwarded = request.headers.get("x-forwarded-for")
    address = address_of(
        client, None if forwarded is None else forwarded.encode("latin-1"), pages_of(request).settings.proxies
    )
    return Device(device_name(request.headers.get("user-agent", "")), address, here_of(request))


async def leave_old_session(tx: Connection, request: Request) -> None:
    """End the session that the browser came with, before it gets a new one."""
    old = await session_of(request)
    if old is not None:
        await close_session(tx, old.account_id, old.id)


def enter(request: Request, session: NewSession, there: str) -> Response:
    """Lead on to `there`, which `safe_next` let through, with the session in the browser's cookie."""
    pages = pages_of(request)
    response = RedirectResponse(there, 303, {"cache-control": "no-store"})
    age_s = int(pages.settings.signing_in.sessions.absolute.total_seconds())
    response.headers.append("set-cookie", pages.cookies.written(SESSION, session.token, max_age_s=age_s))
    return response


def signing_in_routes() -> list[Route]:
    """The routes of signing in."""
    return [Route("/sign-in", guarded(sign_in), methods=["GET"])]
