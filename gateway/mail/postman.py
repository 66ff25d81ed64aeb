"""Takes mail out of the database and hands it over, as long as the gateway runs.

Promises: a mail that was just written goes at once; one that could not be sent is tried again, later and later, as long
as it is of use. Several processes share the work. Nothing of what a mail says is in the log, but in development without
a mail server, where the log is where it goes.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from auth.local.local import Local
from auth.local.mailbox import Queued, drop_mail, drop_useless_mail, postpone_mail, take_mail
from gateway.mail.smtp import Undeliverable, hand_over
from gateway.settings import Settings

EVERY_S = 15.0
AT_ONCE = 5

logger = logging.getLogger(__name__)

Deliver = Callable[[Queued], None]
"""Hands one mail over, in a thread. Raises Undeliverable, or `OSError` where it may work later."""


class Postman:
    """One per process, from `open` to `close`."""

    def __init__(self, settings: Settings, local: Local, deliver: Deliver | None = None) -> None:
        self._local = local
        self._deliver = deliver or _way(settings)
        self._woken = asyncio.Event()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="mail")
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Begin no other mail. What is being handed over goes on, and is told in the database by its lease."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._threads.shutdown(wait=False, cancel_futures=True)

    def wake(self) -> None:
        """There is new mail."""
        self._woken.set()

    async def deliver_what_waits(self) -> int:
        """Hand over whatever's turn it is; how many were taken. Raises what the database raises."""
        local, count = self._local, 0
        while True:
            async with local.transaction() as tx:
                queued = await take_mail(tx, local.mail_seal, AT_ONCE)
            if not queued:
                return count
            count += len(queued)
            await asyncio.gather(*(self._hand_over(each) for each in queued))

    async def _hand_over(self, queued: Queued) -> None:
        is_over = True
        try:
            if queued.mail is None:
                logger.error("mail %s cannot be read: PLEIN_SECRET is another than when it was written", queued.id)
            else:
                await asyncio.get_running_loop().run_in_executor(self._threads, self._deliver, queued)
        except Undeliverable as error:
            logger.warning("mail %s is given up: %s", queued.id, error)
        except OSError as error:
            logger.warning("mail %s could not be sent (attempt %s): %s", queued.id, queued.attempts, error)
            is_over = False
        async with self._local.transaction() as tx:
            await (drop_mail(tx, [queued.id]) if is_over else postpone_mail(tx, queued))

    async def _work(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self.deliver_what_waits()
                async with self._local.transaction() as tx:
                    if given_up := await drop_useless_mail(tx):
                        logger.error("%s mails were given up: they could not be sent while they were of use", given_up)
            except Exception as error:  # the next time comes
                logger.warning("mail could not be read: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S * random.uniform(0.7, 1.3)):  # noqa: S311 - processes start together
                    await self._woken.wait()


def _way(settings: Settings) -> Deliver:
    server, sender = settings.local.mail_server, settings.local.mail_from
    if server is not None:
        return lambda queued: hand_over(server, sender, settings.base_host, queued)
    return _write_down if not settings.is_production else _refuse


def _write_down(queued: Queued) -> None:
    assert queued.mail is not None
    mail = queued.mail
    logger.warning("mail to %s (development: nothing is sent)\nSubject: %s\n\n%s", mail.to, mail.subject, mail.text)


def _refuse(_queued: Queued) -> None:
    raise Undeliverable("PLEIN_MAIL_SERVER is not set")
