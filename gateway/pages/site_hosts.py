"""Signing in on a site's host: asked for there, done on the platform's own, and brought back by a pass.

Promises: a password is never asked for on a site's host. Only hosts of sites are led to, by the register and never by
what a request says; the browser that comes back is the one that left, or nobody is signed in. Nothing is written before
somebody signed in: what is to be remembered meanwhile goes along in a cookie of that host.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.audit import Act, record
from auth.passes import CHALLENGE, challenge_of, create_pass, new_verifier, use_pass
from auth.sessions import SQUARE, Session
from gateway.cookies import STATE
from gateway.hosts import site_here
from gateway.origins import Origins
from gateway.pages.addresses import FRONT, base_origin, safe_next, scheme_of
from gateway.pages.callers import client_of, device_of
from gateway.pages.faults import Endpoint, error_page, guarded
from gateway.pages.forms import read_form
from gateway.pages.layout import cookie_of, here_of, page, pages_of
from gateway.pages.places import signed_in
from gateway.pages.signing_in import enter, leave_old_session, sign_in
from schema.errors import ErrorCode
from tenants.registry import TenantRef

NAME = re.compile(r"[A-Za-z0-9.-]{1,253}")  # without a port: that is the platform's own
STATE_S = 600
PASS_PATH = "/sign-in/site"  # noqa: S105 - an address
BACK_PATH = "/sign-in/complete"
PURPOSE = "site"
LEAVING = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


def beginning_here(endpoint: Endpoint) -> Endpoint:
    """The page for signing in; asked on a site's host, it is done on the platform's."""

    async def begun(request: Request) -> Response:
        return await (endpoint(request) if here_of(request) == SQUARE else begin(request))

    return begun


async def begin(request: Request) -> Response:
    """Answer `GET /sign-in?next=…` on a site's host: to the platform's, with a challenge."""
    name = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    if await _site(request, name) is None:
        return error_page(request, 404, ErrorCode.NOT_FOUND)
    there, verifier = await safe_next(request, request.query_params.get("next")), new_verifier()
    asked = urlencode({"host": name, "challenge": challenge_of(verifier)})
    response = RedirectResponse(f"{base_origin(request)}{PASS_PATH}?{asked}", 303, {"cache-control": "no-store"})
    state = f"{verifier}.{urlsafe_b64encode(there.encode()).decode()}"
    response.headers.append("set-cookie", pages_of(request).cookies.written(STATE, state, max_age_s=STATE_S))
    return response


async def give_pass(request: Request, session: Session) -> Response:
    """Answer `GET /sign-in/site?host=…&challenge=…` on the platform's host: back, with a pass.

    On a site's own name, which is in somebody else's hands, a page asks first: whoever keeps that name learns who came.
    """
    name, challenge = (request.query_params.get(each, "") for each in ("host", "challenge"))
    site = await _may_pass(request, session, name, challenge)
    if site is None:
        return error_page(request, 404, ErrorCode.NOT_FOUND)
    if _is_own_name(request, name):
        return page(request, "site_confirm.html", host=name.lower(), challenge=challenge)
    return RedirectResponse(await _way_back(request, session, site, name, challenge), 303, LEAVING)


async def confirm_pass(request: Request, session: Session) -> Response:
    """Answer `POST /sign-in/site`: somebody wants to go on to that name, as who they are."""
    form = await read_form(request, PURPOSE)
    name, challenge = form["host"], form["challenge"]
    site = await _may_pass(request, session, name, challenge)
    if site is None:
        return error_page(request, 404, ErrorCode.NOT_FOUND)
    response = page(request, "go_on.html", next=await _way_back(request, session, site, name, challenge))
    response.headers["referrer-policy"] = LEAVING["referrer-policy"]
    return response


async def come_back(request: Request) -> Response:
    """Answer `GET /sign-in/complete?code=…` on a site's host: the pass becomes a session."""
    state, pages = cookie_of(request, STATE) or "", pages_of(request)
    verifier, _, kept = state.partition(".")
    if here_of(request) == SQUARE:
        return error_page(request, 404, ErrorCode.NOT_FOUND)
    async with pages.square().database.transaction(None) as tx:
        used = await use_pass(tx, request.query_params.get("code", ""), verifier, device_of(request))
        if used is not None:
            await leave_old_session(tx, request)
            session, account_id, how = used
            details = {"issuer": how.issuer, "amr": list(how.amr), "host": here_of(request)}
            act = Act("sign_in.on_site", account_id, None, f"session:{session.id}", details, client_of(request))
            await record(tx, act)
    if used is None:
        response = error_page(request, 400, "PASS_REFUSED", reason="site.refused", way_on=("error.again", "/sign-in"))
    else:
        response = enter(request, session, await safe_next(request, _kept(kept)))
    response.headers.append("set-cookie", pages.cookies.removed(STATE))
    return response


def site_host_routes() -> list[Route]:
    """The routes of signing in on sites' hosts."""
    return [
        Route("/sign-in", guarded(beginning_here(sign_in)), methods=["GET"]),
        Route(PASS_PATH, guarded(signed_in(give_pass)), methods=["GET"]),
        Route(PASS_PATH, guarded(signed_in(confirm_pass)), methods=["POST"]),
        Route(BACK_PATH, guarded(come_back), methods=["GET"]),
    ]


async def _may_pass(request: Request, session: Session, name: str, challenge: str) -> TenantRef | None:
    """The site that somebody may go on to from this session, or None."""
    if not CHALLENGE.fullmatch(challenge) or session.device.host != SQUARE:
        return None
    return await _site(request, name)


def _is_own_name(request: Request, name: str) -> bool:
    """Whether this is a name of the site's own; one under the platform's own is the platform's."""
    return "." in _here(request, name)


async def _way_back(request: Request, session: Session, site: TenantRef, name: str, challenge: str) -> str:
    """The address on the site's host, with a pass."""
    tenant_id = site.id if _is_own_name(request, name) else None
    async with pages_of(request).square().database.transaction(None) as tx:
        code = await create_pass(tx, session, _here(request, name), tenant_id, challenge)
    return f"{_origin(request, name)}{BACK_PATH}?{urlencode({'code': code})}"


async def _site(request: Request, name: str) -> TenantRef | None:
    """The site that answers under this name by the register, or None."""
    if not NAME.fullmatch(name):
        return None
    pages = pages_of(request)
    return await Origins(pages.settings, pages.square().registry).site_at(name.lower())


def _here(request: Request, name: str) -> str:
    """The slug or own name of the site, as sessions know it."""
    return site_here(name.lower().encode("latin-1", "replace"), pages_of(request).settings.base_host) or SQUARE


def _origin(request: Request, name: str) -> str:
    """The origin of a site's host, at the port of the platform's."""
    port = urlsplit(f"//{pages_of(request).settings.base_host}").port
    return f"{scheme_of(request)}://{name.lower()}" + (f":{port}" if port else "")


def _kept(text: str) -> str:
    try:
        return urlsafe_b64decode(text.encode()).decode()
    except ValueError:
        return FRONT
