"""The mails that pages send, in the language of whoever caused them.

Promises: a link in a mail begins with the platform's own host, never with what a request said. A letter names nobody
but its reader, and holds no secret but its link.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request

from auth.local.local import LocalAccount
from auth.local.mailbox import Mail
from gateway.local_accounts import Registration
from gateway.pages.addresses import base_origin
from gateway.pages.languages import language_of
from gateway.pages.layout import pages_of
from gateway.pages.words import say

PATHS = {
    "register": "/register/finish",
    "invite": "/register/finish",
    "reset": "/reset",
    "known": "/reset",
    "change_old": "/account/email/confirm",
    "change_new": "/account/email/confirm",
}
"""Which letters hold a link, and where it leads."""


def letters_of(request: Request) -> Letters:
    """Who writes for a request."""
    pages = pages_of(request)
    is_open = pages.settings.local.registration is Registration.OPEN
    return Letters(base_origin(request), language_of(request, pages.cookies), is_open=is_open)


class Letters:
    """Writes in one language, with links that begin with `base`. `is_open`: whoever likes may make an account."""

    def __init__(self, base: str, language: str, *, is_open: bool) -> None:
        self._base = base
        self._language = language
        self._is_open = is_open

    def for_account(self, to: str, letter: str, token: str, account: LocalAccount | None) -> Mail:
        """A letter to an address that somebody typed; `account` is there where it belongs to one."""
        if letter == "unknown" and self._is_open:
            return self.write(to, "unknown_open", self._link("register", token))
        return self.write(to if account is None else account.email, letter, self._link(letter, token))

    def for_change(self, letter: str, to: str, token: str) -> Mail:
        """A letter about a change of address."""
        return self.write(to, letter, self._link(letter, token))

    def invitation(self, to: str, token: str) -> tuple[Mail, str]:
        """A letter that invites somebody, and the link in it."""
        link = self._link("invite", token)
        return self.write(to, "invite", link), link

    def notice(self, to: str, letter: str, **values: object) -> Mail:
        """A letter that tells what was done with an account."""
        return self.write(to, letter, f"{self._base}/account", **values)

    def write(self, to: str, letter: str, link: str, **values: object) -> Mail:
        """The mail."""
        known = {"link": link, "base": self._base, **values}
        subject = say(f"letter.{letter}.subject", self._language, **values)
        body = say(f"letter.{letter}", self._language, **known)
        end = say("letter.end", self._language, base=self._base)
        return Mail(to, subject, f"{body}\n\n-- \n{end}\n", self._language)

    def _link(self, letter: str, token: str) -> str:
        path = PATHS.get(letter, "/sign-in")
        return f"{self._base}{path}?link={quote(token)}" if letter in PATHS else f"{self._base}{path}"
