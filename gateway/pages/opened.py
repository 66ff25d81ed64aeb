"""What pages need while the gateway serves, opened and closed: passwords, and whoever sends the mail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from auth.accounts import Transaction
from auth.local.local import Local
from gateway.mail.postman import Postman
from gateway.pages.layout import Pages


@asynccontextmanager
async def opened_pages(pages: Pages, transaction: Transaction) -> AsyncIterator[None]:
    """Give pages what they need, while the block lasts."""
    local = Local(transaction, pages.settings.secret)
    postman = Postman(pages.settings, local)
    pages.local, pages.postman = local, postman
    postman.open()
    try:
        yield
    finally:
        await postman.close()
        local.passwords.close()
        pages.local = pages.postman = None
