"""Signing out at the wish of a client (OpenID Connect RP-Initiated Logout): what it asks, and whether it may be done.

Promises: nobody is signed out by a link alone: it needs an ID token of the very session, or the person's own word.
Afterwards the person is sent only to an address that the client registered for this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.provider.clients import Client, load_client, same_but_for_port
from auth.provider.errors import UnknownClient
from auth.provider.parameters import Parameters

LONGEST_STATE = 2_048


@dataclass(frozen=True, slots=True)
class EndRequest:
    """A request in order. `back_to` is where the person is sent afterwards, if anywhere."""

    client: Client | None
    hint: Mapping[str, Any] | None
    back_to: str | None

    def is_about(self, session_id: UUID) -> bool:
        """Whether the client showed an ID token of this session: then it need not be asked."""
        if self.client is None or self.hint is None:
            return False
        return self.hint.get("sid") == self.client.sid_of(session_id)


async def require_end_request(tx: AsyncConnection, given: Parameters, hint: Mapping[str, Any] | None) -> EndRequest:
    """The request in these parameters; `hint` is what its ID token says. Raises `UnknownClient`."""
    given.require_once()
    if "id_token_hint" in given and hint is None:
        raise UnknownClient("invalid_request", "id_token_hint is not an ID token of this square.")
    named = given.get("client_id", None if hint is None else str(hint["aud"]))
    if hint is not None and named != hint["aud"]:
        raise UnknownClient("invalid_request", "client_id is another client than that of id_token_hint.")
    client = None if named is None else await load_client(tx, named)
    if named is not None and client is None:
        raise UnknownClient("invalid_client", "There is no client with this client_id.")
    return EndRequest(client, hint, _back_to(given, client))


def _back_to(given: Parameters, client: Client | None) -> str | None:
    uri = given.get("post_logout_redirect_uri")
    if uri is None:
        return None
    known = () if client is None else client.logout_redirect_uris
    if uri not in known and not any(same_but_for_port(uri, each) for each in known):
        raise UnknownClient("invalid_request", "post_logout_redirect_uri is not one that the client registered.")
    state = given.get("state")
    if state is None or len(state) > LONGEST_STATE:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode({'state': state})}"
