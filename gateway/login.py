"""Signing in during development: who there is to be, and a token to be them with.

Promises: answers only this machine, under a name of this machine, and only pages of our own origin; a page from
elsewhere cannot use it, nor can a name that somebody lets point here. Never routed in production: it is not there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.accounts import AccountOverview, Transaction, link_identity, load_account, load_cast
from auth.issuer import DEVELOPMENT_ISSUER, DevelopmentIssuer
from auth.loopback import is_loopback
from auth.policy import Role
from gateway.errors import problem_from
from schema.errors import ErrorCode, PleinError, bad_input, not_found

MAX_BODY_BYTES = 1024

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class DevelopmentLogin:
    """What signing in needs: who signs, and a transaction on the platform's tables."""

    issuer: DevelopmentIssuer
    transaction: Transaction

    async def accounts(self, request: Request) -> Response:
        """Answer `GET /dev/accounts`: a few accounts of each part, those with most say first."""
        async with self.transaction() as tx:
            overviews = await load_cast(tx, DEVELOPMENT_ISSUER)
        return _answer({"accounts": [_shown(each) for each in overviews]})

    async def sign_in(self, request: Request) -> Response:
        """Answer `POST /dev/sign-in` with `{"accountId"}`: a token, its end in seconds, and the account."""
        account_id = await _requested_account(request)
        async with self.transaction() as tx:
            account = await load_account(tx, account_id)
            if account is None:
                raise not_found("accountId")
            await link_identity(tx, account_id, DEVELOPMENT_ISSUER, str(account_id))
        token = self.issuer.mint(str(account_id))
        shown = {"id": str(account.id), "name": account.name}
        return _answer({"token": token.text, "expiresAt": token.expires_at, "account": shown})


def login_routes(login: DevelopmentLogin) -> list[Route]:
    """Return the routes of signing in. For development: the caller never adds them in production."""
    return [
        Route("/dev/accounts", _guarded(login.accounts), methods=["GET"]),
        Route("/dev/sign-in", _guarded(login.sign_in), methods=["POST"]),
    ]


def require_near(request: Request) -> None:
    """Raise unless this machine asks, by a name of this machine, and not on behalf of another origin's page."""
    peer = request.client.host if request.client else ""
    if not (is_loopback(peer) and is_loopback(request.url.hostname or "")):
        raise PleinError(ErrorCode.FORBIDDEN, "Development sign-in works on this machine only, at http://localhost.")
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    if origin not in {None, f"{request.url.scheme}://{request.url.netloc}"} or site not in {"same-origin", "none"}:
        raise PleinError(ErrorCode.FORBIDDEN, "Development sign-in works for pages of this gateway only.")


async def _requested_account(request: Request) -> UUID:
    """Return the account id in the body. A body that is not JSON by its own saying is what a form could have sent."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise bad_input("accountId", "Send JSON, with content-type application/json.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise PleinError(ErrorCode.LIMIT_EXCEEDED, f"The body is longer than {MAX_BODY_BYTES} bytes.")
    try:
        return UUID(orjson.loads(body)["accountId"])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise bad_input("accountId", 'Send {"accountId": "<the id of an account>"}.') from None


def _guarded(endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        try:
            require_near(request)
            return await endpoint(request)
        except Exception as error:  # the one map decides what is shown
            problem = problem_from(error)
            response = _answer({"errors": problem.errors}, problem.status)
            response.raw_headers.extend(problem.headers)
            return response

    return guarded


def _shown(overview: AccountOverview) -> dict[str, Any]:
    account, role = overview.account, overview.site_role
    return {
        "id": str(account.id),
        "name": account.name,
        "platformRole": account.role.name,
        "siteRole": None if role is None else Role(role).name,
        "siteCount": overview.site_count,
    }


def _answer(content: object, status: int = 200) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(orjson.dumps(content), status, headers, media_type="application/json")
