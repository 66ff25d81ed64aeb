"""Making an account, and choosing a new password when it is forgotten: both by a link in a mail.

Promises: the page after sending an address is the same for every address. Looking at a link uses nothing up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.errors import AccountExists, TooManyAttempts
from auth.local.links import Link, Purpose, load_link
from auth.local.local import LINKS_FROM, PWD, Local, authenticated
from auth.local.registration import Compose, ask_to_register, ask_to_reset, register, reset_password
from gateway.local_accounts import Registration
from gateway.pages.callers import client_of, network_of_request
from gateway.pages.checks import checked_email, checked_name, checked_new_password
from gateway.pages.faults import error_page, guarded
from gateway.pages.forms import Form, read_form
from gateway.pages.layout import local_of, page, pages_of, send_soon, session_of
from gateway.pages.letters import letters_of
from gateway.pages.places import on_square
from gateway.pages.signing_in import enter, sign_in_as
from schema.errors import ErrorCode

REGISTER, FINISH, FORGOT, RESET = "register", "register-finish", "forgot", "reset"
Refuse = Callable[[Request], Response | None]
"""The page that refuses a request, or None."""

Ask = Callable[[Local, str, str, Compose], Awaitable[None]]
"""Has a link sent to an address, for whoever asks from this network, in a letter that is composed so."""

FOR_ACCOUNT = (Purpose.REGISTER, Purpose.INVITE)


async def register_form(request: Request) -> Response:
    """Answer `GET /register`."""
    return _may_register(request) or page(request, "register.html", form=Form())


async def send_register(request: Request) -> Response:
    """Answer `POST /register`: a link goes to the address."""
    return await _send_link(request, REGISTER, _may_register, ask_to_register)


async def finish_form(request: Request) -> Response:
    """Answer `GET /register/finish?link=…`: the name and the password are asked for."""
    token = request.query_params.get("link", "")
    link = await _link(request, token, *FOR_ACCOUNT)
    if link is None:
        return _stale_link(request, "/register")
    return page(request, "finish.html", form=Form({"name": link.name}), link=token, email=link.email)


async def finish(request: Request) -> Response:
    """Answer `POST /register/finish`: the account is made, and its owner is signed in."""
    form = await read_form(request, FINISH)
    link = await _link(request, form["link"], *FOR_ACCOUNT)
    if link is None:
        return _stale_link(request, "/register")
    name = checked_name(form)
    password = checked_new_password(form, name, link.email)
    if not form.is_good:
        return page(request, "finish.html", 400, form=form, link=form["link"], email=link.email)
    local = local_of(request)
    await session_of(request)
    hashed = await local.passwords.hash(password)
    try:
        made = await register(local, form["link"], name, hashed, client_of(request))
    except AccountExists:
        made = None
    if made is None:
        return _stale_link(request, "/register")
    async with local.transaction() as tx:
        session = await sign_in_as(tx, request, made.id, authenticated(made.id, PWD))
    return enter(request, session, "/account?done=registered")


async def forgot_form(request: Request) -> Response:
    """Answer `GET /forgot`."""
    return _may_mail(request) or page(request, "forgot.html", form=Form())


async def send_forgot(request: Request) -> Response:
    """Answer `POST /forgot`: a link goes to the address."""
    return await _send_link(request, FORGOT, _may_mail, ask_to_reset)


async def _send_link(request: Request, name: str, refuse: Refuse, ask: Ask) -> Response:
    """Send a link to the address in the form of this name, which is that of its page too."""
    form = await read_form(request, name)
    if refused := refuse(request):
        return refused
    email = checked_email(form)
    if not form.is_good:
        return page(request, f"{name}.html", 400, form=form)
    compose = partial(letters_of(request).for_account, email)
    await ask(local_of(request), email, network_of_request(request), compose)
    send_soon(request)
    return page(request, "mail_sent.html", email=email, way_back=f"/{name}")


async def reset_form(request: Request) -> Response:
    """Answer `GET /reset?link=…`."""
    token = request.query_params.get("link", "")
    link = await _link(request, token, Purpose.RESET)
    if link is None:
        return _stale_link(request, "/forgot")
    return page(request, "reset.html", form=Form(), link=token, email=link.email)


async def reset(request: Request) -> Response:
    """Answer `POST /reset`: the password is changed, and every session is over. Signing in is the next step."""
    form = await read_form(request, RESET)
    link = await _link(request, form["link"], Purpose.RESET)
    if link is None:
        return _stale_link(request, "/forgot")
    password = checked_new_password(form, link.email)
    if not form.is_good:
        return page(request, "reset.html", 400, form=form, link=form["link"], email=link.email)
    local, letters = local_of(request), letters_of(request)
    hashed = await local.passwords.hash(password)
    done = await reset_password(
        local, form["link"], hashed, lambda to: letters.notice(to, "password_changed"), client_of(request)
    )
    if done is None:
        return _stale_link(request, "/forgot")
    await pages_of(request).square().catch_up()
    send_soon(request)
    return RedirectResponse("/sign-in?done=reset", 303)


def registering_routes() -> list[Route]:
    """The routes of registering and of forgotten passwords."""
    pages = (
        ("/register", register_form, send_register),
        ("/register/finish", finish_form, finish),
        ("/forgot", forgot_form, send_forgot),
        ("/reset", reset_form, reset),
    )
    return [
        Route(path, guarded(on_square(endpoint)), methods=[method])
        for path, *both in pages
        for method, endpoint in zip(("GET", "POST"), both, strict=True)
    ]


async def _link(request: Request, token: str, *purposes: Purpose) -> Link | None:
    """The link, if it is one for this and leads somewhere. Whoever tries many is told to wait."""
    local = local_of(request)
    async with local.transaction() as tx:
        link = await load_link(tx, token, *purposes)
        is_good = link is not None and (link.account_id is not None or Purpose.RESET not in purposes)
        # Only what leads nowhere is counted: a look at a good link writes nothing.
        wait_s = 0 if is_good else await local.attempts.count(tx, (LINKS_FROM, network_of_request(request)))
    if wait_s:
        raise TooManyAttempts(wait_s)
    return link if is_good else None


def _may_mail(request: Request) -> Response | None:
    """A page that says that there is no mail, where there is none."""
    if pages_of(request).can_mail:
        return None
    return error_page(
        request, 404, ErrorCode.NOT_FOUND, reason="register.no_mail", way_on=("sign_in.title", "/sign-in")
    )


def _may_register(request: Request) -> Response | None:
    if pages_of(request).settings.local.registration is Registration.OPEN:
        return _may_mail(request)
    way_on = ("sign_in.title", "/sign-in")
    return error_page(request, 403, ErrorCode.FORBIDDEN, reason="register.closed", way_on=way_on)


def _stale_link(request: Request, again: str) -> Response:
    return error_page(request, 400, "LINK_EXPIRED", reason="link.stale", way_on=("link.again", again))
