"""Somebody who proved at an issuer who they are arrives here: which account is theirs, or may they have one.

Promises: an identity is an issuer and a subject, and nothing else ever leads to an account. The same e-mail address is
a reason to ask, never to link: only where both sides verified it, and only once the person has signed in to that
account too and said yes. An account that is made takes over name, address and language once; later words of an issuer
change nothing. Whoever cannot prove an address learns nothing of whose it is. Never commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.accounts import ACCOUNT, IDENTITY, create_account, link_identity
from auth.errors import AccountExists
from auth.local.links import take_invitation
from auth.relying.faults import SignInFault, SignInRefused
from auth.relying.flow import Proof
from auth.relying.issuers import Issuer, Joiners
from auth.relying.person import Person


@dataclass(frozen=True, slots=True)
class Arrival:
    """Whose account it is. `is_new`: it was made just now."""

    account_id: UUID
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Asks:
    """An account with the same address is there: the person is asked whether it is theirs."""

    account_id: UUID
    email: str


async def arrive(tx: AsyncConnection, proof: Proof) -> Arrival | Asks:
    """Whose account this is, made where it may be. Raises SignInRefused."""
    account_id = await find_identity(tx, proof.issuer, proof.statement.subject)
    if account_id is not None:
        await require_open(tx, account_id)
        await _note_use(tx, proof)
        return Arrival(account_id)
    email = require_email(proof)
    found = await _account_with(tx, email)
    if found is not None:
        if found.email_verified_at is None or found.suspended_at is not None:
            raise SignInRefused(SignInFault.EMAIL_TAKEN, "not verified here, or suspended")
        return Asks(found.id, email)
    await _require_welcome(tx, proof.issuer, proof.person, email)
    return Arrival(await _make_account(tx, proof, email), is_new=True)


async def find_identity(tx: AsyncConnection, issuer: Issuer, subject: str) -> UUID | None:
    """The account with this identity, or None."""
    mine = (IDENTITY.c.issuer == issuer.url, IDENTITY.c.subject == subject)
    found: UUID | None = await tx.scalar(select(IDENTITY.c.account_id).where(*mine))
    return found


async def require_open(tx: AsyncConnection, account_id: UUID) -> None:
    """Raise ACCOUNT_CLOSED for an account that is suspended."""
    if await tx.scalar(select(ACCOUNT.c.suspended_at).where(ACCOUNT.c.id == account_id)) is not None:
        raise SignInRefused(SignInFault.ACCOUNT_CLOSED)


def require_email(proof: Proof) -> str:
    """The address that the issuer verified. Raises EMAIL_MISSING and EMAIL_UNVERIFIED."""
    person = proof.person
    if person.email is None:
        raise SignInRefused(SignInFault.EMAIL_MISSING)
    if not (person.email_verified or proof.issuer.vouches):
        raise SignInRefused(SignInFault.EMAIL_UNVERIFIED)
    return person.email


async def add_identity(tx: AsyncConnection, account_id: UUID, issuer_url: str, subject: str, email: str | None) -> None:
    """Let this identity be this account's from now on. Raises `IdentityTaken`."""
    await link_identity(tx, account_id, issuer_url, subject)
    mine = (IDENTITY.c.issuer == issuer_url, IDENTITY.c.subject == subject)
    await tx.execute(update(IDENTITY).where(*mine).values(email=email, last_used_at=datetime.now(UTC)))


async def _note_use(tx: AsyncConnection, proof: Proof) -> None:
    mine = (IDENTITY.c.issuer == proof.issuer.url, IDENTITY.c.subject == proof.statement.subject)
    values: dict[str, Any] = {"last_used_at": datetime.now(UTC)}
    if proof.person.email is not None:
        values["email"] = proof.person.email
    await tx.execute(update(IDENTITY).where(*mine).values(values))


async def _account_with(tx: AsyncConnection, email: str) -> Any:
    same = func.lower(ACCOUNT.c.email) == email.lower()
    return (
        await tx.execute(select(ACCOUNT.c.id, ACCOUNT.c.email_verified_at, ACCOUNT.c.suspended_at).where(same))
    ).first()


async def _require_welcome(tx: AsyncConnection, issuer: Issuer, person: Person, email: str) -> None:
    """Raise unless an account is made for this person at this issuer."""
    if issuer.joiners is Joiners.DOMAINS and person.domain not in issuer.domains:
        raise SignInRefused(SignInFault.EMAIL_DOMAIN)
    if issuer.joiners is Joiners.INVITED and not await take_invitation(tx, email):
        raise SignInRefused(SignInFault.INVITATION_NEEDED)


async def _make_account(tx: AsyncConnection, proof: Proof, email: str) -> UUID:
    person = proof.person
    try:
        account = await create_account(tx, person.name or email.partition("@")[0], email)
    except AccountExists:  # somebody was faster by a moment
        raise SignInRefused(SignInFault.EMAIL_TAKEN, "just now") from None
    values = {"email_verified_at": datetime.now(UTC), "language": person.language}
    await tx.execute(update(ACCOUNT).where(ACCOUNT.c.id == account.id).values(values))
    await add_identity(tx, account.id, proof.issuer.url, proof.statement.subject, email)
    return account.id
