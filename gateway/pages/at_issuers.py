"""Signing in at an issuer: out with the browser, back with an answer, and what follows from it.

Promises: the way out and back is on the platform's own host, whatever `Host` a request names; nothing is written before
the issuer has vouched for somebody. Every fault of the other side is a page with a code, and never a 5xx. It leads on
only to where `safe_next` lets. Every arrival, and every one that is refused, is told: in the audit, or in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from auth.accounts import Connection
from auth.assurance import MULTI_FACTOR
from auth.audit import Act, record
from auth.relying.arrivals import Arrival, Asks, arrive
from auth.relying.faults import SignInFault, SignInRefused
from auth.relying.flow import PENDING_SECONDS, Pending, Proof
from auth.relying.issuers import Issuer
from auth.relying.once import spend
from auth.relying.tokens_kept import keep_id_token
from auth.sessions import Authentication, open_session
from gateway.pages.addresses import FRONT, base_origin, origin_of, safe_next
from gateway.pages.callers import client_of, device_of
from gateway.pages.faults import error_page, guarded
from gateway.pages.languages import language_of
from gateway.pages.layout import Provider, pages_of, session_of
from gateway.pages.pending import LONGEST_NEXT, drop, keep_link, keep_pending, relying_of, take_pending
from gateway.pages.signing_in import enter, leave_old_session, sign_in_path

LINK_PATH = "/sign-in/link"
PROBLEM_PATH = "/sign-in/problem"
LONGEST_QUERY = 16_384

Endpoint = Callable[[Request], Awaitable[Response]]

logger = logging.getLogger(__name__)


async def offered(request: Request) -> Iterable[Provider]:
    """The issuers for the page for signing in: where it is for a site that knows people of some only, those."""
    async with pages_of(request).square().database.transaction(None) as tx:
        issuers = await relying_of(request).directory.load_all(tx)
    slug = request.query_params.get("site")
    tenant = await pages_of(request).square().registry.by_slug(slug) if slug else None
    allowed = frozenset[str]() if tenant is None or tenant.demand is None else tenant.demand.issuers
    return [Provider(each.name, path_at(each)) for each in issuers if not allowed or each.url in allowed]


def path_at(issuer: Issuer) -> str:
    """Where signing in at an issuer begins."""
    return f"/sign-in/at/{issuer.key}"


async def begin(request: Request) -> Response:
    """Answer `GET /sign-in/at/{key}?next=…`: to the issuer.

    `strong` asks for a second factor, `again` for signing in anew, `link` for one more way to sign in to the account.
    """
    there = await safe_next(request, request.query_params.get("next"))
    if origin_of(request).lower() != base_origin(request).lower():
        return _at_base(request, there)
    issuer = await _issuer(request)
    purpose: dict[str, Any] = {"next": there if len(there) <= LONGEST_NEXT else FRONT}
    if "link" in request.query_params:
        session = await session_of(request)
        if session is None:
            return RedirectResponse(sign_in_path(f"{path_at(issuer)}?{urlencode({'link': '', 'next': there})}"), 303)
        purpose["account"] = str(session.account_id)
    address, pending = await relying_of(request).party.begin(
        issuer,
        redirect_uri(request, issuer),
        purpose=purpose,
        strong="strong" in request.query_params,
        again="again" in request.query_params or "link" in request.query_params,
        language=language_of(request, pages_of(request).cookies),
    )
    response = RedirectResponse(address, 303, {"cache-control": "no-store", "referrer-policy": "no-referrer"})
    keep_pending(request, response, pending)
    return response


async def come_back(request: Request) -> Response:
    """Answer `GET /sign-in/at/{key}/callback`: whoever comes back is signed in, asked, or told why not."""
    try:
        answer = _answer_of(request)
        pending, cookie = take_pending(request, answer.get("state", ""))
    except SignInRefused as refused:
        return _to_problem(request, refused)
    try:
        issuer = await _issuer(request)
        party = relying_of(request).party
        proof = await party.finish(issuer, redirect_uri(request, issuer), pending, answer)
        response = await _let_in(request, proof, pending)
    except SignInRefused as refused:
        response = _to_problem(request, refused)
    drop(request, response, cookie)
    return response


async def tell_problem(request: Request) -> Response:
    """Answer `GET /sign-in/problem?code=…`: why a sign-in came to no good end."""
    try:
        refused = SignInRefused(SignInFault(request.query_params.get("code", "")))
    except ValueError:
        refused = SignInRefused(SignInFault.SIGN_IN_EXPIRED)
    return _page_of(request, refused)


async def _let_in(request: Request, proof: Proof, pending: Pending) -> Response:
    """Where whoever proved who they are goes on to. Raises SignInRefused."""
    there = await safe_next(request, str(pending.purpose.get("next") or FRONT))
    async with pages_of(request).square().database.transaction(None) as tx:
        if not await spend(tx, "state", proof.issuer.url, pending.state, pending.started_at + 2 * PENDING_SECONDS):
            raise SignInRefused(SignInFault.SIGN_IN_EXPIRED, "used")
        if "account" in pending.purpose:
            return _to_link(request, proof, there, str(pending.purpose["account"]))
        found = await arrive(tx, proof)
        if isinstance(found, Asks):
            return _to_link(request, proof, there, None)
        return await _enter(tx, request, proof, found, there)


async def _enter(tx: Connection, request: Request, proof: Proof, arrival: Arrival, there: str) -> Response:
    how = authentication_of(proof)
    await leave_old_session(tx, request)
    session = await open_session(tx, arrival.account_id, how, device_of(request))
    await keep_id_token(tx, relying_of(request).seal, session.id, proof.id_token)
    client = replace(client_of(request), credential=f"session:{session.id}")
    details = {"issuer": how.issuer, "amr": list(how.amr)}
    if arrival.is_new:
        made = Act("account.created", arrival.account_id, None, str(arrival.account_id), details, client)
        await record(tx, made)
    await record(tx, Act("sign_in.done", arrival.account_id, None, f"session:{session.id}", details, client))
    return enter(request, session, there)


def authentication_of(proof: Proof) -> Authentication:
    """How somebody signed in, for the session: `mfa` is there where the issuer's own words mean it."""
    said = proof.statement
    methods = [each for each in said.amr if each != MULTI_FACTOR] + ([MULTI_FACTOR] if proof.is_strong else [])
    at = datetime.fromtimestamp(said.authenticated_at, UTC)
    return Authentication(proof.issuer.url, said.subject, said.sid, said.acr, tuple(methods), at)


