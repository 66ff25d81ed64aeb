"""Where somebody may be led after a page: the same origin, the square or a site of it, and nowhere else.

Promises: what is not certain to lead there leads to the front page. Never follows what only looks like a path.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.requests import Request

from gateway.origins import Origins
from gateway.pages.layout import pages_of

LONGEST = 8_000  # a request of another service to sign in holds much, a token of ours among it
FRONT = "/"
# Browsers take `\` for `/`, and leave out tabs and line ends.
UNSAFE = re.compile(r"[\\\x00-\x20\x7f-\uffff]")


async def safe_next(request: Request, address: str | None) -> str:
    """This address where it is a path here, or an address of the square or of a site of it; else the front page."""
    if not address or len(address) > LONGEST or UNSAFE.search(address):
        return FRONT
    if address.startswith("/"):
        return FRONT if address.startswith("//") else address
    try:
        parts = urlsplit(address)
    except ValueError:
        return FRONT
    if f"{parts.scheme}://{parts.netloc}".lower() == origin_of(request).lower():
        return address
    return address if await is_ours(request, f"{parts.scheme}://{parts.netloc}") else FRONT


async def is_ours(request: Request, origin: str) -> bool:
    """Whether the square or a site of it answers at this origin."""
    pages = pages_of(request)
    return await Origins(pages.settings, pages.square().registry).is_ours(origin)


def origin_of(request: Request) -> str:
    """The origin that was asked, as its pages know it."""
    return f"{scheme_of(request)}://{request.headers.get('host', '')}"


def base_origin(request: Request) -> str:
    """The origin of the platform's own host: addresses in mails and to other services begin with it.

    Never taken from what a request says of its host.
    """
    return f"{scheme_of(request)}://{pages_of(request).settings.base_host}"


def scheme_of(request: Request) -> str:
    """`https` in production, where something in front of us ends TLS."""
    return "https" if pages_of(request).settings.is_production else request.url.scheme


def form_targets_of(request: Request, address: str) -> tuple[str, ...]:
    """The origin of an address that `safe_next` let through, where it is another than the one that was asked."""
    parts = urlsplit(address)
    return (f"{parts.scheme}://{parts.netloc}",) if parts.netloc else ()
