"""What a client can ask for: scopes of identity, scopes of the API, and the sites that the latter are for.

Promises: a site is asked for by its address as a resource (RFC 8707), and known from then on by its id; a scope of the
API without a site means every site, and a site's own client never gets more than its site. A site that an account may
not know of is told like one that is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.policy import Level
from auth.provider.clients import Client
from auth.provider.errors import OAuthError
from auth.provider.settings import ProviderSettings
from auth.scopes import Scope
from tenants.platform_tables import Host, Membership, Tenant
from tenants.tables import table_of

OPENID, PROFILE, EMAIL, OFFLINE = "openid", "profile", "email", "offline_access"
IDENTITY_SCOPES = (OPENID, PROFILE, EMAIL, OFFLINE)
SITE_SCOPES = (Scope.READ.value, Scope.WRITE.value, Scope.ADMIN.value)
PLATFORM_SCOPES = (Scope.STATISTICS.value, Scope.PLATFORM.value, Scope.ACCOUNT.value)
SCOPES = (*IDENTITY_SCOPES, *SITE_SCOPES, *PLATFORM_SCOPES)
CLAIMS_OF = {PROFILE: ("name",), EMAIL: ("email", "email_verified")}
EVERYWHERE = "*"
MOST_RESOURCES = 20

TENANT, HOST, MEMBERSHIP = table_of(Tenant), table_of(Host), table_of(Membership)


def scopes_in(text: str) -> frozenset[str]:
    """The scopes in a `scope` parameter that are known here; others are let be (OpenID Connect Core, 3.1.2.1)."""
    return frozenset(text.split(" ")) & frozenset(SCOPES)


def require_scopes(client: Client, scopes: frozenset[str]) -> None:
    """Raise `invalid_scope` where the client may not ask for all of these."""
    if not scopes <= client.scopes:
        raise OAuthError("invalid_scope", "The client may not ask for one of these scopes.")


def in_order(scopes: Iterable[str]) -> str:
    """These scopes as tokens and answers hold them."""
    given = frozenset(scopes)
    return " ".join(each for each in SCOPES if each in given)


def permissions(scopes: Iterable[str], tenant_ids: Iterable[UUID] | None) -> frozenset[str]:
    """What a person agrees to: each scope, those of sites with the site they are for."""
    places = (EVERYWHERE,) if tenant_ids is None else tuple(str(each) for each in tenant_ids)
    found = {each for each in scopes if each not in SITE_SCOPES}
    return frozenset(found | {f"{each}@{place}" for each in scopes if each in SITE_SCOPES for place in places})


def covers(agreed: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether everything wanted was agreed to; `read@*` holds for every site."""
    known = frozenset(agreed)
    return all(each in known or f"{each.partition('@')[0]}@{EVERYWHERE}" in known for each in wanted)


async def find_sites(
    tx: AsyncConnection, settings: ProviderSettings, client: Client, resources: Sequence[str], account_id: UUID
) -> tuple[UUID, ...] | None:
    """The ids of the sites that these resources name, for this account; None for all sites.

    Raises `invalid_target` for what is no resource here, or none that the account may know of.
    """
    if len(resources) > MOST_RESOURCES:
        raise invalid_target()
    names = [resource_name(each, settings) for each in resources]
    wanted = {each for each in names if each is not None}
    found = await _load_sites(tx, wanted, account_id)
    if len(found) < len(wanted):
        raise invalid_target()
    if client.tenant_id is not None:
        if None in names or set(found.values()) - {client.tenant_id}:
            raise invalid_target()
        return (client.tenant_id,)
    if not names or None in names:
        return None
    return tuple(sorted(set(found.values())))


async def resources_of(
    tx: AsyncConnection, settings: ProviderSettings, tenant_ids: Sequence[UUID] | None
) -> tuple[str, ...]:
    """The addresses by which these sites are an audience; the square's own for all sites."""
    if tenant_ids is None:
        return (settings.issuer,)
    rows = await tx.execute(
        select(TENANT.c.id, TENANT.c.slug, HOST.c.host)
        .outerjoin_from(TENANT, HOST, HOST.c.tenant_id == TENANT.c.id)
        .where(TENANT.c.id.in_(tenant_ids))
    )
    scheme = urlsplit(settings.issuer).scheme
    found = set()
    for row in rows:
        found.add(f"{scheme}://{row.slug}.{settings.base_host}")
        if row.host:
            found.add(f"{scheme}://{row.host}")
    return tuple(sorted(found))


async def site_names(tx: AsyncConnection, tenant_ids: Sequence[UUID]) -> tuple[str, ...]:
    """The names of these sites, for the person who is asked to agree."""
    return tuple(await tx.scalars(select(TENANT.c.name).where(TENANT.c.id.in_(tenant_ids)).order_by(TENANT.c.name)))


def resource_name(uri: str, settings: ProviderSettings) -> str | None:
    """The slug or the own host of the site that this address is of; None for the square. Raises `invalid_target`."""
    bare = uri.removesuffix("/graphql").removesuffix("/")
    if bare == settings.issuer:
        return None
    scheme = urlsplit(settings.issuer).scheme
    host = bare.removeprefix(f"{scheme}://")
    if host == bare or not host or set("/?#@\\ \x00") & set(host) or not host.isascii():
        raise invalid_target()
    return host.removesuffix(f".{settings.base_host}").lower()


def invalid_target() -> OAuthError:
    """A resource that is not there, or not for who asks."""
    return OAuthError("invalid_target", "A resource is not the address of the square or of a site that can be asked.")


async def _load_sites(tx: AsyncConnection, names: Iterable[str], account_id: UUID) -> dict[str, UUID]:
    """The sites by slug or own host, as far as the account may know of them."""
    wanted = tuple(names)
    if not wanted:
        return {}
    place = select(MEMBERSHIP.c.tenant_id).where(
        MEMBERSHIP.c.tenant_id == TENANT.c.id, MEMBERSHIP.c.account_id == account_id
    )
    known = or_(TENANT.c.visibility >= int(Level.ACCOUNTS), exists(place))
    rows = await tx.execute(
        select(TENANT.c.id, TENANT.c.slug, HOST.c.host)
        .outerjoin_from(TENANT, HOST, HOST.c.tenant_id == TENANT.c.id)
        .where(known, or_(TENANT.c.slug.in_(wanted), HOST.c.host.in_(wanted)))
    )
    found: dict[str, UUID] = {}
    for row in rows:
        found |= {name: row.id for name in (row.slug, row.host) if name in wanted}
    return found
