"""What a mutation's service works with: one transaction, and the way into a site within it.

Promises: a service sees one transaction, begun for it and committed after its payload is read; whatever it raises
undoes all of it. It works as the platform's owner until it enters a site, and as that site's role from then on.
Never commits, never opens a second transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from schema.errors import not_found
from schema.relay import PLATFORM_ID, NodeId, decode_id
from tenants.database import become, become_platform
from tenants.registry import Registry, TenantRef

NO_SUCH_ROLE = "22023"
"""What SET ROLE answers for a role that is gone."""


@dataclass(frozen=True)
class Done:
    """What a service did: on which site, and the payload's values by name (node ids are read as the viewer)."""

    tenant: TenantRef
    values: Mapping[str, NodeId | str | int | bool | None] = field(default_factory=dict)


@dataclass
class Work:
    """A service's transaction. `tenant` is the site it has entered, if any; `is_heard`: others are to be told of it."""

    tx: AsyncConnection
    registry: Registry
    tenant: TenantRef | None = None
    is_heard: bool = False

    async def enter(self, tenant: TenantRef) -> None:
        """From here on the transaction is this site's: its role, its tables."""
        await become(self.tx, tenant)
        self.tenant = tenant

    async def leave(self) -> None:
        """From here on the transaction is the platform owner's again."""
        await become_platform(self.tx)
        self.tenant = None

    async def enter_site_of(self, text: str, tag: str, name: str) -> UUID:
        """Enters the site that a global id of this type belongs to, and gives the row's key.

        Raises NOT_FOUND, naming the input's field, for an id of another type or of no site: all alike.
        """
        node = decode_id(text)
        if node is None or node.tag != tag or (tag == "S" and node.tenant_id != PLATFORM_ID):
            raise not_found(name)
        tenant = await self.registry.by_id(node.key if tag == "S" else node.tenant_id)
        if tenant is None:
            raise not_found(name)
        try:
            await self.enter(tenant)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != NO_SUCH_ROLE:
                raise
            self.registry.forget(tenant.id)  # the register remembered a site that was removed since
            raise not_found(name) from error
        return node.key

    def key_here(self, text: str, tag: str, name: str) -> UUID:
        """The key in a global id that must be of this type and of the site entered; else NOT_FOUND."""
        node = decode_id(text)
        if node is None or node.tag != tag or self.tenant is None or node.tenant_id != self.tenant.id:
            raise not_found(name)
        return node.key

    def node(self, tag: str, key: UUID) -> NodeId:
        """The id of a row on the site entered."""
        assert self.tenant is not None
        return NodeId(tag, self.tenant.id, key)
