"""One more way to sign in to an account: the page that asks, once somebody proved both to be theirs.

Promises: nothing is linked that the person did not agree to in a form of ours, in the browser in which they signed in
at the issuer, while signed in to the account a moment ago; their session gets a new token then. A same e-mail address
never does it by itself.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.audit import Act, record
from auth.errors import IdentityTaken
from auth.relying.arrivals import add_identity
from auth.relying.faults import SignInFault, SignInRefused
from auth.sessions import Session, rotate_session
from gateway.pages.addresses import safe_next
from gateway.pages.at_issuers import LINK_PATH, refusing
from gateway.pages.callers import client_of
from gateway.pages.forms import read_form
from gateway.pages.layout import page, pages_of, session_of
from gateway.pages.pending import LINK, drop, link_of
from gateway.pages.signing_in import enter, sign_in_path

PURPOSE = "link"
FRESH = timedelta(minutes=15)


async def ask(request: Request) -> Response:
    """Answer `GET /sign-in/link`: what is to be linked, and to which account."""
    link, session = link_of(request), await session_of(request)
    is_theirs = session is not None and may_link(session, link)
    return page(request, "link.html", link=link, may_link=is_theirs, sign_in=sign_in_path(LINK_PATH))


async def agree(request: Request) -> Response:
    """Answer `POST /sign-in/link`: the identity is one more way to sign in to the account."""
    link, session = link_of(request), await session_of(request)
    form = await read_form(request, PURPOSE)
    there = await safe_next(request, link["next"])
    response: Response = RedirectResponse(there, 303, {"cache-control": "no-store"})
    drop(request, response, LINK)
    if form["answer"] != "yes":
        return response
    if session is None or not may_link(session, link):
        return RedirectResponse(sign_in_path(LINK_PATH), 303)
    async with pages_of(request).square().database.transaction(None) as tx:
        try:
            await add_identity(tx, session.account_id, link["issuer"], link["subject"], link["email"])
        except IdentityTaken:
            raise SignInRefused(SignInFault.IDENTITY_TAKEN) from None
        client = client_of(request)
        details = {"issuer": link["issuer"], "email": link["email"]}
        await record(tx, Act("identity.linked", session.account_id, None, str(session.account_id), details, client))
        rotated = await rotate_session(tx, session.id)
    await pages_of(request).square().catch_up()
    if rotated is None:  # ended meanwhile
        return response
    response = enter(request, rotated, there)
    drop(request, response, LINK)
    return response


def may_link(session: Session, link: dict[str, Any]) -> bool:
    """Whether this is the account that the link is for, and its person signed in to it just now.

    For a link that was begun from the account, that account; for one because of an address, the account with it.
    """
    since = max(session.created_at, session.how.authenticated_at)
    if since < datetime.now(UTC) - FRESH:
        return False
    if link["account"] is not None:
        return str(session.account_id) == str(link["account"])
    return session.email.lower() == str(link["email"]).lower()


def linking_routes() -> list[Route]:
    """The routes of linking."""
    return [
        Route(LINK_PATH, refusing(ask), methods=["GET"]),
        Route(LINK_PATH, refusing(agree), methods=["POST"]),
    ]
