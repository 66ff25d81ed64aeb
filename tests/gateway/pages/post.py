"""A mail server that takes in what a gateway sends, and a reader of what came."""

from __future__ import annotations

import asyncio
import email
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PATIENCE_S = 10


class Post:
    """What has come, by the address it came to. `refuse` gives the answer to a recipient, where it is not `250`."""

    def __init__(self) -> None:
        self.came: list[tuple[str, EmailMessage]] = []
        self.refuse: dict[str, str] = {}
        self.port = 0
        self.was_secure: list[bool] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's word
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or do not."""
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail."""
        message = cast("EmailMessage", email.message_from_bytes(cast("bytes", envelope.content), policy=default))
        self.was_secure.append(session.ssl is not None)
        self.came += [(each, message) for each in envelope.rcpt_tos]
        return "250 OK"

    async def letter(self, to: str) -> EmailMessage:
        """The next mail to an address, once it is there; it is taken out."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for place, (address, message) in enumerate(self.came):
                    if address == to:
                        del self.came[place]
                        return message
                await asyncio.sleep(0.02)

    def is_empty_for(self, to: str) -> bool:
        """Whether nothing is there for an address."""
        return all(address != to for address, _ in self.came)


@contextmanager
def serving_mail(
    *, tls: ssl.SSLContext | None = None, login: tuple[str, str] | None = None, port: int = 0
) -> Iterator[Post]:
    """A mail server on this machine; with `tls`, by STARTTLS, which is demanded then."""
    post = Post()

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=(data.login.decode(), data.password.decode()) == login, handled=False)

    options: dict[str, Any] = {"tls_context": tls, "require_starttls": tls is not None}
    if login is not None:
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": tls is not None}
    controller = Controller(post, "127.0.0.1", port or _free_port(), **options)
    controller.start()
    post.port = controller.port
    try:
        yield post
    finally:
        controller.stop()


def text_of(message: EmailMessage) -> str:
    """What a mail says."""
    body = message.get_body(("plain",))
    assert body is not None
    return cast("str", body.get_content())


def link_in(message: EmailMessage) -> str:
    """The link with a token in a mail."""
    found = re.search(r"https?://\S+link=\S+", text_of(message))
    assert found is not None, text_of(message)
    return found[0]


def _free_port() -> int:
    import socket  # noqa: PLC0415

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
