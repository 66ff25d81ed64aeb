"""An authenticator app: adding it, new recovery codes, and taking it away.

Promises: nothing is stored until a code of the app was shown; the secret goes along in the form, sealed. Recovery codes
are shown once. Every change gives the session a new token.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import segno
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.audit import Act, record
from auth.errors import TooManyAttempts
from auth.local.local import ACR_ONE, ACR_TWO, CODES, MFA, OTP, Local
from auth.local.second_factor import confirm_app, make_recovery_codes, remove_second_factor
from auth.local.totp import address_of, new_secret, text_of
from auth.seal import SealBroken
from auth.sessions import Authentication, Session, rotate_session
from gateway.pages.account import local_account
from gateway.pages.addresses import safe_next
from gateway.pages.callers import client_of
from gateway.pages.faults import guarded
from gateway.pages.forms import Form, FormRefused, read_form
from gateway.pages.layout import local_of, page, pages_of, send_soon
from gateway.pages.letters import letters_of
from gateway.pages.places import signed_in_again
from gateway.pages.signing_in import enter

ADD, RENEW, REMOVE = "second-factor", "recovery-codes", "second-factor-off"
SETUP = "setup of "


async def app_form(request: Request, session: Session) -> Response:
    """Answer `GET /account/second-factor`: a new secret to scan, or what there is."""
    known = await local_account(request, session)
    there = await safe_next(request, request.query_params.get("next", "/account"))
    if known.has_second_factor:
        return page(request, "second_factor.html", form=Form())
    return _setup_page(request, Form(), session, new_secret(), there)


async def add(request: Request, session: Session) -> Response:
    """Answer `POST /account/second-factor`: a code of the app."""
    form = await read_form(request, ADD)
    known = await local_account(request, session)
    there = await safe_next(request, form["next"])
    local = local_of(request)
    secret = _opened(local, session.account_id, form["secret"])
    await _count(local, session.account_id)
    async with local.transaction() as tx:
        codes = await confirm_app(local, tx, session.account_id, secret, form["code"])
        if codes is not None:
            await local.attempts.forget(tx, (CODES, str(session.account_id)))
            rotated = await rotate_session(tx, session.id, _with_app(session.how))
            await local.send(tx, letters_of(request).notice(known.email, "second_factor_on"))
            subject = str(session.account_id)
            await record(tx, Act("second_factor.added", session.account_id, None, subject, client=client_of(request)))
    if codes is None:
        form.refuse("code", "code.wrong" if form["code"].strip() else "code.missing")
        return _setup_page(request, form, session, secret, there, 400)
    if rotated is None:
        raise FormRefused("form.stale")
    send_soon(request)
    response = page(request, "recovery_codes.html", codes=codes, next=there, is_new=True)
    entered = enter(request, rotated, there)
    for cookie in entered.headers.getlist("set-cookie"):
        response.headers.append("set-cookie", cookie)
    return response


async def renew_codes(request: Request, session: Session) -> Response:
    """Answer `POST /account/recovery-codes`: new ones, and the old ones are gone."""
    await read_form(request, RENEW)
    known = await local_account(request, session)
    if not known.has_second_factor:
        raise FormRefused("form.stale")
    local = local_of(request)
    async with local.transaction() as tx:
        codes = await make_recovery_codes(local, tx, session.account_id)
        act = Act("recovery_codes.renewed", known.id, None, str(known.id), client=client_of(request))
        await record(tx, act)
    return page(request, "recovery_codes.html", codes=codes, next="/account", is_new=False)


async def remove(request: Request, session: Session) -> Response:
    """Answer `POST /account/second-factor/remove`."""
    await read_form(request, REMOVE)
    known = await local_account(request, session)
    local = local_of(request)
    async with local.transaction() as tx:
        await remove_second_factor(tx, known.id)
        rotated = await rotate_session(tx, session.id, _without_app(session.how))
        await local.send(tx, letters_of(request).notice(known.email, "second_factor_off"))
        await record(tx, Act("second_factor.removed", known.id, None, str(known.id), client=client_of(request)))
    if rotated is None:
        raise FormRefused("form.stale")
    send_soon(request)
    return enter(request, rotated, "/account?done=second_factor_off")


async def lead_back(_request: Request, _session: Session) -> Response:
    """Answer `GET` where only a form leads."""
    return RedirectResponse("/account/second-factor", 303)


def second_factor_routes() -> list[Route]:
    """The routes of the second factor."""
    return [
        Route("/account/second-factor", guarded(signed_in_again(app_form)), methods=["GET"]),
        Route("/account/second-factor", guarded(signed_in_again(add)), methods=["POST"]),
        Route("/account/recovery-codes", guarded(signed_in_again(lead_back)), methods=["GET"]),
        Route("/account/recovery-codes", guarded(signed_in_again(renew_codes)), methods=["POST"]),
        Route("/account/second-factor/remove", guarded(signed_in_again(lead_back)), methods=["GET"]),
        Route("/account/second-factor/remove", guarded(signed_in_again(remove)), methods=["POST"]),
    ]


def _setup_page(
    request: Request, form: Form, session: Session, secret: bytes, there: str, status: int = 200
) -> Response:
    service = f"Plein ({pages_of(request).settings.base_host})"
    drawn = segno.make(address_of(secret, session.email, service), error="m").svg_inline(
        scale=4, border=2, omitsize=True, svgclass="qr", lineclass=None
    )
    sealed = local_of(request).totp_seal.close(f"{SETUP}{session.account_id}", secret.hex())
    return page(
        request,
        "second_factor_add.html",
        status,
        form=form,
        next=there,
        secret=sealed,
        secret_text=text_of(secret),
        qr=Markup(drawn),  # noqa: S704 - drawn here, from modules only
    )


def _opened(local: Local, account_id: UUID, sealed: str) -> bytes:
    try:
        return bytes.fromhex(local.totp_seal.open(f"{SETUP}{account_id}", sealed))
    except SealBroken:
        raise FormRefused("form.stale") from None


def _with_app(how: Authentication) -> Authentication:
    """How somebody is signed in who has just shown a code as well."""
    amr = tuple(dict.fromkeys((*how.amr, OTP, MFA)))
    return replace(how, acr=ACR_TWO, amr=amr, authenticated_at=datetime.now(UTC))


def _without_app(how: Authentication) -> Authentication:
    """How somebody is signed in whose second factor counts no more."""
    return replace(how, acr=ACR_ONE, amr=tuple(each for each in how.amr if each not in {OTP, MFA}))


async def _count(local: Local, account_id: UUID) -> None:
    async with local.transaction() as tx:
        wait_s = await local.attempts.count(tx, (CODES, str(account_id)))
    if wait_s:
        raise TooManyAttempts(wait_s)
