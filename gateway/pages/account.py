"""Somebody's account: who they are here, how they sign in, and where they are signed in.

Promises: shows an account to itself only. A session that is ended here is over at once, everywhere it was used.
"""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.audit import Act, record
from auth.local.local import LocalAccount, load_local_by_id
from auth.local.second_factor import count_recovery_codes
from auth.sessions import Session, close_session, close_sessions_of, list_sessions
from gateway.pages.callers import client_of
from gateway.pages.faults import guarded
from gateway.pages.forms import FormRefused, read_form
from gateway.pages.layout import local_of, page, pages_of
from gateway.pages.places import signed_in

PURPOSE = "sessions"
DONE = frozenset({"registered", "password", "email_asked", "second_factor_off", "session", "sessions"})


async def account(request: Request, session: Session) -> Response:
    """Answer `GET /account`."""
    pages = pages_of(request)
    async with local_of(request).transaction() as tx:
        known = await load_local_by_id(tx, session.account_id)
        sessions = await list_sessions(tx, session.account_id, pages.settings.signing_in.sessions)
        codes = await count_recovery_codes(tx, session.account_id)
    done = request.query_params.get("done", "")
    return page(
        request,
        "account.html",
        known=known,
        sessions=sessions,
        root_id=session.parent_id or session.id,
        codes=codes,
        passwords=pages.settings.local.passwords,
        sections=[(each.title, each.path) for each in pages.sections],
        done=f"account.done_{done}" if done in DONE else None,
    )


async def end_sessions(request: Request, session: Session) -> Response:
    """Answer `POST /account/sessions`: one session, or all but this one, is over."""
    form = await read_form(request, PURPOSE)
    async with local_of(request).transaction() as tx:
        if form["session"] == "others":
            ended = await close_sessions_of(tx, session.account_id, but=session.parent_id or session.id)
        else:
            ended = await close_session(tx, session.account_id, _id(form["session"]))
        for each in ended:
            await record(
                tx, Act("session.ended", session.account_id, None, f"session:{each}", client=client_of(request))
            )
    await pages_of(request).square().catch_up()
    if session.id in ended:
        return RedirectResponse("/sign-out", 303)
    return RedirectResponse(f"/account?done={'sessions' if form['session'] == 'others' else 'session'}", 303)


def account_routes() -> list[Route]:
    """The routes of an account."""
    return [
        Route("/account", guarded(signed_in(account)), methods=["GET"]),
        Route("/account/sessions", guarded(signed_in(account)), methods=["GET"]),
        Route("/account/sessions", guarded(signed_in(end_sessions)), methods=["POST"]),
    ]


async def local_account(request: Request, session: Session) -> LocalAccount:
    """The account that is signed in, with its password. Raises FormRefused where it has none."""
    async with local_of(request).transaction() as tx:
        found = await load_local_by_id(tx, session.account_id)
    if found is None or found.password_hash is None:
        raise FormRefused("account.no_password")
    return found


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise FormRefused("form.shape", 400) from None
