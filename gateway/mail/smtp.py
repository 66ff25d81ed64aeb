"""Handing mail to a server by SMTP.

Promises: with TLS, its certificate is verified, and nothing is sent where TLS was wanted and is not to be had; every
step has a time limit. Tells apart what will never work from what may work later.
"""

from __future__ import annotations

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr

from auth.local.mailbox import Queued
from gateway.local_accounts import MailServer, Security

TIMEOUT_S = 20.0


class Undeliverable(Exception):  # noqa: N818 - a verdict of the mail server
    """The server says that it will never take this mail."""


def hand_over(server: MailServer, sender: str, host: str, queued: Queued) -> None:
    """Send one mail, on a connection of its own; to be called in a thread.

    Raises Undeliverable, and `OSError` (smtplib's errors are) where it may work later.
    """
    message = written(sender, host, queued)
    with _connected(server, _local_name(host)) as smtp:
        if server.login is not None:
            smtp.login(server.login, server.password or "")
        try:
            smtp.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            codes = {code for code, _ in refused.recipients.values()}
            if all(code >= 500 for code in codes):
                raise Undeliverable(f"refused with {sorted(codes)}") from None
            raise
        except smtplib.SMTPNotSupportedError:
            raise Undeliverable("the server does not know such addresses") from None


def _connected(server: MailServer, name: str) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.security is Security.TLS:
        return smtplib.SMTP_SSL(server.host, server.port, name, timeout=TIMEOUT_S, context=context)
    smtp = smtplib.SMTP(server.host, server.port, name, timeout=TIMEOUT_S)
    if server.security is Security.STARTTLS:
        try:
            smtp.starttls(context=context)
        except BaseException:
            smtp.close()
            raise
    return smtp


def written(sender: str, host: str, queued: Queued) -> EmailMessage:
    """The message as it goes over the wire. Raises Undeliverable for an address that cannot be one."""
    assert queued.mail is not None
    mail, message = queued.mail, EmailMessage()
    try:
        name, address = parseaddr(sender)
        message["From"] = Address(name, addr_spec=address)
        message["To"] = Address(addr_spec=mail.to)
        message["Subject"] = mail.subject
    except ValueError as error:
        raise Undeliverable(f"the address cannot be written: {error}") from None
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = f"<{queued.id}@{_local_name(host)}>"  # the same at every attempt, so that it is seen as one
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, charset="utf-8")
    message["Content-Language"] = mail.language
    return message


def _local_name(host: str) -> str:
    return host.partition(":")[0]
