"""Signing in to another service: where it sends people, who sign in and agree here and go back with a code.

Promises: a person agrees on a page of ours that nobody can frame, by a form that nobody else can send; every request is
checked again as a whole when it comes back from signing in or agreeing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.provider.authorization import AuthorizationRequest, require_request
from auth.provider.clients import is_own_machine
from auth.provider.decision import (
    Circumstances,
    Decision,
    MustAgree,
    MustSignIn,
    Sent,
    decide,
    load_hint,
    refusal,
    seal,
    unseal,
)
from auth.provider.metadata import AUTHORIZE_PATH
from auth.provider.parameters import Parameters
from auth.provider.scopes import SCOPES, SITE_SCOPES, site_names
from auth.scopes import INCLUDES
from gateway.pages.callers import client_of
from gateway.pages.forms import read_form
from gateway.pages.layout import SAFETY, page, session_of
from gateway.pages.signing_in import sign_in_path
from gateway.provider.door import Door
from gateway.provider.visit import form_target, query_of, sent, shown, signed_in_as

CONSENT_PATH = "oauth/consent"
WORDS = {
    "openid": "consent.openid",
    "profile": "consent.profile",
    "email": "consent.email",
    "offline_access": "consent.offline_access",
    "read": "consent.read",
    "write": "consent.write",
    "admin": "consent.admin",
    "statistics:read": "consent.statistics",
    "platform:admin": "consent.platform",
    "account": "consent.account",
}
"""What each scope is called on the page where a person agrees to it."""

AGAIN = re.compile(r"(?:^|&)again=([^&]*)$")
"""What we add to a request while the person signs in again; always last."""


async def authorize(door: Door, request: Request) -> Response:
    """Answer `GET` and `POST /oauth/authorize`."""
    query = await query_of(request)
    if request.method == "POST":  # a form from elsewhere comes without our cookie; a browser that follows brings it
        return RedirectResponse(f"/{AUTHORIZE_PATH}?{query}", 303, SAFETY)
    return await _answer(door, request, query, agreed=None)


async def consent(door: Door, request: Request) -> Response:
    """Answer `POST /oauth/consent`: what the person said."""
    await session_of(request)
    form = await read_form(request, "consent")
    return await _answer(door, request, form["request"], agreed=form["answer"] == "yes")


async def _answer(door: Door, request: Request, query: str, *, agreed: bool | None) -> Response:
    """What follows from this request. `agreed` is None where the person was not asked yet."""
    provider = door.provider
    asked, again = _parted(query)
    given, session = Parameters(asked), await session_of(request)
    await provider.signers()  # read before a transaction is open
    here = Circumstances(
        signed_in_as(session),
        await load_hint(provider, given.get("id_token_hint")),
        unseal(provider.settings, again, asked, provider.clock()),
        agreed=agreed is True,
        client=client_of(request),
    )
    names: tuple[str, ...] | None = None
    async with provider.transaction() as tx:
        wanted = await require_request(tx, given)
        if agreed is False:
            raise refusal(wanted)
        decision: Decision = await decide(tx, provider, wanted, here)
        if isinstance(decision, MustAgree) and decision.tenant_ids is not None:
            names = await site_names(tx, decision.tenant_ids)
    if isinstance(decision, Sent):
        return sent(decision.address)
    if isinstance(decision, MustSignIn):
        sealed = seal(provider.settings, asked, provider.clock()) if decision.again else None
        return RedirectResponse(_sign_in_first(decision, asked, sealed), 303, SAFETY)
    return _ask(request, wanted, decision, query, names)


def _ask(
    request: Request, wanted: AuthorizationRequest, decision: MustAgree, query: str, names: tuple[str, ...] | None
) -> Response:
    """The page on which the person agrees or not."""
    own_machine = is_own_machine(wanted.redirect_uri)
    values: dict[str, Any] = {
        "client": wanted.client,
        "scopes": widest(decision.scopes),
        "words": WORDS,
        "site_scopes": SITE_SCOPES,
        "sites": names,
        "host": None if own_machine else urlsplit(wanted.redirect_uri).netloc,
        "query": query,
        "other": sign_in_path(f"/{AUTHORIZE_PATH}?{query}"),
    }
    return page(request, "consent.html", form_targets=(form_target(wanted.redirect_uri),), **values)


def widest(scopes: Iterable[str]) -> list[str]:
    """These scopes in order, without those that another of them includes."""
    given = frozenset(scopes)
    included = {str(less) for each, others in INCLUDES.items() if each in given for less in others}
    return [each for each in SCOPES if each in given - included]


def _parted(query: str) -> tuple[str, str | None]:
    """The request as the client made it, and what we added."""
    found = AGAIN.search(query)
    return (query, None) if found is None else (query[: found.start()], found[1])


def _sign_in_first(decision: MustSignIn, asked: str, sealed: str | None) -> str:
    """The page for signing in, which leads back here; whoever is signed in does so once more in their session."""
    back = f"/{AUTHORIZE_PATH}?{asked}"
    if sealed is None:
        return sign_in_path(back)
    back = f"{back}&again={sealed}"
    if decision.as_other:
        return sign_in_path(back)
    wanted = {"next": back} if decision.acr is None else {"next": back, "acr": decision.acr}
    return f"/sign-in/again?{urlencode(wanted)}"


def authorizing_routes() -> list[Route]:
    """The routes of signing in to other services."""
    return [
        Route(f"/{AUTHORIZE_PATH}", shown(authorize), methods=["GET", "POST"]),
        Route(f"/{CONSENT_PATH}", shown(consent), methods=["POST"]),
    ]
