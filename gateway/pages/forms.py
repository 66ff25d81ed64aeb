"""Forms: what was sent, once it is certain that a page of ours sent it.

Promises: a form counts only from a page of the same origin, with a token made for this form, this browser and this
session; what is too long or no form at all is refused. Never tells which of these was wrong in more than one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request

from gateway.cookies import FORM, SESSION
from gateway.pages.layout import cookie_of, pages_of
from gateway.same_origin import is_same_origin

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_BODY_BYTES = 16_384
MAX_FIELDS = 50
FIELD = "form"


class FormRefused(Exception):  # noqa: N818 - a verdict on what was sent
    """No form of ours; `reason` is a key of `words`, `status` the HTTP status."""

    def __init__(self, reason: str, status: int = 403) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


@dataclass(slots=True)
class Form:
    """What somebody filled in, and what is not in order: by field, the key of a text in `words` and its values."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, tuple[str, Mapping[str, object]]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """What stands in a field; an empty text where nothing does."""
        return self.values.get(name, "")

    def refuse(self, name: str, key: str, **values: object) -> None:
        """Say of a field what is not in order; what was said first stays."""
        self.errors.setdefault(name, (key, values))

    @property
    def is_good(self) -> bool:
        """Whether nothing was refused."""
        return not self.errors


async def read_form(request: Request, purpose: str) -> Form:
    """The form that was sent for this purpose. Raises FormRefused."""
    pages = pages_of(request)
    if not is_same_origin(dict(request.scope["headers"]), is_production=pages.settings.is_production):
        raise FormRefused("form.elsewhere")
    form = Form(await _fields(request))
    session, nonce = cookie_of(request, SESSION) or "", cookie_of(request, FORM) or ""
    if not pages.form_tokens.is_good(form[FIELD], purpose, nonce, session):
        raise FormRefused("form.stale")
    return form


async def _fields(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise FormRefused("form.shape", 415)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise FormRefused("form.shape", 413)
    try:
        pairs = parse_qsl(body.decode("ascii"), True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise FormRefused("form.shape", 400) from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise FormRefused("form.shape", 400)
    return dict(pairs)
