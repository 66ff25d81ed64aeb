"""What every page is made with: templates, words, form tokens, headers.

Promises: a page may be kept by nobody and framed by nobody, and loads only our own style sheet. A cookie is set only by
a page that holds a form, for that form.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.local.local import Local
from auth.sessions import SQUARE, Session, load_session, touch_session
from gateway.cookies import FORM, SESSION, Cookies
from gateway.hosts import site_here
from gateway.mail.postman import Postman
from gateway.pages.form_tokens import FormTokens, is_nonce, new_nonce
from gateway.pages.languages import LANGUAGES, language_of
from gateway.pages.words import say
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.context import Square

HERE = Path(__file__).parent
STYLE = HERE / "style.css"
FOREVER = "public, max-age=31536000, immutable"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action "
)
# `same-origin`: the address of a page may hold a link's token; and without a referrer a form's Origin would be `null`.
SAFETY = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Provider:
    """An issuer one can sign in with: its name for people, and where its button leads (`next` is added)."""

    name: str
    path: str


Providers = Callable[[Request], Awaitable[Iterable[Provider]]]
"""The issuers that are offered on the page for signing in."""


async def no_providers(_request: Request) -> Iterable[Provider]:
    """None."""
    return ()


WayOut = Callable[[Request, Session], Awaitable[str | None]]
"""Where a browser goes when this session ends, to end it with whoever vouched for it too; None: nowhere else."""


async def no_way_out(_request: Request, _session: Session) -> str | None:
    """Nowhere else."""
    return None


@dataclass(frozen=True, slots=True)
class Section:
    """A page of somebody's account that another part brings along: the key of its name in `words`, and its path."""

    title: str
    path: str


@dataclass(slots=True)
class Pages:
    """What pages need, once per process; `square` gives the living parts while the gateway serves.

    `local` and `postman` are there while it serves; without passwords, `local` is of no use but for mail.
    """

    settings: Settings
    square: Callable[[], Square]
    providers: Providers = no_providers
    way_out: WayOut = no_way_out
    sections: list[Section] = field(default_factory=list)
    local: Local | None = None
    postman: Postman | None = None
    cookies: Cookies = field(init=False)
    form_tokens: FormTokens = field(init=False)

    @property
    def can_mail(self) -> bool:
        """Whether mail reaches people; in development it reaches the log."""
        return not self.settings.is_production or self.settings.local.mail_server is not None

    def __post_init__(self) -> None:
        self.cookies = Cookies(is_secure=self.settings.is_production)
        self.form_tokens = FormTokens(self.settings.secret)


def local_of(request: Request) -> Local:
    """What accounts that sign in here need."""
    local = pages_of(request).local
    assert local is not None, "the gateway does not serve"
    return local


def send_soon(request: Request) -> None:
    """Mail was written in a transaction that is committed by now."""
    postman = pages_of(request).postman
    if postman is not None:
        postman.wake()


def pages_of(request: Request) -> Pages:
    """What pages need, from the application that serves this request."""
    return cast("Pages", request.app.state.pages)


def page(
    request: Request, template: str, status: int = 200, *, form_targets: Iterable[str] = (), **values: Any
) -> Response:
    """Render a template of `templates/` with these values.

    `form_targets` are origins that a form may lead to by a redirect, besides our own: browsers hold a form to that.
    """
    pages = pages_of(request)
    drawn = _Drawn(pages, request)
    text = _environment().get_template(template).render(drawn.values() | values)
    policy = POLICY + " ".join(("'self'", *form_targets))
    response = Response(text, status, SAFETY | {"content-security-policy": policy}, media_type="text/html")
    if drawn.new_nonce is not None:
        response.headers.append("set-cookie", pages.cookies.written(FORM, drawn.new_nonce))
    response.headers["vary"] = "accept-language, cookie"
    response.headers["content-language"] = drawn.language
    return response


def say_to(request: Request, key: str, **values: object) -> str:
    """A text of `words`, in the language of this request."""
    return say(key, language_of(request, pages_of(request).cookies), **values)


def cookie_of(request: Request, name: str) -> str | None:
    """The value of a cookie of ours in this request, or None."""
    return pages_of(request).cookies.read(request.headers.get("cookie", "").encode("latin-1"), name)


def here_of(request: Request) -> str:
    """`SQUARE`, or the slug or own host name of the site whose host was asked."""
    here = site_here(request.headers.get("host", "").encode("latin-1"), pages_of(request).settings.base_host)
    return SQUARE if here is None else here


async def session_of(request: Request) -> Session | None:
    """The session of the browser that asks, read now, or None; it is remembered for the rest of the request."""
    if hasattr(request.state, "session"):
        return cast("Session | None", request.state.session)
    token, session = cookie_of(request, SESSION), None
    if token is not None:
        pages = pages_of(request)
        async with pages.square().database.transaction(None) as tx:
            session = await load_session(tx, token, here_of(request), pages.settings.signing_in.sessions)
            if session is not None:
                await touch_session(tx, session)
    request.state.session = session
    return session


def style_routes() -> list[Route]:
    """The route of the style sheet, named by its content."""

    async def style(_request: Request) -> Response:
        headers = {"cache-control": FOREVER, "x-content-type-options": "nosniff"}
        return Response(_style()[0], headers=headers, media_type="text/css")

    return [Route(_style()[1], style)]


class _Drawn:
    """One page while it is drawn."""

    def __init__(self, pages: Pages, request: Request) -> None:
        self._pages = pages
        self._request = request
        self.language = language_of(request, pages.cookies)
        self.new_nonce: str | None = None

    def values(self) -> dict[str, Any]:
        url = self._request.url
        here = url.path + (f"?{url.query}" if url.query else "")
        return {
            "language": self.language,
            "languages": [
                (tag, name, f"/language?{urlencode({'to': tag, 'next': here})}") for tag, name in LANGUAGES.items()
            ],
            "style": _style()[1],
            "form_token": self._form_token,
            "session": getattr(self._request.state, "session", None),
        }

    def _form_token(self, purpose: str) -> str:
        nonce = self.new_nonce or cookie_of(self._request, FORM)
        if nonce is None or not is_nonce(nonce):
            nonce = self.new_nonce = new_nonce()
        return self._pages.form_tokens.make(purpose, nonce, cookie_of(self._request, SESSION) or "")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["t"] = _say
    return environment


@pass_context
def _say(context: Context, key: str, **values: object) -> str:
    return say(key, context["language"], **values)


@cache
def _style() -> tuple[bytes, str]:
    """The style sheet, and its path."""
    text = STYLE.read_bytes()
    return text, f"/pages/{sha256(text).hexdigest()[:16]}.css"
