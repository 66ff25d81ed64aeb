"""The console: GraphiQL and our frame around it, served from our own origin and from memory.

Promises: the page loads nothing from elsewhere, and its policy forbids it to; each file is named by the content of all
of them, so it may be kept for ever; what is not one of these files is not there. Never reads a file while it serves.
"""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

FILES = Path(__file__).parent / "console"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
FOREVER = "public, max-age=31536000, immutable"
# Fonts and a few pictures are inside GraphiQL's style sheet, as data. The nonce is for the styles its dialogs add.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SAFETY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it goes over the wire, plain and compressed."""

    body: bytes
    compressed: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Console:
    """All the page needs: the page with its gaps, the files by name, and the digest that names this set of files."""

    page: str
    assets: Mapping[str, Asset]
    digest: str


def console_routes(*, is_development: bool) -> list[Route]:
    """Return the routes of the page (`/`) and its files (`/console/…`). In development it offers to sign in."""

    async def page(request: Request) -> Response:
        return render_page(load_console(), is_development=is_development)

    return [Route("/", page, name="console"), Route("/console/{digest}/{name:path}", serve_asset, name="asset")]


def render_page(console: Console, *, is_development: bool) -> Response:
    """Return the page with a nonce of its own; so it is never kept."""
    nonce = secrets.token_urlsafe(16)
    gaps = {
        "{{mode}}": "development" if is_development else "production",
        "{{assets}}": f"/console/{console.digest}",
        "{{nonce}}": nonce,
    }
    page = console.page
    for gap, value in gaps.items():
        page = page.replace(gap, value)
    policy = {"content-security-policy": POLICY.format(nonce=nonce), "cache-control": "no-store"}
    return Response(page, media_type="text/html", headers=SAFETY | policy)


async def serve_asset(request: Request) -> Response:
    """Return one file; of another version than ours, or of no name of ours, it is 404."""
    console = load_console()
    asset = console.assets.get(request.path_params["name"])
    if asset is None or request.path_params["digest"] != console.digest:
        return PlainTextResponse("There is no such file.", status_code=404, headers=SAFETY)
    tag = f'"{sha256(asset.body).hexdigest()[:32]}"'
    headers = SAFETY | {"cache-control": FOREVER, "etag": tag, "vary": "accept-encoding"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = asset.body
    if accepts_gzip(request.headers.get("accept-encoding", "")):
        body, headers["content-encoding"] = asset.compressed, "gzip"
    return Response(body, headers=headers | {"content-type": asset.media_type})


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether this Accept-Encoding lets gzip through; `gzip;q=0` does not."""
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return weight.strip().replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


@cache
def load_console() -> Console:
    """Read and compress the files, once per process (60 ms; 1.6 MB become 600 kB)."""
    paths = sorted(path for path in FILES.rglob("*") if path.suffix in TYPES)
    assets = {path.relative_to(FILES).as_posix(): _load_asset(path) for path in paths}
    digest = sha256(b"".join(name.encode() + b"\0" + asset.body for name, asset in assets.items())).hexdigest()[:16]
    return Console((FILES / "index.html").read_text("utf-8"), assets, digest)


def _load_asset(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body, gzip.compress(body, 6, mtime=0), TYPES[path.suffix])
