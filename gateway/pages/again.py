"""Signing in once more in a session: before something that matters, or because somebody demands a second factor.

Promises: it is the same account or nobody; the session gets a new token, and says how and when it was done. Whoever
demands it (`/sign-in/again?next=…&acr=…`) gets what they demand, or a page that tells why not.
"""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.audit import Act, record
from auth.local.local import ACR_TWO, MFA, OTP, PWD, LocalAccount, authenticated, load_local_by_id
from auth.local.sign_in import check_code, check_password
from auth.sessions import Session, rotate_session
from gateway.pages.addresses import safe_next
from gateway.pages.callers import client_of, network_of_request
from gateway.pages.faults import guarded
from gateway.pages.forms import Form, FormRefused, read_form
from gateway.pages.layout import local_of, page, pages_of
from gateway.pages.places import signed_in
from gateway.pages.signing_in import enter

PURPOSE = "again"


async def again(request: Request, session: Session) -> Response:
    """Answer `GET /sign-in/again?next=…`: the ways to do so."""
    account = await _account(request, session)
    there = await safe_next(request, request.query_params.get("next"))
    wants_two = request.query_params.get("acr") == ACR_TWO
    if wants_two and account.password_hash is not None and not account.has_second_factor:
        # It can be had: the page for adding an app leads on to where it was demanded.
        return RedirectResponse(f"/account/second-factor?{urlencode({'next': there})}", 303)
    return await _page(request, Form(), account, there)


async def check(request: Request, session: Session) -> Response:
    """Answer `POST /sign-in/again`: the password, and the code where there is an app."""
    form = await read_form(request, PURPOSE)
    account = await _account(request, session)
    there = await safe_next(request, form["next"])
    if account.password_hash is None:
        raise FormRefused("again.none")
    local, client = local_of(request), client_of(request)
    found = await check_password(local, account.email, form["password"], network_of_request(request), client)
    if found is None or found.id != session.account_id:
        form.refuse("password", "again.wrong")
    elif account.has_second_factor and not await check_code(local, account.id, form["code"], client):
        form.refuse("code", "code.wrong")
    if not form.is_good:
        return await _page(request, form, account, there, 400)
    how = authenticated(account.id, PWD, OTP, MFA) if account.has_second_factor else authenticated(account.id, PWD)
    async with local.transaction() as tx:
        renewed = await rotate_session(tx, session.id, how)
        details = {"issuer": how.issuer, "amr": list(how.amr)}
        await record(tx, Act("sign_in.again", account.id, None, f"session:{session.id}", details, client))
    if renewed is None:
        raise FormRefused("form.stale")
    return enter(request, renewed, there)


def again_routes() -> list[Route]:
    """The routes of signing in once more."""
    return [
        Route("/sign-in/again", guarded(signed_in(again)), methods=["GET"]),
        Route("/sign-in/again", guarded(signed_in(check)), methods=["POST"]),
    ]


async def _page(request: Request, form: Form, account: LocalAccount, there: str, status: int = 200) -> Response:
    providers = await pages_of(request).providers(request)
    return page(
        request,
        "again.html",
        status,
        form=form,
        next=there,
        has_password=account.password_hash is not None,
        has_second_factor=account.has_second_factor,
        providers=[(each.name, f"{each.path}?{urlencode({'next': there, 'again': '1'})}") for each in providers],
    )


async def _account(request: Request, session: Session) -> LocalAccount:
    async with local_of(request).transaction() as tx:
        account = await load_local_by_id(tx, session.account_id)
    if account is None:
        raise FormRefused("form.stale")
    return account
