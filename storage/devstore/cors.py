"""Cross-origin requests: which browsers' pages may send and fetch bytes here.

Promises: an origin that was not allowed gets no CORS header. Says nothing about who may do what: that is the
signature's, and a preflight carries none.
"""

from __future__ import annotations

from collections.abc import Sequence

from storage.devstore.errors import S3Error
from storage.devstore.request import Request, Response

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
EXPOSED = "ETag, Content-Length, Content-Range, Content-Disposition, x-amz-request-id, x-amz-checksum-sha256"
MAX_AGE_S = 600
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


def preflight(request: Request, allowed_origins: Sequence[str]) -> Response:
    """The answer to OPTIONS. Raises S3Error."""
    origin = request.headers.get("origin", "")
    method = request.headers.get("access-control-request-method", "")
    if not origin or not method:
        raise S3Error("InvalidRequest", "Insufficient information. Origin and Access-Control-Request-Method needed")
    headers = cors_headers(request, allowed_origins)
    if not headers or method not in METHODS:
        raise S3Error("AccessForbidden", "CORSResponse: This CORS request is not allowed", {"vary": VARY})
    if requested := request.headers.get("access-control-request-headers"):
        headers["access-control-allow-headers"] = requested
    return Response(
        200,
        {
            **headers,
            "access-control-allow-methods": ", ".join(METHODS),
            "access-control-max-age": str(MAX_AGE_S),
            "vary": VARY,
        },
    )


def cors_headers(request: Request, allowed_origins: Sequence[str]) -> dict[str, str]:
    """What is added to an answer for a page of an allowed origin; nothing for others."""
    origin = request.headers.get("origin")
    if origin is None or not ("*" in allowed_origins or origin in allowed_origins):
        return {}
    return {
        "access-control-allow-origin": "*" if "*" in allowed_origins else origin,
        "access-control-expose-headers": EXPOSED,
        "vary": VARY,
    }
