"""The endpoints that clients speak to themselves: metadata, keys, tokens, introspection, revocation, userinfo.

Promises: what is the same for everybody may be kept for a quarter of an hour, everything else by nobody.
"""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.provider.errors import invalid_request, invalid_token
from auth.provider.metadata import KEYS_PATH, USERINFO_PATH, metadata
from auth.provider.token_requests import TOKEN_PATH, answer_token_request
from auth.provider.token_states import INTROSPECT_PATH, REVOKE_PATH, introspect, revoke, userinfo
from gateway.provider.door import Door, as_json, endpoint, parameters_of

KEPT = {"cache-control": "public, max-age=900"}


async def _metadata(door: Door, _request: Request) -> Response:
    return as_json(metadata(door.provider.settings), headers=KEPT)


async def _keys(door: Door, _request: Request) -> Response:
    return as_json({"keys": await door.provider.keys.published()}, headers=KEPT)


async def _token(door: Door, request: Request) -> Response:
    given = await parameters_of(request)
    return as_json(await answer_token_request(door.provider, request.headers.get("authorization"), given))


async def _introspect(door: Door, request: Request) -> Response:
    given = await parameters_of(request)
    return as_json(await introspect(door.provider, request.headers.get("authorization"), given))


async def _revoke(door: Door, request: Request) -> Response:
    await revoke(door.provider, request.headers.get("authorization"), await parameters_of(request))
    return as_json({})


async def _userinfo(door: Door, request: Request) -> Response:
    return as_json(await userinfo(door.provider, await _bearer(request)))


async def _bearer(request: Request) -> str:
    """The access token, in the header or, for POST, in the form (RFC 6750, section 2)."""
    authorization = request.headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise invalid_token()
        return token.strip()
    if request.method == "POST" and request.headers.get("content-type"):
        given = await parameters_of(request)
        given.require_once()
        if "access_token" in given:
            return given["access_token"]
    raise invalid_request("Send the access token as Authorization: Bearer.")


def client_routes() -> list[Route]:
    """The routes of these endpoints."""
    public = partial(endpoint, for_everybody=True)
    read, sent = ["GET", "OPTIONS"], ["POST", "OPTIONS"]
    return [
        Route("/.well-known/openid-configuration", public(_metadata), methods=read),
        Route("/.well-known/oauth-authorization-server", public(_metadata), methods=read),
        Route(f"/{KEYS_PATH}", public(_keys), methods=read),
        Route(f"/{TOKEN_PATH}", endpoint(_token), methods=sent),
        Route(f"/{INTROSPECT_PATH}", endpoint(_introspect), methods=sent),
        Route(f"/{REVOKE_PATH}", endpoint(_revoke), methods=sent),
        Route(f"/{USERINFO_PATH}", endpoint(_userinfo), methods=["GET", *sent]),
    ]
