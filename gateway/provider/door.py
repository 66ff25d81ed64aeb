"""What every endpoint for clients shares: reading the form, counting who asks, answering in JSON, CORS, and faults.

Promises: a request is counted before anything is done for it, and one that fails counts more, so that guessing is slow.
A page of another origin may use these endpoints if a client registered its origin; no cookie is ever looked at.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response

from auth.provider.errors import OAuthError, invalid_request
from auth.provider.parameters import LONGEST_REQUEST, Parameters
from auth.provider.provider import Provider
from gateway.callers import TOKENS, Caller, address_of, network_of
from gateway.errors import Throttled, problem_from
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.context import Square

FORM_TYPE = "application/x-www-form-urlencoded"
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
SAFETY = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
FAULT_COST = 20  # a refused request counts as so many
PREFLIGHT = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-max-age": "7200",
}

Answer = Callable[["Door", Request], Awaitable[Response]]


@dataclass(slots=True)
class Door:
    """The endpoints' shared state; one per process. `square` gives the living parts while the gateway serves."""

    settings: Settings
    square: Callable[[], Square]

    @property
    def provider(self) -> Provider:
        """The provider itself."""
        return self.square().provider

    async def charge(self, request: Request, cost: int) -> None:
        """Count a request. Raises Throttled when there were too many."""
        forwarded = request.headers.get("x-forwarded-for")
        client = None if request.client is None else (request.client.host, request.client.port)
        named = None if forwarded is None else forwarded.encode("latin-1")
        caller = Caller(TOKENS, network_of(address_of(client, named, self.settings.proxies)))
        rates = self.square().rates
        if rates is not None and (payers := rates.limited((caller,))):
            await rates.charge(payers, cost)


def door_of(request: Request) -> Door:
    """The shared state, from the application that serves this request."""
    return cast("Door", request.app.state.provider)


def endpoint(answer: Answer, *, for_everybody: bool = False) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for clients. `for_everybody`: pages of any origin may read it."""

    async def answered(request: Request) -> Response:
        door = door_of(request)
        allowed = await _cors(door, request, for_everybody=for_everybody)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={**allowed, **(PREFLIGHT if allowed else {})})
        try:
            if not for_everybody:
                await door.charge(request, 1)
            response = await answer(door, request)
        except OAuthError as error:
            response = await _told(door, request, error)
        except Throttled as error:
            response = _throttled(error)
        except Exception as error:  # the one map decides what is shown
            response = _fault(error)
        for name, value in {**SAFETY, **allowed}.items():
            response.headers[name] = value
        response.headers["vary"] = "origin, authorization"
        return response

    return answered


async def parameters_of(request: Request) -> Parameters:
    """The form in the body. Raises `OAuthError`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise invalid_request("Send a form, with content-type application/x-www-form-urlencoded.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_REQUEST:
            raise OAuthError("invalid_request", "The request is too long.", 413)
    try:
        return Parameters(body.decode("ascii"))
    except UnicodeDecodeError:
        raise invalid_request("The form is not percent-encoded.") from None


def as_json(content: Any, status: int = 200, headers: Mapping[str, str] = NO_STORE) -> Response:
    """An answer in JSON."""
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


async def _cors(door: Door, request: Request, *, for_everybody: bool) -> dict[str, str]:
    origin = request.headers.get("origin")
    if origin is None:
        return {}
    if for_everybody:
        return {"access-control-allow-origin": "*"}
    if origin == door.provider.settings.issuer or await door.provider.origins.may_read(origin):
        return {
            "access-control-allow-origin": origin,
            "access-control-expose-headers": "www-authenticate, retry-after, x-request-id",
        }
    return {}


async def _told(door: Door, request: Request, error: OAuthError) -> Response:
    """The refusal as RFC 6749 and RFC 6750 have it."""
    try:
        await door.charge(request, FAULT_COST - 1)
    except Throttled as throttled:
        return _throttled(throttled)
    response = as_json({"error": error.code, "error_description": error.description}, error.status)
    if error.code == "invalid_client":
        response.headers["www-authenticate"] = 'Basic realm="plein", charset="UTF-8"'
    elif error.status in {401, 403}:
        response.headers["www-authenticate"] = f'Bearer realm="plein", error="{error.code}"'
    return response


def _throttled(error: Throttled) -> Response:
    response = as_json({"error": "temporarily_unavailable", "error_description": error.message}, 429)
    response.raw_headers.extend(error.headers)
    return response


def _fault(error: Exception) -> Response:
    """What is our own fault, or the database's state."""
    problem = problem_from(error)
    told = problem.errors[0]
    code = "temporarily_unavailable" if problem.status == 503 else "server_error"
    response = as_json({"error": code, "error_description": told["message"], **_request_id(told)}, problem.status)
    response.raw_headers.extend(problem.headers)
    return response


def _request_id(told: Mapping[str, Any]) -> dict[str, str]:
    found = told["extensions"].get("requestId")
    return {} if found is None else {"request_id": found}
