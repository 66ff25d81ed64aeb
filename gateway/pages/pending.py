"""Sign-ins on their way, kept by the browser that began them: a sealed cookie for each, gone when it comes back.

Promises: nothing is stored here for a visitor. A cookie is for one sign-in and lives ten minutes; several tabs each
have their own, a few at most. What is in one can be read and changed by nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from time import time
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from auth.relying.directory import Directory
from auth.relying.faults import SignInFault, SignInRefused
from auth.relying.flow import PENDING_SECONDS, Pending, RelyingParty
from auth.relying.outside import Outside
from auth.seal import Seal, SealBroken
from gateway.credentials import make_directory
from gateway.pages.layout import pages_of
from gateway.settings import Settings

PREFIX = "plein-at-"
MOST = 4  # of some 1.5 kB each: more would not fit into the head of a request
LONGEST_NEXT = 600
LINK = "plein-link"
LINK_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Relying:
    """What signing in at issuers needs, once per process."""

    directory: Directory
    party: RelyingParty
    seal: Seal


def make_relying(settings: Settings) -> Relying:
    """The one of this process."""
    return Relying(make_directory(settings), RelyingParty(Outside()), Seal(settings.secret, "sign-in"))


def relying_of(request: Request) -> Relying:
    """What signing in at issuers needs, from the application that serves this request."""
    return cast("Relying", request.app.state.relying)


def keep_pending(request: Request, response: Response, pending: Pending) -> None:
    """Let the browser keep a sign-in; the oldest goes where it keeps too many."""
    cookies, kept = pages_of(request).cookies, sorted(_names(request))
    for name in kept[: max(0, len(kept) - MOST + 1)]:
        response.headers.append("set-cookie", cookies.removed(name))
    name = f"{PREFIX}{int(pending.started_at):x}-{_short(pending.state)}"
    value = relying_of(request).seal.close("pending", asdict(pending))
    response.headers.append("set-cookie", cookies.written(name, value, max_age_s=PENDING_SECONDS))


def take_pending(request: Request, state: str) -> tuple[Pending, str]:
    """The sign-in with this state, and the name of its cookie. Raises SIGN_IN_EXPIRED where this browser has none."""
    header = _header(request)
    for name in _names(request):
        if name.endswith(f"-{_short(state)}"):
            value = pages_of(request).cookies.read(header, name) or ""
            try:
                return Pending(**relying_of(request).seal.open("pending", value)), name
            except (SealBroken, TypeError):
                continue
    raise SignInRefused(SignInFault.SIGN_IN_EXPIRED, "no cookie")


def keep_link(request: Request, response: Response, value: dict[str, Any]) -> None:
    """Let the browser keep what is to be linked, until the person said yes or no."""
    sealed = relying_of(request).seal.close("link", {**value, "ends_at": time() + LINK_SECONDS})
    response.headers.append("set-cookie", pages_of(request).cookies.written(LINK, sealed, max_age_s=LINK_SECONDS))


def link_of(request: Request) -> dict[str, Any]:
    """What is to be linked. Raises SIGN_IN_EXPIRED where this browser keeps nothing, or not any more."""
    value = pages_of(request).cookies.read(_header(request), LINK) or ""
    try:
        found: dict[str, Any] = relying_of(request).seal.open("link", value)
    except SealBroken:
        raise SignInRefused(SignInFault.SIGN_IN_EXPIRED, "no link") from None
    if found["ends_at"] < time():
        raise SignInRefused(SignInFault.SIGN_IN_EXPIRED, "link")
    return found


def drop(request: Request, response: Response, name: str) -> None:
    """Let the browser forget one of these."""
    response.headers.append("set-cookie", pages_of(request).cookies.removed(name))


def _names(request: Request) -> Iterable[str]:
    """The names of the cookies of sign-ins that the browser sent, without what stands before every name."""
    for pair in _header(request).decode("latin-1").split(";"):
        name = pair.strip().partition("=")[0].removeprefix("__Host-")
        if name.startswith(PREFIX):
            yield name


def _short(state: str) -> str:
    return sha256(state.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _header(request: Request) -> bytes:
    return request.headers.get("cookie", "").encode("latin-1")
