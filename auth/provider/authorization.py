"""Authorization requests: what a client asks a person for, checked before anybody is asked anything.

Promises: until client and redirect address are known to belong together, nobody is sent anywhere; from then on every
fault goes back to the client by that address, with `state` and `iss` (RFC 9207). Only codes are given, and only with a
PKCE challenge by S256: whatever else is asked for is refused, never let be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.provider.clients import Client, GrantType, load_client
from auth.provider.errors import OAuthError, UnknownClient, invalid_request
from auth.provider.parameters import Parameters
from auth.provider.person import AskedClaims, asked_claims
from auth.provider.scopes import OFFLINE, require_scopes, scopes_in
from auth.provider.settings import ProviderSettings

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
NOT_SUPPORTED = {"request": "request_not_supported", "request_uri": "request_uri_not_supported"}
LONGEST = {"state": 2_048, "nonce": 512, "login_hint": 320, "id_token_hint": 8_192, "redirect_uri": 2_048}


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request in order: its client may ask all this, and is answered at `redirect_uri`."""

    client: Client
    redirect_uri: str
    state: str | None
    scopes: frozenset[str]
    resources: tuple[str, ...]
    challenge: str
    nonce: str | None
    prompts: frozenset[str]
    max_age: int | None
    login_hint: str | None
    id_token_hint: str | None
    acr_values: tuple[str, ...]
    claims: AskedClaims


class Returned(Exception):  # noqa: N818 - what it does with the person
    """A refusal that the client is told: the person is sent back to it."""

    def __init__(self, error: OAuthError, redirect_uri: str, state: str | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.redirect_uri = redirect_uri
        self.state = state

    def address(self, settings: ProviderSettings) -> str:
        """Where the person is sent."""
        told = {"error": self.error.code, "error_description": self.error.description}
        return answer_address(settings, self.redirect_uri, self.state, told)


def answer_address(settings: ProviderSettings, redirect_uri: str, state: str | None, told: Mapping[str, str]) -> str:
    """The client's address with an answer, as it is told from any other provider's (RFC 9207)."""
    values = {**told, **({} if state is None else {"state": state}), "iss": settings.issuer}
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(values)}"


async def require_request(tx: AsyncConnection, given: Parameters) -> AuthorizationRequest:
    """The request in these parameters. Raises `UnknownClient`, or `Returned` with what the client did wrong."""
    client, redirect_uri = await _addressee(tx, given)
    state = None if "state" in given.repeated else given.get("state")
    if state is not None and len(state) > LONGEST["state"]:
        state = None
    try:
        return _checked(given, client, redirect_uri)
    except OAuthError as error:
        raise Returned(error, redirect_uri, state) from None


async def _addressee(tx: AsyncConnection, given: Parameters) -> tuple[Client, str]:
    """Who asks, and where they may be answered."""
    if {"client_id", "redirect_uri"} & given.repeated:
        raise UnknownClient("invalid_request", "client_id or redirect_uri is given more than once.")
    client = await load_client(tx, given.get("client_id", ""))
    if client is None:
        raise UnknownClient("invalid_client", "There is no client with this client_id.")
    redirect_uri = given.get("redirect_uri", "")
    if len(redirect_uri) > LONGEST["redirect_uri"] or not client.takes_codes_at(redirect_uri):
        raise UnknownClient("invalid_request", "redirect_uri is not one of those that the client registered.")
    return client, redirect_uri


def _checked(given: Parameters, client: Client, redirect_uri: str) -> AuthorizationRequest:
    given.require_once()
    for name, most in LONGEST.items():
        if len(given.get(name, "")) > most:
            raise invalid_request(f"{name} is longer than {most} characters.")
    _require_code_flow(given, client)
    claims = asked_claims(given.get("claims"))
    scopes = scopes_in(given.get("scope", "")) | claims.scopes
    if not client.may(GrantType.REFRESH_TOKEN):
        scopes -= {OFFLINE}
    if not scopes:
        raise OAuthError("invalid_scope", "No scope is asked for that is known here.")
    require_scopes(client, scopes)
    return AuthorizationRequest(
        client=client,
        redirect_uri=redirect_uri,
        state=given.get("state"),
        scopes=scopes,
        resources=given.resources,
        challenge=_challenge(given),
        nonce=given.get("nonce"),
        prompts=_prompts(given.get("prompt", "")),
        max_age=_max_age(given.get("max_age")),
        login_hint=given.get("login_hint"),
        id_token_hint=given.get("id_token_hint"),
        acr_values=tuple(given.get("acr_values", "").split()),
        claims=claims,
    )


def _require_code_flow(given: Parameters, client: Client) -> None:
    for name, code in NOT_SUPPORTED.items():
        if name in given:
            raise OAuthError(code, f"{name} is not supported; send the parameters themselves.")
    if "registration" in given:
        raise OAuthError("registration_not_supported", "Clients are registered beforehand.")
    if "response_type" not in given:
        raise invalid_request("response_type is missing.")
    if given["response_type"] != "code":
        raise OAuthError("unsupported_response_type", "Only response_type=code is supported.")
    if given.get("response_mode", "query") != "query":
        raise invalid_request("Only response_mode=query is supported.")
    if not client.may(GrantType.AUTHORIZATION_CODE):
        raise OAuthError("unauthorized_client", "The client may not sign people in.")


def _challenge(given: Parameters) -> str:
    if given.get("code_challenge_method") != "S256":
        raise invalid_request("PKCE is demanded: send code_challenge with code_challenge_method=S256.")
    challenge = given.get("code_challenge", "")
    if not CHALLENGE.fullmatch(challenge):
        raise invalid_request("code_challenge is not 43 characters of base64url.")
    return challenge


def _prompts(text: str) -> frozenset[str]:
    prompts = frozenset(text.split())
    if not prompts <= PROMPTS:
        raise invalid_request("prompt has a value that is not known here.")
    if "none" in prompts and len(prompts) > 1:
        raise invalid_request("prompt=none goes with no other value.")
    return prompts


def _max_age(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 10:
        raise invalid_request("max_age is not a number of seconds.")
    return int(text)
