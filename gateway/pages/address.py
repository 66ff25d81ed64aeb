"""Changing the address of an account, confirmed from the old one and from the new one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.errors import AccountExists, TooManyAttempts
from auth.local.email_change import Change, ask_to_change, confirm_change, load_change
from auth.local.local import LINKS_FROM
from auth.sessions import Session
from gateway.pages.account import local_account
from gateway.pages.callers import client_of, network_of_request
from gateway.pages.checks import checked_email
from gateway.pages.faults import error_page, guarded
from gateway.pages.forms import Form, read_form
from gateway.pages.layout import local_of, page, send_soon, session_of
from gateway.pages.letters import letters_of
from gateway.pages.places import on_square, signed_in_again

PURPOSE, CONFIRM = "email", "email-confirm"


async def address_form(request: Request, session: Session) -> Response:
    """Answer `GET /account/email`."""
    known = await local_account(request, session)
    return page(request, "email.html", form=Form(), email=known.email)


async def ask(request: Request, session: Session) -> Response:
    """Answer `POST /account/email`: a link goes to each address."""
    form = await read_form(request, PURPOSE)
    known = await local_account(request, session)
    email = checked_email(form)
    if email.lower() == known.email.lower():
        form.refuse("email", "email.same")
    if not form.is_good:
        return page(request, "email.html", 400, form=form, email=known.email)
    network, client = network_of_request(request), client_of(request)
    await ask_to_change(local_of(request), known, email, network, letters_of(request).for_change, client)
    send_soon(request)
    return RedirectResponse("/account?done=email_asked", 303)


async def confirm_form(request: Request) -> Response:
    """Answer `GET /account/email/confirm?link=…`: a page with a button, as programs look at links before people do."""
    await session_of(request)
    token = request.query_params.get("link", "")
    change = await _change(request, token)
    return _stale(request) if change is None else page(request, "email_confirm.html", link=token, email=change.email)


async def confirm(request: Request) -> Response:
    """Answer `POST /account/email/confirm`."""
    form = await read_form(request, CONFIRM)
    letters = letters_of(request)
    await session_of(request)
    if await _change(request, form["link"]) is None:
        return _stale(request)

    try:
        change = await confirm_change(
            local_of(request),
            form["link"],
            lambda to, email: letters.notice(to, "email_changed", email=email),
            client_of(request),
        )
    except AccountExists:
        change = None
    if change is None:
        return _stale(request)
    send_soon(request)
    return page(request, "email_confirmed.html", email=change.email, is_done=change.is_done)


def address_routes() -> list[Route]:
    """The routes of changing an address."""
    return [
        Route("/account/email", guarded(signed_in_again(address_form)), methods=["GET"]),
        Route("/account/email", guarded(signed_in_again(ask)), methods=["POST"]),
        Route("/account/email/confirm", guarded(on_square(confirm_form)), methods=["GET"]),
        Route("/account/email/confirm", guarded(on_square(confirm)), methods=["POST"]),
    ]


async def _change(request: Request, token: str) -> Change | None:
    local = local_of(request)
    async with local.transaction() as tx:
        change = await load_change(tx, token)
        network = network_of_request(request)
        wait_s = 0 if change is not None else await local.attempts.count(tx, (LINKS_FROM, network))
    if wait_s:
        raise TooManyAttempts(wait_s)
    return change


def _stale(request: Request) -> Response:
    return error_page(request, 400, "LINK_EXPIRED", reason="link.stale", way_on=("frame.account", "/account"))
