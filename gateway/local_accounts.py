"""Accounts that sign in here with a password, and how mail is sent to people: a part of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from enum import StrEnum
from typing import Any
from urllib.parse import unquote, urlsplit

from gateway.parsers import Variable, one_of


class Registration(StrEnum):
    """Who may make an account that signs in here."""

    OPEN = "open"
    INVITATION = "invitation"
    CLOSED = "closed"


class Security(StrEnum):
    """How a connection to the mail server is secured."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


SCHEMES = {"smtps": (Security.TLS, 465), "smtp": (Security.STARTTLS, 587), "smtp+plain": (Security.NONE, 25)}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in."""

    host: str
    port: int
    security: Security
    login: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LocalAccounts:
    """Passwords and mail. `mail_server` is None where mail goes to the log, or nowhere."""

    passwords: bool
    registration: Registration
    mail_server: MailServer | None
    mail_from: str


def mail_server(text: str) -> MailServer:
    """The server in an address such as `smtp://login:password@host:587`. The message never repeats it."""
    wrong = "must be smtp://, smtps:// or smtp+plain:// with a host, and a login and password if it wants them"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(wrong) from None
    if parts.scheme not in SCHEMES or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(wrong)
    security, usual = SCHEMES[parts.scheme]
    login, password = (None if each is None else unquote(each) for each in (parts.username, parts.password))
    return MailServer(parts.hostname, port or usual, security, login, password)


def sender(text: str) -> str:
    """An address, with or without a name: `Plein <plein@example.nl>`."""
    name, address = parseaddr(text)
    if address.count("@") != 1 or not all(address.split("@")) or any(each in text for each in "\r\n"):
        raise ValueError("must be an address of mail, such as Plein <plein@example.nl>")
    return f"{name} <{address}>" if name else address


VARIABLES = (
    Variable(
        "PASSWORDS",
        one_of({"on": True, "off": False}),
        True,
        "Whether accounts can sign in here with an e-mail address and a password: `on` or `off`.",
        "`on`",
    ),
    Variable(
        "REGISTRATION",
        one_of({each.value: each for each in Registration}),
        Registration.OPEN,
        "Who may make an account with a password: `open` (whoever has an e-mail address), `invitation` or `closed`.",
    ),
    Variable(
        "MAIL_SERVER",
        mail_server,
        None,
        "The mail server: `smtp://login:password@host:587` (with STARTTLS), `smtps://…` (TLS from the start) or "
        "`smtp+plain://…` (neither, for a server on the same machine). Without it, development writes mail to the log; "
        "in production nobody can register or ask for a new password.",
        "none",
    ),
    Variable(
        "MAIL_FROM", sender, None, "The address that mail is sent from.", "`Plein <no-reply@` and the base host `>`"
    ),
)


def local_accounts_from(values: Mapping[str, Any], host: str) -> LocalAccounts:
    """The part of the settings, from parsed values. `host` is the base host."""
    return LocalAccounts(
        passwords=values["PASSWORDS"],
        registration=values["REGISTRATION"],
        mail_server=values["MAIL_SERVER"],
        mail_from=values["MAIL_FROM"] or f"Plein <no-reply@{host.partition(':')[0]}>",
    )
