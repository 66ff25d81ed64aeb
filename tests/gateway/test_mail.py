"""Mail: handed to a real server, kept while there is none, and written to the log in development."""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import func, select, update

from auth.local.local import Local
from auth.local.mailbox import MAIL, Mail, Queued, take_mail
from gateway.local_accounts import MailServer, Security, mail_server, sender
from gateway.mail.postman import Postman
from gateway.mail.smtp import Undeliverable, hand_over, written
from gateway.settings import Settings, SettingsError, load_settings
from tenants.database import Database
from tenants.settings import DatabaseSettings
from tests.gateway.pages.post import serving_mail, text_of
from tests.gateway.pages.test_in_browser import free_port, make_certificate

SECRET = "s" * 40
LETTER = Mail("anna@example.nl", "Welkom bij 'Plein' – één", "Hallo Anna,\n\nhttps://plein.example/x?link=é\n", "nl")


def settings_for(**environ: str) -> Settings:
    return load_settings({"PLEIN_SECRET": SECRET, "PLEIN_BASE_HOST": "plein.example"} | environ)


@pytest_asyncio.fixture
async def local(fresh_square: str) -> AsyncIterator[Local]:
    database = Database(DatabaseSettings(fresh_square))
    await database.open()
    local = Local(partial(database.transaction, None), SECRET)
    yield local
    local.passwords.close()
    await database.close()


def postman_for(local: Local, port: int) -> Postman:
    return Postman(settings_for(PLEIN_MAIL_SERVER=f"smtp+plain://127.0.0.1:{port}"), local)


async def put(local: Local, mail: Mail = LETTER, useful_for: timedelta = timedelta(days=1)) -> None:
    async with local.transaction() as tx:
        await local.send(tx, mail, useful_for)


async def waiting(local: Local) -> int:
    async with local.transaction() as tx:
        return int(await tx.scalar(select(func.count()).select_from(MAIL)) or 0)


async def hurry(local: Local) -> None:
    """Let every mail's turn be now."""
    async with local.transaction() as tx:
        await tx.execute(update(MAIL).values(next_at=datetime.now(UTC)))


async def test_a_mail_is_handed_over_once_and_says_what_it_should(local: Local) -> None:
    with serving_mail() as post:
        postman = postman_for(local, post.port)
        await put(local)
        assert await postman.deliver_what_waits() == 1
        assert await postman.deliver_what_waits() == 0
        message = await post.letter(LETTER.to)
    assert await waiting(local) == 0
    assert message["subject"] == LETTER.subject
    assert text_of(message).replace("\r\n", "\n") == LETTER.text
    assert (message["from"], message["to"]) == ("Plein <no-reply@plein.example>", LETTER.to)
    assert message["auto-submitted"] == "auto-generated"
    assert message["content-language"] == "nl"
    assert message["date"]
    assert str(message["message-id"]).endswith("@plein.example>")