def _to_link(request: Request, proof: Proof, there: str, account: str | None) -> Response:
    """To the page that asks whether this is one more way to sign in to an account."""
    response = RedirectResponse(LINK_PATH, 303, {"cache-control": "no-store"})
    said = proof.statement
    value = {
        "issuer": proof.issuer.url,
        "name": proof.issuer.name,
        "subject": said.subject,
        "email": proof.person.email,
        "account": account,
        "next": there,
        "at": datetime.now(UTC).timestamp(),
    }
    keep_link(request, response, value)
    return response


def _to_problem(request: Request, refused: SignInRefused) -> Response:
    """To the page of the fault: this address holds the issuer's answer, and should not stay in the browser."""
    _note(request, refused)
    where = f"{PROBLEM_PATH}?{urlencode({'code': refused.fault.value})}"
    return RedirectResponse(where, 303, {"cache-control": "no-store", "referrer-policy": "no-referrer"})


def _page_of(request: Request, refused: SignInRefused) -> Response:
    return error_page(request, refused.status, refused.fault.value, way_on=("error.again", sign_in_path(FRONT)))


def _note(request: Request, refused: SignInRefused) -> None:
    """A line in the log: whose fault it is cannot be seen from outside."""
    key = request.path_params.get("key", "")
    logger.info("signing in at %.40r refused: %s %s", key, refused.fault.value, refused.reason)


def refusing(endpoint: Endpoint) -> Endpoint:
    """The endpoint, with a page for whatever it raises."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except SignInRefused as refused:
            _note(request, refused)
            return _page_of(request, refused)

    return guarded(answered)


def redirect_uri(request: Request, issuer: Issuer) -> str:
    """Where the issuer sends browsers back to: one address for each, so that no answer is taken for another's."""
    return f"{base_origin(request)}{path_at(issuer)}/callback"


async def _issuer(request: Request) -> Issuer:
    async with pages_of(request).square().database.transaction(None) as tx:
        return await relying_of(request).directory.find(tx, request.path_params["key"])


def _at_base(request: Request, there: str) -> Response:
    """The same on the platform's own host: there is the cookie, and there is what issuers know."""
    back = there if not there.startswith("/") else f"{origin_of(request)}{there}"
    kept = [(name, value) for name, value in request.query_params.multi_items() if name in {"strong", "again", "link"}]
    query = urlencode([*kept, ("next", back)])
    return RedirectResponse(f"{base_origin(request)}{request.url.path}?{query}", 303, {"cache-control": "no-store"})


def _answer_of(request: Request) -> dict[str, str]:
    """The parameters of the answer. One that is there twice is an answer that nobody can trust."""
    if len(request.url.query) > LONGEST_QUERY:
        raise SignInRefused(SignInFault.ISSUER_FAULTY, "long answer")
    pairs = request.query_params.multi_items()
    answer = dict(pairs)
    if len(answer) != len(pairs):
        raise SignInRefused(SignInFault.ISSUER_FAULTY, "a parameter twice")
    return answer


def at_issuer_routes() -> list[Route]:
    """The routes of signing in at issuers."""
    return [
        Route(PROBLEM_PATH, guarded(tell_problem), methods=["GET"]),
        Route("/sign-in/at/{key}", refusing(begin), methods=["GET"]),
        Route("/sign-in/at/{key}/callback", refusing(come_back), methods=["GET"]),
    ]
