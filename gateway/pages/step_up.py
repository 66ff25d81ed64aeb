"""Signing in as a site demands: with a second factor, or with one of its issuers.

Promises: one address (`/sign-in/step-up?site=<slug>&next=…`) for whoever is told that it is needed; it leads to where
this person can do so, by how they signed in until now. Never tells whether there is such a site: an unknown one leads
to the page for signing in.
"""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.assurance import assurance_of
from auth.local.local import ACR_TWO, LOCAL_ISSUER
from gateway.pages.addresses import safe_next
from gateway.pages.at_issuers import path_at
from gateway.pages.faults import guarded
from gateway.pages.layout import pages_of, session_of
from gateway.pages.pending import relying_of
from gateway.pages.places import on_square
from tenants.registry import Demand

PATH = "/sign-in/step-up"


async def step_up(request: Request) -> Response:
    """Answer `GET /sign-in/step-up?site=…&next=…`."""
    there = await safe_next(request, request.query_params.get("next"))
    slug = request.query_params.get("site", "")
    tenant = await pages_of(request).square().registry.by_slug(slug) if slug else None
    demand = None if tenant is None else tenant.demand
    session = await session_of(request)
    if session is None or demand is None:
        return _to("/sign-in", {"next": there, "site": slug} if demand is not None else {"next": there})
    if assurance_of(session.how.issuer, session.how.amr).meets(demand):
        return RedirectResponse(there, 303)
    if demand.issuers and session.how.issuer not in demand.issuers:
        return _to("/sign-in", {"next": there, "site": slug})
    return await _once_more(request, session.how.issuer, demand, there)


async def _once_more(request: Request, issuer_url: str, demand: Demand, there: str) -> Response:
    """In the way they signed in until now, with a second factor."""
    if issuer_url == LOCAL_ISSUER:
        return _to("/sign-in/again", {"next": there, "acr": ACR_TWO})
    async with pages_of(request).square().database.transaction(None) as tx:
        issuer = await relying_of(request).directory.find_by_url(tx, issuer_url)
    if issuer is None:
        return _to("/sign-in", {"next": there})
    return _to(path_at(issuer), {"next": there, "strong": "1", "again": "1"})


def _to(path: str, query: dict[str, str]) -> Response:
    return RedirectResponse(f"{path}?{urlencode(query)}", 303, {"cache-control": "no-store"})


def step_up_routes() -> list[Route]:
    """The route of signing in as a site demands."""
    return [Route(PATH, guarded(on_square(step_up)), methods=["GET"])]
