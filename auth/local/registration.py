"""Making an account, and getting back into one: by a link to the address, which is verified by that.

Promises: nobody learns from an answer whether there is an account with an address: every address gets a mail, by the
same statements, and only its owner reads what it says. No account is made before its address is verified, so nobody can
sit on another's. A new password ends every session and every other link.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, update

from auth.accounts import ACCOUNT, create_account
from auth.audit import Act, Client, record
from auth.errors import AccountExists, TooManyAttempts
from auth.local.links import LIFETIMES, Link, Purpose, create_link, drop_links, take_link
from auth.local.local import (
    BY_ACCOUNT,
    LETTERS_FROM,
    LETTERS_TO,
    Local,
    LocalAccount,
    load_local,
    set_password,
    verify_email,
)
from auth.local.mailbox import Mail
from auth.local.second_factor import remove_second_factor
from auth.sessions import close_sessions_of
from auth.viewer import PlatformRole
from tenants import local_tables
from tenants.tables import table_of

EMAIL_CHANGE = table_of(local_tables.EmailChange)

Compose = Callable[[str, str, LocalAccount | None], Mail]
"""Writes a letter: which one (`register`, `known`, `elsewhere`, `reset`, `unknown`), a link's token, and to whom."""


@dataclass(frozen=True, slots=True)
class Registered:
    """An account that was just made, or given its first or a new password."""

    id: UUID
    email: str
    is_new: bool


async def ask_to_register(local: Local, email: str, network: str, compose: Compose) -> None:
    """Send a link for making an account; to who has one, a letter that says so. Raises TooManyAttempts."""
    await _send_letter(local, email, network, compose, Purpose.REGISTER)


async def ask_to_reset(local: Local, email: str, network: str, compose: Compose) -> None:
    """Send a link for a new password; to who has no account, a letter that says so. Raises TooManyAttempts."""
    await _send_letter(local, email, network, compose, Purpose.RESET)


async def invite(
    local: Local, email: str, name: str, role: PlatformRole, compose: Callable[[str], Mail], client: Client
) -> None:
    """Send somebody a link for making an account, or for choosing a password where they have none.

    Whoever may register does not matter here. Raises `AccountExists` where they can sign in with one already.
    """
    async with local.transaction() as tx:
        account = await load_local(tx, email)
        if account is not None and account.password_hash is not None:
            raise AccountExists
        account_id, address = (None, email) if account is None else (account.id, account.email)
        known = name if account is None else account.name
        token = await create_link(tx, Link(Purpose.INVITE, address, account_id, known, role))
        await local.send(tx, compose(token), LIFETIMES[Purpose.INVITE])
        await record(tx, Act("account.invited", None, None, address, {"role": role.name}, client))


async def remove_app(local: Local, email: str, client: Client) -> bool:
    """Take away the second factor of whoever lost theirs, and end their sessions; whether there was one."""
    async with local.transaction() as tx:
        account = await load_local(tx, email)
        if account is None or not await remove_second_factor(tx, account.id):
            return False
        await close_sessions_of(tx, account.id)
        await record(tx, Act("second_factor.removed", None, None, str(account.id), client=client))
    return True


async def register(local: Local, token: str, name: str, password_hash: str, client: Client) -> Registered | None:
    """Make the account that a link is for, or give the one it is for a password; None where the link is not good.

    Raises `AccountExists` where another account has the address by now.
    """
    async with local.transaction() as tx:
        link = await take_link(tx, token, Purpose.REGISTER, Purpose.INVITE)
        if link is None:
            return None
        account_id, is_new = link.account_id, link.account_id is None
        if account_id is None:
            account_id = (await create_account(tx, name, link.email, role=link.role)).id
        else:
            known: dict[str, Any] = {"name": name} if name else {}
            if link.role > PlatformRole.NONE:  # whoever runs the machine gave it
                known["role"] = func.greatest(ACCOUNT.c.role, int(link.role))
            if known:
                await tx.execute(update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(known))
        await set_password(tx, account_id, password_hash)
        await verify_email(tx, account_id)
        await drop_links(tx, account_id, link.email)
        details = {} if link.role == PlatformRole.NONE else {"role": link.role.name}
        await record(tx, Act("account.registered", account_id, None, str(account_id), details, client))
    return Registered(account_id, link.email, is_new)


async def reset_password(
    local: Local, token: str, password_hash: str, notice: Callable[[str], Mail], client: Client
) -> Registered | None:
    """Give the account that a link is for a new password, and end all its sessions; None where the link is not good."""
    async with local.transaction() as tx:
        link = await take_link(tx, token, Purpose.RESET)
        if link is None or link.account_id is None:
            return None
        await set_password(tx, link.account_id, password_hash)
        await verify_email(tx, link.account_id)
        await tx.execute(delete(EMAIL_CHANGE).where(EMAIL_CHANGE.c.account_id == link.account_id))
        await drop_links(tx, link.account_id, link.email)
        await close_sessions_of(tx, link.account_id)
        await local.attempts.forget(tx, (BY_ACCOUNT, link.email.lower()))
        await local.send(tx, notice(link.email))
        await record(tx, Act("account.password_reset", link.account_id, None, str(link.account_id), client=client))
    return Registered(link.account_id, link.email, is_new=False)


async def change_password(
    local: Local,
    account: LocalAccount,
    password_hash: str,
    session_id: UUID,
    notice: Mail,
    client: Client,
) -> None:
    """Give an account another password, and end its sessions but this one. The caller asked for the old one."""
    async with local.transaction() as tx:
        await set_password(tx, account.id, password_hash)
        await drop_links(tx, account.id, account.email)
        await close_sessions_of(tx, account.id, but=session_id)
        await local.send(tx, notice)
        await record(tx, Act("account.password_changed", account.id, None, str(account.id), client=client))


async def _send_letter(local: Local, email: str, network: str, compose: Compose, asked: Purpose) -> None:
    subject = email.strip().lower()
    async with local.transaction() as tx:
        wait_s = await local.attempts.count(tx, (LETTERS_FROM, network), (LETTERS_TO, subject))
    if wait_s:
        raise TooManyAttempts(wait_s)
    async with local.transaction() as tx:
        account = await load_local(tx, email)
        letter, link = _letter(account, email.strip(), asked)
        token = await create_link(tx, link)
        await local.send(tx, compose(letter, token, account), LIFETIMES[link.purpose])


def _letter(account: LocalAccount | None, email: str, asked: Purpose) -> tuple[str, Link]:
    """Which letter, and the link it may hold. There always is one, so that there always is as much to do."""
    if account is None:
        return ("register" if asked is Purpose.REGISTER else "unknown"), Link(Purpose.REGISTER, email)
    if account.password_hash is None or account.is_suspended:
        return "elsewhere", Link(Purpose.RESET, email)  # opens nothing, as it names no account
    return ("known" if asked is Purpose.REGISTER else "reset"), Link(Purpose.RESET, account.email, account.id)
