"""The ways in which somebody signs in at issuers: which there are, one more, one less.

Promises: shows an account its own only; a change asks for having signed in a moment ago, and gives the session a new
token; the last way in stays.
"""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.audit import Act, record
from auth.identities import LastWayIn, list_identities, unlink_identity
from auth.local.local import has_password
from auth.sessions import NewSession, Session, rotate_session
from gateway.pages.at_issuers import path_at
from gateway.pages.callers import client_of
from gateway.pages.faults import guarded
from gateway.pages.forms import FormRefused, read_form
from gateway.pages.layout import Section, page, pages_of
from gateway.pages.pending import relying_of
from gateway.pages.places import signed_in, signed_in_again
from gateway.pages.signing_in import enter

PATH = "/account/identities"
PURPOSE = "identities"
SECTION = Section("identities.title", PATH)


async def show(request: Request, session: Session) -> Response:
    """Answer `GET /account/identities`."""
    return await _page(request, session)


async def unlink(request: Request, session: Session) -> Response:
    """Answer `POST /account/identities`: one way less."""
    form = await read_form(request, PURPOSE)
    try:
        rotated = await _unlinked(request, session, _id(form["identity"]))
    except LastWayIn:
        return await _page(request, session, "identities.last", 409)
    await pages_of(request).square().catch_up()
    return RedirectResponse(PATH, 303) if rotated is None else enter(request, rotated, PATH)


async def _unlinked(request: Request, session: Session, identity: UUID) -> NewSession | None:
    """Take a way in away, and give the session a new token; None where there is no such way. Raises LastWayIn."""
    pages = pages_of(request)
    async with pages.square().database.transaction(None) as tx:
        usable = {issuer.url for issuer in await relying_of(request).directory.load_all(tx)}
        done = await unlink_identity(
            tx,
            session.account_id,
            identity,
            usable=usable,
            passwords=pages.settings.local.passwords,
            but=session.parent_id or session.id,
        )
        if done is None:
            return None
        details = {"issuer": done[0].issuer, "email": done[0].email}
        subject = str(session.account_id)
        await record(tx, Act("identity.unlinked", session.account_id, None, subject, details, client_of(request)))
        return await rotate_session(tx, session.id)


async def _page(request: Request, session: Session, fault: str | None = None, status: int = 200) -> Response:
    async with pages_of(request).square().database.transaction(None) as tx:
        issuers = {issuer.url: issuer for issuer in await relying_of(request).directory.load_all(tx)}
        found = await list_identities(tx, session.account_id)
        password = pages_of(request).settings.local.passwords and await has_password(tx, session.account_id)
    shown = [(each, issuers[each.issuer].name if each.issuer in issuers else each.issuer) for each in found]
    usable = sum(each.issuer in issuers for each in found)
    return page(
        request,
        "identities.html",
        status,
        identities=shown,
        may_unlink=password or usable > 1,
        more=[(issuer.name, f"{path_at(issuer)}?link=&next={PATH}") for issuer in issuers.values()],
        fault=fault,
    )


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise FormRefused("form.shape", 400) from None


def identity_routes() -> list[Route]:
    """The routes of the ways to sign in."""
    return [
        Route(PATH, guarded(signed_in(show)), methods=["GET"]),
        Route(PATH, guarded(signed_in_again(unlink)), methods=["POST"]),
    ]
