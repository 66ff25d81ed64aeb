"""Signing out where an issuer is involved: it tells us that a session is over, or we send the browser to tell it.

Promises: a notice of an issuer ends sessions only with a token that the issuer signed for us, and counts once; whether
there was such a session is not told. A browser is sent to nothing but the issuer's own published address, and comes
back to the page that says it is signed out.
"""

from __future__ import annotations

import secrets
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.audit import Act, record
from auth.relying.faults import SignInFault, SignInRefused
from auth.relying.once import spend
from auth.relying.tokens_kept import load_id_token
from auth.sessions import Session, close_sessions_by_issuer
from gateway.errors import problem_from
from gateway.pages.addresses import base_origin
from gateway.pages.callers import client_of
from gateway.pages.forms import FORM_TYPE
from gateway.pages.layout import pages_of
from gateway.pages.pending import relying_of

MAX_BODY_BYTES = 100_000
SAFETY = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


async def hear(request: Request) -> Response:
    """Answer `POST /sign-in/at/{key}/logout`, an issuer's back-channel logout: 200, or 400 with what is wrong."""
    try:
        await _end_sessions(request)
    except SignInRefused as refused:
        told = {"error": "invalid_request", "error_description": f"{refused.fault.value} {refused.reason}".strip()}
        status = 404 if refused.fault is SignInFault.ISSUER_UNKNOWN else 400
        return Response(orjson.dumps(told), status, SAFETY, media_type="application/json")
    except Exception as error:  # the one map decides what is shown
        problem = problem_from(error)
        return Response(orjson.dumps({"error": "server_error"}), problem.status, SAFETY, media_type="application/json")
    return Response(b"", 200, SAFETY)


async def _end_sessions(request: Request) -> None:
    relying, square = relying_of(request), pages_of(request).square()
    token = await _logout_token(request)
    async with square.database.transaction(None) as tx:
        issuer = await relying.directory.find(tx, request.path_params["key"])
    notice = await relying.party.read_logout_token(issuer, token)
    async with square.database.transaction(None) as tx:
        if not await spend(tx, "logout", issuer.url, notice.id, notice.expires_at):
            raise SignInRefused(SignInFault.LOGOUT_TOKEN_INVALID, "jti")
        ended = await close_sessions_by_issuer(tx, issuer.url, sid=notice.sid, subject=notice.subject)
        if ended:
            details = {"issuer": issuer.url, "sessions": len(ended)}
            await record(tx, Act("session.ended_by_issuer", None, None, issuer.key, details, client_of(request)))
    if ended:
        await square.catch_up()


async def _logout_token(request: Request) -> str:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise SignInRefused(SignInFault.LOGOUT_TOKEN_INVALID, "content-type")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise SignInRefused(SignInFault.LOGOUT_TOKEN_INVALID, "too long")
    try:
        given = parse_qsl(body.decode("ascii"), True, max_num_fields=10)
    except ValueError:
        raise SignInRefused(SignInFault.LOGOUT_TOKEN_INVALID, "form") from None
    tokens = [value for name, value in given if name == "logout_token"]
    if len(tokens) != 1:
        raise SignInRefused(SignInFault.LOGOUT_TOKEN_INVALID, "logout_token")
    return tokens[0]


async def end_at_issuer(request: Request, session: Session) -> str | None:
    """Where the browser goes to sign out at the issuer too, by which this session began; None where there is no way."""
    relying = relying_of(request)
    async with pages_of(request).square().database.transaction(None) as tx:
        issuer = await relying.directory.find_by_url(tx, session.how.issuer)
        if issuer is None:
            return None
        id_token = await load_id_token(tx, relying.seal, session.id)
    return await relying.party.end_session_address(
        issuer, id_token=id_token, return_to=f"{base_origin(request)}/sign-out", state=secrets.token_urlsafe(16)
    )


def logging_out_routes() -> list[Route]:
    """The routes of signing out that issuers use."""
    return [Route("/sign-in/at/{key}/logout", hear, methods=["POST"])]