async def test_a_server_that_is_away_loses_nothing(local: Local, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    postman = postman_for(local, port)
    await put(local)
    for attempt in (1, 2, 3):
        assert await postman.deliver_what_waits() == 1
        async with local.transaction() as tx:
            row = (await tx.execute(select(MAIL))).one()
        assert row.attempts == attempt
        wait_s = (row.next_at - datetime.now(UTC)).total_seconds()
        assert 15 * 2 ** (attempt - 1) - 5 < wait_s <= 15 * 2 ** (attempt - 1)
        assert await postman.deliver_what_waits() == 0  # not before its turn
        await hurry(local)
    assert LETTER.text not in caplog.text
    assert LETTER.to not in caplog.text
    with serving_mail(port=port) as post:
        await postman.deliver_what_waits()
        assert await post.letter(LETTER.to)
    assert await waiting(local) == 0


async def test_what_is_refused_for_good_is_given_up_and_what_is_not_is_tried_again(local: Local) -> None:
    with serving_mail() as post:
        postman = postman_for(local, post.port)
        post.refuse = {"gone@example.nl": "550 no such person", "full@example.nl": "452 full"}
        for to in ("gone@example.nl", "full@example.nl", "not an address", "anna@example.nl"):
            await put(local, replace(LETTER, to=to))
        assert await postman.deliver_what_waits() == 4
        assert await waiting(local) == 1
        post.refuse = {}
        await hurry(local)
        await postman.deliver_what_waits()
        assert await post.letter("full@example.nl")
        assert await post.letter("anna@example.nl")


async def test_several_processes_send_each_mail_once(local: Local) -> None:
    with serving_mail() as post:
        postmen = [postman_for(local, post.port) for _ in range(3)]
        for number in range(20):
            await put(local, replace(LETTER, to=f"{number}@example.nl"))
        await asyncio.gather(*(each.deliver_what_waits() for each in postmen))
        assert sorted(to for to, _ in post.came) == sorted(f"{number}@example.nl" for number in range(20))


async def test_a_mail_goes_as_soon_as_it_is_written_and_useless_mail_is_dropped(local: Local) -> None:
    with serving_mail() as post:
        postman = postman_for(local, post.port)
        await put(local, useful_for=timedelta(seconds=-1))
        await hurry(local)
        async with local.transaction() as tx:
            await tx.execute(update(MAIL).values(next_at=datetime.now(UTC) + timedelta(hours=1)))
        postman.open()
        await put(local, replace(LETTER, to="soon@example.nl"))
        postman.wake()
        assert await post.letter("soon@example.nl")
        for _ in range(100):
            if await waiting(local) == 0:
                break
            await asyncio.sleep(0.05)
        await postman.close()
    assert await waiting(local) == 0
    assert post.is_empty_for(LETTER.to)


async def test_a_mail_is_sealed_in_the_database_and_another_secret_opens_none(local: Local) -> None:
    await put(local)
    async with local.transaction() as tx:
        row = (await tx.execute(select(MAIL))).one()
    assert "Anna" not in row.sealed
    other = Local(local.transaction, "t" * 40)
    async with local.transaction() as tx:
        (queued,) = await take_mail(tx, other.mail_seal, 5)
    assert queued.mail is None
    other.passwords.close()


async def test_with_tls_and_a_login(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    queued = Queued(UUID(int=7), LETTER, 1)
    login = ("plein", secrets.token_hex(8))
    with serving_mail(tls=context, login=login) as post:
        server = MailServer("localhost", post.port, Security.STARTTLS, *login)
        with pytest.raises(OSError, match="certificate"):  # nobody vouches for it
            await asyncio.to_thread(hand_over, server, "plein@plein.example", "plein.example", queued)
        assert post.came == []
        with pytest.MonkeyPatch.context() as patch:
            trusting = ssl.create_default_context(cafile=str(cert))
            patch.setattr(ssl, "create_default_context", lambda: trusting)
            await asyncio.to_thread(hand_over, server, "plein@plein.example", "plein.example", queued)
            assert post.was_secure == [True]
            wrong = replace(server, password="wrong")
            with pytest.raises(OSError, match="535"):
                await asyncio.to_thread(hand_over, wrong, "plein@plein.example", "plein.example", queued)
    with serving_mail() as bare:  # a server without TLS, where it was wanted
        server = MailServer("localhost", bare.port, Security.STARTTLS)
        with pytest.raises(OSError, match="STARTTLS"):
            await asyncio.to_thread(hand_over, server, "plein@plein.example", "plein.example", queued)
        assert bare.came == []


def test_nothing_breaks_out_of_a_header() -> None:
    for mail in (
        replace(LETTER, subject="x\r\nBcc: all@example.nl"),
        replace(LETTER, to="anna@example.nl\r\nBcc: all@example.nl"),
        replace(LETTER, to="anna@example.nl, all@example.nl"),
    ):
        with pytest.raises(Undeliverable):
            written("plein@plein.example", "plein.example", Queued(UUID(int=7), mail, 1))


async def test_development_writes_mail_to_the_log(local: Local, caplog: pytest.LogCaptureFixture) -> None:
    await put(local)
    with caplog.at_level(logging.WARNING):
        await Postman(settings_for(), local).deliver_what_waits()
    assert LETTER.text in caplog.text
    assert await waiting(local) == 0


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("smtp://mail.example.nl", MailServer("mail.example.nl", 587, Security.STARTTLS)),
        ("smtps://a%40b:p%2Fw@mail.example.nl", MailServer("mail.example.nl", 465, Security.TLS, "a@b", "p/w")),
        ("smtp+plain://localhost:2525", MailServer("localhost", 2525, Security.NONE)),
    ],
)
def test_the_server_is_told_by_an_address(text: str, server: MailServer) -> None:
    assert mail_server(text) == server
    assert "p/w" not in repr(server)


@pytest.mark.parametrize("text", ["mail.example.nl", "http://x", "smtp://", "smtp://x:y", "smtp://x/y", "smtp://x?y=z"])
def test_what_is_no_server_is_told_without_repeating_it(text: str) -> None:
    with pytest.raises(SettingsError, match="PLEIN_MAIL_SERVER: must be smtp://") as told:
        settings_for(PLEIN_MAIL_SERVER=text)
    assert text not in str(told.value).replace("smtp://, smtps://", "") or len(text) < 8


def test_the_sender_is_an_address() -> None:
    assert sender("Plein <a@b.nl>") == "Plein <a@b.nl>"
    assert sender("a@b.nl") == "a@b.nl"
    for wrong in ("Plein", "a@", "a@b\r\nBcc: c@d"):
        with pytest.raises(SettingsError, match="PLEIN_MAIL_FROM"):
            settings_for(PLEIN_MAIL_FROM=wrong)
