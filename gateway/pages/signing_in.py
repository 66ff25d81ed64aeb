"""The page for signing in, and what every way of signing in ends with: a session in the browser.

Promises: signing in always gives a new session, whatever the browser brought along, and ends the one it had. Leads on
only to where `safe_next` lets. An unknown address and a wrong password get the same page.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.accounts import Connection
from auth.audit import Act, record
from auth.local.local import MFA, OTP, PWD, LocalAccount, authenticated, load_local_by_id
from auth.local.sign_in import check_code, check_password, make_ticket, open_ticket
from auth.sessions import Authentication, NewSession, close_session, open_session
from gateway.cookies import FORM, SESSION
from gateway.local_accounts import Registration
from gateway.pages.addresses import safe_next
from gateway.pages.callers import client_of, device_of, network_of_request
from gateway.pages.faults import guarded
from gateway.pages.forms import Form, FormRefused, read_form
from gateway.pages.layout import cookie_of, local_of, page, pages_of, session_of
from gateway.pages.places import on_square

PLAIN = re.compile(r"/(account[a-z/-]*)?(\?[\w=&-]*)?")
"""Pages that lead nowhere else."""

PURPOSE, CODE_PURPOSE = "sign-in", "sign-in-code"


def sign_in_path(next_: str) -> str:
    """The address of the page for signing in, which leads on to `next_`."""
    return f"/sign-in?{urlencode({'next': next_})}"


async def sign_in(request: Request) -> Response:
    """Answer `GET /sign-in?next=…`: the ways to sign in."""
    await session_of(request)
    return await sign_in_page(request, Form(), await safe_next(request, request.query_params.get("next")))


async def sign_in_page(request: Request, form: Form, there: str, status: int = 200) -> Response:
    """The page, with what was filled in so far and what was wrong with it."""
    pages = pages_of(request)
    local = pages.settings.local
    providers = await pages.providers(request)
    return page(
        request,
        "sign_in.html",
        status,
        form=form,
        next=there,
        providers=[(each.name, f"{each.path}?{urlencode({'next': there})}") for each in providers],
        passwords=local.passwords,
        can_register=local.passwords and pages.can_mail and local.registration is Registration.OPEN,
        can_reset=local.passwords and pages.can_mail,
        notice=request.query_params.get("done") == "reset" and request.method == "GET",
    )


async def check(request: Request) -> Response:
    """Answer `POST /sign-in`: an address and a password."""
    form = await read_form(request, PURPOSE)
    there = await safe_next(request, form["next"])
    await session_of(request)
    for name in ("email", "password"):
        if not form[name].strip():
            form.refuse(name, f"sign_in.{name}_missing")
    account = None
    if form.is_good:
        local = local_of(request)
        network, client = network_of_request(request), client_of(request)
        account = await check_password(local, form["email"], form["password"], network, client)
    if account is None:
        form.refuse("email", "sign_in.wrong")
        return await sign_in_page(request, form, there, 400)
    if account.has_second_factor:
        return await _code_page(request, Form(), there, account.id)
    return await _enter(request, account, authenticated(account.id, PWD), there)


async def check_second(request: Request) -> Response:
    """Answer `POST /sign-in/code`: a code of the app, or one for recovery."""
    form = await read_form(request, CODE_PURPOSE)
    there = await safe_next(request, form["next"])
    account_id = open_ticket(local_of(request), cookie_of(request, FORM) or "", form["ticket"])
    if account_id is None:
        raise FormRefused("form.stale")
    if not await check_code(local_of(request), account_id, form["code"], client_of(request)):
        form.refuse("code", "code.wrong" if form["code"].strip() else "code.missing")
        return await _code_page(request, form, there, account_id, 400)
    async with local_of(request).transaction() as tx:
        account = await load_local_by_id(tx, account_id)
    if account is None or account.is_suspended:
        raise FormRefused("form.stale")
    return await _enter(request, account, authenticated(account_id, PWD, OTP, MFA), there)


async def begin_again(_request: Request) -> Response:
    """Answer `GET /sign-in/code`: there is no such page without a password first."""
    return RedirectResponse("/sign-in", 303)


async def leave_old_session(tx: Connection, request: Request) -> None:
    """End the session that the browser came with, before it gets a new one."""
    old = await session_of(request)
    if old is not None:
        await close_session(tx, old.account_id, old.id)


async def sign_in_as(tx: Connection, request: Request, account_id: UUID, how: Authentication) -> NewSession:
    """Open a session for whoever has just signed in, in whatever way, and end the one that the browser had."""
    await leave_old_session(tx, request)
    session = await open_session(tx, account_id, how, device_of(request))
    details = {"issuer": how.issuer, "amr": list(how.amr)}
    act = Act("sign_in.done", account_id, None, f"session:{session.id}", details, client_of(request))
    await record(tx, act)
    return session


def enter(request: Request, session: NewSession, there: str) -> Response:
    """Lead on to `there`, which `safe_next` let through, with the session in the browser's cookie."""
    pages = pages_of(request)
    request.state.session = None  # the one from before is over
    if request.method == "POST" and not PLAIN.fullmatch(there):
        # By a page of its own: browsers hold every redirect after a form to the form's policy, and this may lead far.
        response = page(request, "go_on.html", next=there)
    else:
        response = RedirectResponse(there, 303, {"cache-control": "no-store"})
    age_s = int(pages.settings.signing_in.sessions.absolute.total_seconds())
    response.headers.append("set-cookie", pages.cookies.written(SESSION, session.token, max_age_s=age_s))
    response.headers.append("set-cookie", pages.cookies.removed(FORM))  # so that no form from before is good after
    return response


def signing_in_routes() -> list[Route]:
    """The routes of signing in, but for the page itself: `site_hosts` has that, as it depends on the host."""
    return [
        Route("/sign-in", guarded(on_square(check)), methods=["POST"]),
        Route("/sign-in/code", guarded(on_square(begin_again)), methods=["GET"]),
        Route("/sign-in/code", guarded(on_square(check_second)), methods=["POST"]),
    ]


async def _enter(request: Request, account: LocalAccount, how: Authentication, there: str) -> Response:
    async with local_of(request).transaction() as tx:
        session = await sign_in_as(tx, request, account.id, how)
    return enter(request, session, there)


async def _code_page(request: Request, form: Form, there: str, account_id: UUID, status: int = 200) -> Response:
    ticket = make_ticket(local_of(request), account_id, cookie_of(request, FORM) or "")
    return page(request, "code.html", status, form=form, next=there, ticket=ticket)
