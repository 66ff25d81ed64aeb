"""All issuers that people may sign in with: those in the file of the settings, and those that operators added.

Promises: what the file says comes first; a secret that operators gave lies sealed in the database, is unsealed to be
used and is never given back. An issuer that was added by mutation is on the public network, unless this is development.
Never commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.relying.faults import SignInFault, SignInRefused
from auth.relying.issuers import ClientAuthentication, Issuer, IssuerInvalid, Joiners
from auth.seal import Seal, SealBroken
from tenants.ids import uuid7
from tenants.issuer_tables import Issuer as IssuerTable
from tenants.tables import table_of

ISSUER = table_of(IssuerTable)

MOST_ISSUERS = 200
PURPOSE = "issuer"


class IssuerTaken(Exception):  # noqa: N818 - a refusal, named after what is in the way
    """There is an issuer with this key or this address already; `field` says which of the two."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Directory:
    """Finds issuers; one per process. It remembers only those of the file."""

    def __init__(self, from_file: Iterable[Issuer], secret: str, *, allows_near: bool) -> None:
        """`secret` is the platform's own. `allows_near`: whether operators may add issuers of this network."""
        self.from_file = tuple(from_file)
        self.allows_near = allows_near
        self._seal = Seal(secret, PURPOSE)

    async def load_all(self, tx: AsyncConnection) -> list[Issuer]:
        """All of them, by key."""
        taken = {issuer.key for issuer in self.from_file} | {issuer.url for issuer in self.from_file}
        rows = (await tx.execute(select(ISSUER).order_by(ISSUER.c.key).limit(MOST_ISSUERS))).all()
        added = [issuer for row in rows if not {row.key, row.url} & taken if (issuer := self._issuer(row)) is not None]
        return sorted([*self.from_file, *added], key=lambda issuer: issuer.key)

    async def find(self, tx: AsyncConnection, key: str) -> Issuer:
        """The issuer with this key. Raises ISSUER_UNKNOWN."""
        for each in self.from_file:
            if each.key == key:
                return each
        row = None if "\0" in key else (await tx.execute(select(ISSUER).where(ISSUER.c.key == key))).one_or_none()
        issuer = None if row is None else self._issuer(row)
        if issuer is None or any(issuer.url == each.url for each in self.from_file):
            raise SignInRefused(SignInFault.ISSUER_UNKNOWN, "key")
        return issuer

    async def find_by_url(self, tx: AsyncConnection, url: str) -> Issuer | None:
        """The issuer with this address, or None."""
        for issuer in self.from_file:
            if issuer.url == url:
                return issuer
        row = (await tx.execute(select(ISSUER).where(ISSUER.c.url == url))).one_or_none()
        return None if row is None else self._issuer(row)

    async def add(self, tx: AsyncConnection, issuer: Issuer) -> UUID:
        """Write an issuer down; its id. Raises IssuerTaken, and IssuerInvalid where there are too many."""
        self._require_free(issuer)
        if len((await tx.execute(select(ISSUER.c.id).limit(MOST_ISSUERS))).all()) >= MOST_ISSUERS:
            raise IssuerInvalid("key", f"there are {MOST_ISSUERS} issuers already")
        now, issuer_id = datetime.now(UTC), uuid7()
        row = {**self._columns(issuer_id, issuer), "id": issuer_id, "version": 1, "created_at": now, "updated_at": now}
        done = await tx.execute(insert(ISSUER).values(row).on_conflict_do_nothing().returning(ISSUER.c.id))
        if done.first() is None:
            taken = await tx.scalar(select(ISSUER.c.key).where(ISSUER.c.key == issuer.key))
            raise IssuerTaken("issuer" if taken is None else "key")
        return issuer_id

    async def change(self, tx: AsyncConnection, issuer_id: UUID, issuer: Issuer) -> None:
        """Write a changed issuer down, of the row that is locked. Raises IssuerTaken."""
        self._require_free(issuer)
        same = select(ISSUER.c.id).where(ISSUER.c.url == issuer.url, ISSUER.c.id != issuer_id)
        if (await tx.execute(same)).first() is not None:
            raise IssuerTaken("issuer")
        values = {**self._columns(issuer_id, issuer), "version": issuer.version + 1, "updated_at": datetime.now(UTC)}
        await tx.execute(update(ISSUER).where(ISSUER.c.id == issuer_id).values(values))

    async def lock(self, tx: AsyncConnection, issuer_id: UUID) -> Issuer | None:
        """An issuer that operators added, which nobody else changes until the end; None where there is none."""
        row = (await tx.execute(select(ISSUER).where(ISSUER.c.id == issuer_id).with_for_update())).one_or_none()
        return None if row is None else self._issuer(row)

    async def remove(self, tx: AsyncConnection, issuer_id: UUID) -> bool:
        """Take an issuer out; whether it was there. Identities stay, for the day that it comes back."""
        return bool((await tx.execute(delete(ISSUER).where(ISSUER.c.id == issuer_id))).rowcount)

    def _require_free(self, issuer: Issuer) -> None:
        for each in self.from_file:
            if each.key == issuer.key or each.url == issuer.url:
                raise IssuerTaken("key" if each.key == issuer.key else "issuer")

    def _columns(self, issuer_id: UUID, issuer: Issuer) -> dict[str, Any]:
        secret = None if issuer.secret is None else self._seal.close(str(issuer_id), issuer.secret)
        return {
            "key": issuer.key,
            "url": issuer.url,
            "name": issuer.name,
            "client_id": issuer.client_id,
            "authentication": issuer.authentication.value,
            "secret": secret,
            "algorithms": list(issuer.algorithms),
            "scopes": list(issuer.scopes),
            "joiners": issuer.joiners.value,
            "domains": list(issuer.domains),
            "vouches": issuer.vouches,
            "strong": list(issuer.strong),
            "strong_acr": list(issuer.strong_acr),
            "max_age_seconds": issuer.max_age_seconds,
        }

    def _issuer(self, row: Row[Any]) -> Issuer | None:
        """The issuer in a row; None where it cannot be used here: another secret, or an address of this network."""
        try:
            secret = None if row.secret is None else self._seal.open(str(row.id), row.secret)
            return Issuer(
                key=row.key,
                url=row.url,
                name=row.name,
                client_id=row.client_id,
                authentication=ClientAuthentication(row.authentication),
                secret=secret,
                algorithms=tuple(row.algorithms),
                scopes=tuple(row.scopes),
                joiners=Joiners(row.joiners),
                domains=tuple(row.domains),
                vouches=row.vouches,
                strong=tuple(row.strong),
                strong_acr=tuple(row.strong_acr),
                max_age_seconds=row.max_age_seconds,
                is_near=self.allows_near,
                version=row.version,
            )
        except (SealBroken, IssuerInvalid):
            return None


def with_changes(issuer: Issuer, changes: dict[str, Any]) -> Issuer:
    """The issuer with these fields changed. Raises IssuerInvalid."""
    return replace(issuer, **changes)
