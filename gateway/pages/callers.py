"""Who sent a request, as far as pages need it: the device for the list of sessions, the client for the audit."""

from __future__ import annotations

from starlette.requests import Request

from auth.audit import Client
from auth.sessions import Device, Session
from gateway.callers import address_of, network_of
from gateway.pages.devices import device_name
from gateway.pages.layout import here_of, pages_of
from gateway.request_id import current_request_id


def device_of(request: Request) -> Device:
    """What the browser that asks is, for the list of its account's sessions."""
    return Device(device_name(request.headers.get("user-agent", "")), _address(request), here_of(request))


def client_of(request: Request) -> Client:
    """Where an act came from, for the audit."""
    session: Session | None = getattr(request.state, "session", None)
    credential = "" if session is None else f"session:{session.id}"
    agent = request.headers.get("user-agent", "")
    return Client(_address(request), agent, credential, current_request_id())


def network_of_request(request: Request) -> str:
    """The household or office that asks, for limits."""
    return network_of(_address(request))


def _address(request: Request) -> str:
    client = (request.client.host, request.client.port) if request.client else None
    forwarded = request.headers.get("x-forwarded-for")
    known = None if forwarded is None else forwarded.encode("latin-1")
    return address_of(client, known, pages_of(request).settings.proxies)
