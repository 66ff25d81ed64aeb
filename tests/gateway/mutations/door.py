"""Somebody at the door: asks and changes over HTTP, and looks in the database whether it was so."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import insert, select, update

from auth.accounts import create_account, link_identity
from auth.issuer import DEVELOPMENT_ISSUER, DevelopmentIssuer
from auth.policy import Role
from auth.viewer import PlatformRole
from schema.relay import PLATFORM_ID, NodeId, encode_id
from tenants.database import Database
from tenants.registry import TenantRef
from tenants.site_tables import Member, MembershipWindow
from tenants.tables import table_of
from tests.conftest import ProvisionSite

SECRET = "a secret for tests, of some length"


@dataclass(frozen=True)
class Person:
    """Somebody with an account and a token."""

    id: UUID
    token: str


@dataclass(frozen=True)
class Refused:
    """An error as the client sees it."""

    code: str
    field: str | None
    message: str


@dataclass
class Door:
    """A gateway with its database. Every test opens its own sites there."""

    client: httpx.AsyncClient
    database: Database
    provision_site: ProvisionSite

    async def person(self, role: PlatformRole = PlatformRole.NONE) -> Person:
        """Somebody new on the square."""
        async with self.database.transaction(None) as tx:
            account = await create_account(tx, "Anna", f"{secrets.token_hex(8)}@example.nl", role=role)
            await link_identity(tx, account.id, DEVELOPMENT_ISSUER, str(account.id))
        return Person(account.id, DevelopmentIssuer(SECRET).mint(str(account.id)).text)

    async def member(self, site: TenantRef, role: Role = Role.MEMBER) -> Person:
        """Somebody new on the square and on this site."""
        person = await self.person()
        await self.join(site, person, role)
        return person

    async def join(self, site: TenantRef, person: Person, role: Role = Role.MEMBER) -> None:
        """Make somebody a member of this site."""
        row = {"account_id": person.id, "role": int(role), "joined_at": datetime.now(UTC)}
        async with self.database.transaction(site) as tx:
            await tx.execute(insert(table_of(Member)).values(row))
            await tx.execute(insert(table_of(MembershipWindow)).values(row | {"tenant_id": site.id, "group_ids": []}))

    async def give_role(self, site: TenantRef, person: Person, role: Role) -> None:
        """Another role for a member."""
        async with self.database.transaction(site) as tx:
            for table in (table_of(Member), table_of(MembershipWindow)):
                await tx.execute(update(table).where(table.c.account_id == person.id).values(role=int(role)))

    async def site(self, **fields: Any) -> tuple[TenantRef, Person]:
        """A new site, open to all unless told otherwise, and its owner."""
        owner = await self.person()
        return await self.provision_site(owner_account_id=owner.id, **fields), owner

    async def ask(self, who: Person | None, query: str, **variables: Any) -> dict[str, Any]:
        """The response to a query."""
        headers = {"authorization": f"Bearer {who.token}"} if who else {}
        answer = await self.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        body: dict[str, Any] = answer.json()
        return body

    async def send(self, who: Person | None, mutation: str, selection: str, **given: Any) -> dict[str, Any]:
        """The response to one mutation."""
        of_type = f"{mutation[0].upper()}{mutation[1:]}Input!"
        query = f"mutation Change($input: {of_type}) {{ {mutation}(input: $input) {{ {selection} }} }}"
        return await self.ask(who, query, input=given)

    async def change(self, who: Person | None, mutation: str, selection: str, **given: Any) -> Any:
        """The payload of one mutation, which must succeed."""
        body = await self.send(who, mutation, selection, **given)
        assert "errors" not in body, body
        return body["data"][mutation]

    async def refused(self, who: Person | None, mutation: str, **given: Any) -> Refused:
        """The one error of a mutation, which must fail."""
        body = await self.send(who, mutation, "__typename", **given)
        assert body.get("data") in (None, {mutation: None}), body
        (error,) = body["errors"]
        return Refused(error["extensions"]["code"], error["extensions"].get("field"), error["message"])

    async def rows(self, site: TenantRef, model: Any, *conditions: Any) -> list[Any]:
        """Rows of one of the site's tables, as they are."""
        async with self.database.transaction(site) as tx:
            return list(await tx.execute(select(table_of(model)).where(*conditions)))


def id_of(tag: str, site: TenantRef, key: UUID | None = None) -> str:
    """The global id of a row on a site, or of the site itself."""
    return encode_id(NodeId(tag, PLATFORM_ID if tag == "S" else site.id, key or site.id))
