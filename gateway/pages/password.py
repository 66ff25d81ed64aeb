"""Changing a password, by whoever knows the old one.

Promises: every other session of the account is over, and this one has a new token.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.local.local import load_local_by_id
from auth.local.registration import change_password
from auth.local.sign_in import check_password
from auth.sessions import Session, rotate_session
from gateway.pages.account import local_account
from gateway.pages.callers import client_of, network_of_request
from gateway.pages.checks import checked_new_password
from gateway.pages.faults import guarded
from gateway.pages.forms import Form, FormRefused, read_form
from gateway.pages.layout import local_of, page, pages_of, send_soon
from gateway.pages.letters import letters_of
from gateway.pages.places import signed_in
from gateway.pages.signing_in import enter

PURPOSE = "password"


async def password_form(request: Request, session: Session) -> Response:
    """Answer `GET /account/password`."""
    known = await local_account(request, session)
    return page(request, "password.html", form=Form(), email=known.email)


async def change(request: Request, session: Session) -> Response:
    """Answer `POST /account/password`."""
    form = await read_form(request, PURPOSE)
    known = await local_account(request, session)
    local, client = local_of(request), client_of(request)
    new = checked_new_password(form, known.name, known.email)
    if not form["current"]:
        form.refuse("current", "password.current_missing")
    elif form.is_good:
        found = await check_password(local, known.email, form["current"], network_of_request(request), client)
        if found is None or found.id != known.id:
            form.refuse("current", "again.wrong")
    if not form.is_good:
        return page(request, "password.html", 400, form=form, email=known.email)
    hashed = await local.passwords.hash(new)
    notice = letters_of(request).notice(known.email, "password_changed")
    await change_password(local, known, hashed, session.parent_id or session.id, notice, client)
    async with local.transaction() as tx:
        rotated = await rotate_session(tx, session.id)
        still = await load_local_by_id(tx, known.id)
    await pages_of(request).square().catch_up()
    send_soon(request)
    if rotated is None or still is None:
        raise FormRefused("form.stale")
    return enter(request, rotated, "/account?done=password")


def password_routes() -> list[Route]:
    """The routes of changing a password."""
    return [
        Route("/account/password", guarded(signed_in(password_form)), methods=["GET"]),
        Route("/account/password", guarded(signed_in(change)), methods=["POST"]),
    ]
