"""The least that a server can do: one ASGI application that says hello."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

BODY = b'{"data":{"hello":"world"}}'
HEADERS = ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY)))


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the request and answer."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
