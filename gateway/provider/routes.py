"""All routes of the OpenID Provider."""

from __future__ import annotations

from starlette.routing import Route

from gateway.provider.agreed import agreed_routes
from gateway.provider.authorizing import authorizing_routes
from gateway.provider.for_clients import client_routes
from gateway.provider.signing_out import end_session_routes


def provider_routes() -> list[Route]:
    """For clients, and for the people they send here."""
    return [*client_routes(), *authorizing_routes(), *agreed_routes(), *end_session_routes()]
