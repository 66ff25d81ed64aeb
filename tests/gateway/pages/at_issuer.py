"""A gateway that trusts an issuer of the tests, and somebody at a browser who signs in there."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import httpx
from asgi_lifespan import LifespanManager
from sqlalchemy import select, update

from auth.accounts import ACCOUNT, IDENTITY, create_account
from auth.audit import AUDIT
from auth.sessions import SESSION
from gateway.app import Gateway, create_app
from gateway.settings import load_settings
from tests.auth.relying.issuer import FalseIssuer
from tests.gateway.pages.visitor import Visitor


@asynccontextmanager
async def trusting(
    environ: dict[str, str], directory: Path, issuers: dict[str, dict[str, Any]], **more: str
) -> AsyncIterator[Gateway]:
    """A gateway with these issuers in its file."""
    path = directory / f"issuers-{secrets.token_hex(4)}.json"
    path.write_text(json.dumps({"issuers": issuers}))
    gateway = create_app(load_settings({**environ, "PLEIN_ISSUERS": str(path), **more}))
    async with LifespanManager(gateway, startup_timeout=30, shutdown_timeout=30):
        yield gateway


class Person(Visitor):
    """Somebody who can sign in at the issuer, as whoever it says."""

    at: FalseIssuer
    key = "test"

    async def leave_for_issuer(self, **query: str) -> str:
        """Press the button: the address at the issuer that the browser is sent to."""
        answer = await self.open(f"/sign-in/at/{self.key}?{urlencode(query)}")
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith(self.at.url), answer.headers
        return str(answer.headers["location"])

    async def come_back(self, address: str, **more: str) -> httpx.Response:
        """Sign in there and come back."""
        return await self.answer(self.at.approve(address) | more)

    async def answer(self, answer: dict[str, str], key: str | None = None) -> httpx.Response:
        """Come back with this answer."""
        path = f"/sign-in/at/{key or self.key}/callback?{urlencode(answer)}"
        return await self._follow(await self.http.get(path, headers={"sec-fetch-site": "cross-site"}))

    async def sign_in(self, **query: str) -> httpx.Response:
        """The whole way."""
        return await self.come_back(await self.leave_for_issuer(**query))

    async def name(self) -> str | None:
        """The name of the account that is signed in."""
        account = (await self.ask("{ viewer { account { name } } }"))["data"]["viewer"]["account"]
        return account and str(account["name"])

    @property
    def code(self) -> str:
        """The code on the page of a fault."""
        return self.page.text.partition("<code>")[2].partition("</code>")[0]


def person(gateway: Gateway, at: FalseIssuer, key: str = "test", **more: Any) -> Person:
    """Somebody new at a browser."""
    made = Person(gateway, **more)
    made.at, made.key = at, key
    return made


def somebody(at: FalseIssuer, **claims: Any) -> str:
    """Let the issuer know somebody new from now on; their address."""
    email = f"{secrets.token_hex(6)}@example.nl"
    at.claims = {"sub": secrets.token_hex(8), "email": email, **claims}
    at.userinfo = {"sub": at.claims["sub"]}
    return str(at.claims["email"])


async def account_with(gateway: Gateway, email: str, *, is_verified: bool = True) -> UUID:
    """The id of a new account with this address."""
    async with gateway.square.database.transaction(None) as tx:
        account = await create_account(tx, "Willem", email)
        if is_verified:
            await tx.execute(
                update(ACCOUNT).where(ACCOUNT.c.id == account.id).values(email_verified_at=account.created_at)
            )
    return account.id


async def rows(gateway: Gateway, what: Any, *conditions: Any) -> list[Any]:
    """Rows of a platform table."""
    async with gateway.square.database.transaction(None) as tx:
        return list(await tx.execute(select(what).where(*conditions)))


async def identities(gateway: Gateway, account_id: UUID) -> set[tuple[str, str]]:
    """The identities of an account: issuer and subject."""
    found = await rows(gateway, IDENTITY, IDENTITY.c.account_id == account_id)
    return {(each.issuer, each.subject) for each in found}


async def acts(gateway: Gateway, account_id: UUID) -> list[str]:
    """What was done by an account, in order."""
    return [each.action for each in await rows(gateway, AUDIT, AUDIT.c.account_id == account_id)]


async def sessions(gateway: Gateway, account_id: UUID) -> list[Any]:
    """The sessions of an account."""
    return await rows(gateway, SESSION, SESSION.c.account_id == account_id)


async def account_named(gateway: Gateway, email: str) -> Any:
    """The row of the account with this address, or None."""
    found = await rows(gateway, ACCOUNT, ACCOUNT.c.email == email)
    return found[0] if found else None


def path_of(page: httpx.Response) -> str:
    """Where the browser is."""
    parts = urlsplit(str(page.url))
    return parts.path + (f"?{parts.query}" if parts.query else "")
