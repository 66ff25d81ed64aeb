"""Whether a request comes from a page of the very origin that it is sent to: the only ones that cookies count for.

Promises: what a browser says of itself is believed in the order of how well it knows: `Origin`, `Sec-Fetch-Site`,
`Referer`. Whoever says nothing is no page of ours. A WebSocket's handshake is asked as any other request.
"""

from __future__ import annotations

from collections.abc import Mapping

SAME = frozenset({b"same-origin", b"none"})  # `none`: somebody typed the address, so no page asked


def is_same_origin(headers: Mapping[bytes, bytes], *, is_production: bool) -> bool:
    """Whether the headers of a request say so. In production only pages over TLS are ours."""
    origin = headers.get(b"origin")
    if origin is not None:
        return origin.lower() in _ours(headers, is_production)
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site.lower() in SAME
    referer = headers.get(b"referer")
    return referer is not None and any(
        referer.lower().startswith(each + b"/") for each in _ours(headers, is_production)
    )


def _ours(headers: Mapping[bytes, bytes], is_production: bool) -> tuple[bytes, ...]:
    """The origin that the request is sent to, as a page of it would name it; none without a host."""
    host = headers.get(b"host", b"").lower()
    if not host:
        return ()
    return (b"https://" + host,) if is_production else (b"https://" + host, b"http://" + host)
