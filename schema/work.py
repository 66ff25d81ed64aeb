"""What a mutation's service works with: one transaction, and the way into a site within it.

Promises: a service sees one transaction, begun for it and committed after its payload is read; whatever it raises
undoes all of it. It works as the platform's owner until it enters a site, and as that site's role from then on.
Never commits, never opens a second transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.assurance import UNSURE, Assurance
from auth.audit import Act, Client, record, record_on_site
from auth.key_terms import KeyTerms
from auth.provider.settings import ProviderSettings
from auth.relying.directory import Directory
from auth.viewer import Viewer
from schema.errors import not_found
from schema.relay import PLATFORM_ID, NodeId, decode_id
from tenants.database import become, become_platform
from tenants.registry import Registry, TenantRef

NO_SUCH_ROLE = "22023"
"""What SET ROLE answers for a role that is gone."""


@dataclass(frozen=True)
class Done:
    """What a service did: on which site (None: on the platform), and the payload's values by name.

    Node ids are read as the viewer. Anything else is shown as it is, now and never again: a secret is shown once, as a
    request that is repeated with its idempotency key gets the payload's main field and nothing else.
    """

    tenant: TenantRef | None
    values: Mapping[str, NodeId | str | int | bool | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Surroundings:
    """What a service may have to know of the square: its address, who vouches for people, whether passwords let in.

    `provider` is what its keys are made with.
    """

    base_url: str = ""
    directory: Directory = field(default_factory=lambda: Directory((), "", allows_near=False))
    passwords: bool = True
    provider: ProviderSettings | None = None


@dataclass
class Work:
    """A service's transaction.

    `tenant` is the site it has entered, if any; `is_heard`: others are to be told of it; `has_revoked`: somebody may
    stay no longer. `client` is where the request comes from, `keys` for how long keys are good, `assurance` how
    the viewer signed in.
    """

    tx: AsyncConnection
    registry: Registry
    tenant: TenantRef | None = None
    is_heard: bool = False
    has_revoked: bool = False
    client: Client = field(default_factory=Client)
    keys: KeyTerms = field(default_factory=KeyTerms)
    assurance: Assurance = UNSURE
    about: Surroundings = field(default_factory=Surroundings)

    async def audit(self, viewer: Viewer, action: str, subject: str, /, **details: Any) -> None:
        """Write down a privileged act on the site entered, or on the platform. `subject`: a global id, or a name."""
        tenant_id = None if self.tenant is None else self.tenant.id
        client = replace(self.client, credential=viewer.credential)
        act = Act(action, viewer.account_id, tenant_id, subject, details, client)
        await (record if self.tenant is None else record_on_site)(self.tx, act)

    async def audit_of_site(
        self, viewer: Viewer, tenant_id: UUID, action: str, subject: str, /, **details: Any
    ) -> None:
        """Write down a privileged act on a site that has not been entered."""
        assert self.tenant is None
        client = replace(self.client, credential=viewer.credential)
        await record(self.tx, Act(action, viewer.account_id, tenant_id, subject, details, client))

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

    def key_on_platform(self, text: str, tag: str, name: str) -> UUID:
        """The key in a global id that must be of this type, which is on no site; else NOT_FOUND."""
        node = decode_id(text)
        if node is None or node.tag != tag or node.tenant_id != PLATFORM_ID:
            raise not_found(name)
        return node.key

    def node(self, tag: str, key: UUID) -> NodeId:
        """The id of a row on the site entered."""
        assert self.tenant is not None
        return NodeId(tag, self.tenant.id, key)
