"""The apps and services that somebody lets in: which there are, what they may do, and taking it back.

Promises: shows an account its own only; what is taken back ends at once, everywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.audit import Act, record
from auth.provider.consents import delete_consent, list_consents
from auth.provider.scopes import SITE_SCOPES
from auth.sessions import Session
from gateway.pages.callers import client_of
from gateway.pages.faults import guarded
from gateway.pages.forms import FormRefused, read_form
from gateway.pages.layout import Section, page, pages_of
from gateway.pages.places import signed_in
from gateway.provider.authorizing import WORDS, widest

PATH = "/account/services"
PURPOSE = "services"
SECTION = Section("services.title", PATH)


async def show(request: Request, session: Session) -> Response:
    """Answer `GET /account/services`."""
    async with pages_of(request).square().database.transaction(None) as tx:
        found = await list_consents(tx, session.account_id)
    return page(
        request,
        "services.html",
        agreed=[(each, widest(each.scopes)) for each in found],
        words=WORDS,
        site_scopes=SITE_SCOPES,
        is_done=request.query_params.get("done") == "1",
    )


async def take_back(request: Request, session: Session) -> Response:
    """Answer `POST /account/services`: one of them may do nothing any more."""
    form = await read_form(request, PURPOSE)
    try:
        client_id = UUID(form["client"])
    except ValueError:
        raise FormRefused("form.shape", 400) from None
    square = pages_of(request).square()
    async with square.database.transaction(None) as tx:
        if await delete_consent(tx, session.account_id, client_id, datetime.now(UTC)):
            act = Act("consent.revoked", session.account_id, None, f"client:{client_id}", client=client_of(request))
            await record(tx, act)
    await square.catch_up()
    return RedirectResponse(f"{PATH}?done=1", 303)


def agreed_routes() -> list[Route]:
    """The routes of this page."""
    return [
        Route(PATH, guarded(signed_in(show)), methods=["GET"]),
        Route(PATH, guarded(signed_in(take_back)), methods=["POST"]),
    ]
