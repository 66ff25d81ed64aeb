"""Accounts and members: a person on the whole square, and that person on one site.

Promises: an account's public profile is its name; its e-mail address is shown to itself only, through `Viewer`.
"""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from auth import policy
from auth.policy import Role
from schema.bind import Column, Connected, One, Order, Place, Source, at, bound
from schema.federation import key
from schema.levels import MemberRole, ranked, value
from schema.relay import Connection, Node, connection
from tenants.platform_tables import Account as AccountTable
from tenants.site_tables import Member as MemberTable
from tenants.site_tables import PersonWindow
from tenants.tables import table_of

if TYPE_CHECKING:
    from schema.api_key import ApiKey
    from schema.client import Consent
    from schema.identity import Contact, Identity
    from schema.session import Session
    from schema.site import Site

ACCOUNTS = Source(
    tables={Place.PLATFORM: table_of(AccountTable), Place.SITE: table_of(PersonWindow)},
    key="id",
    policy=policy.account_visible,
    tag="A",
)
MEMBERS = Source(tables={Place.SITE: table_of(MemberTable)}, key="account_id", policy=policy.member_visible, tag="M")

OWN = "Only under `viewer`; null on a site, where others see the account, and nothing of others in the audit."
"""Said of what an account tells to itself alone."""

MEMBER_ORDERS = {
    "OLDEST": Order("joined_at", descending=False, numeric=True),
    "NEWEST": Order("joined_at", descending=True, numeric=True),
}


@strawberry.enum(description="The order of a list of members.")
class MemberOrder(Enum):
    """The order of a list of members."""

    OLDEST = value("OLDEST", "Who joined first comes first.")
    NEWEST = value("NEWEST", "Who joined last comes first.")


API_KEY_ORDERS = {
    "NEWEST": Order("created_at", descending=True, numeric=True),
    "OLDEST": Order("created_at", descending=False, numeric=True),
}


@strawberry.enum(description="The order of a list of keys.")
class ApiKeyOrder(Enum):
    """The order of a list of keys."""

    NEWEST = value("NEWEST", "The latest made first.")
    OLDEST = value("OLDEST", "The first made first.")


@strawberry.enum(description="The order of a list of consents.")
class ConsentOrder(Enum):
    """The order of a list of consents."""

    NEWEST = value("NEWEST", "The latest given first.")
    OLDEST = value("OLDEST", "The first given first.")


SESSION_ORDERS = {
    "RECENT": Order("last_seen_at", descending=True, numeric=True),
    "NEWEST": Order("created_at", descending=True, numeric=True),
}

IDENTITY_ORDERS = {
    "OLDEST": Order("created_at", descending=False, numeric=True),
    "NEWEST": Order("created_at", descending=True, numeric=True),
}


@strawberry.enum(description="The order of a list of sessions.")
class SessionOrder(Enum):
    """The order of a list of sessions."""

    RECENT = value("RECENT", "The last used first.")
    NEWEST = value("NEWEST", "The latest begun first.")


@strawberry.enum(description="The order of a list of identities.")
class IdentityOrder(Enum):
    """The order of a list of identities."""

    OLDEST = value("OLDEST", "The first one first.")
    NEWEST = value("NEWEST", "The latest one first.")


@bound(ACCOUNTS)
@strawberry.type(description="A person, on all sites.")
class Account(Node):
    """A person, on all sites."""

    name: str = strawberry.field(description="The name shown to others.", metadata=at(Column("name")))
    created_at: datetime = strawberry.field(description="When the account was made.", metadata=at(Column("created_at")))
    api_keys: Connection[Annotated["ApiKey", strawberry.lazy("schema.api_key")]] | None = connection(
        Connected(lambda account, key, _: key.c.account_id == account.c.id, API_KEY_ORDERS),
        f"The account's keys for machines, the latest made first. {OWN}",
        order_by=(ApiKeyOrder, "The order of the list."),
    )
    consents: Connection[Annotated["Consent", strawberry.lazy("schema.client")]] | None = connection(
        Connected(lambda account, consent, _: consent.c.account_id == account.c.id, API_KEY_ORDERS),
        f"What the person lets apps and services do, the latest first. {OWN}",
        order_by=(ConsentOrder, "The order of the list."),
    )
    sessions: Connection[Annotated["Session", strawberry.lazy("schema.session")]] | None = connection(
        Connected(lambda account, session, _: session.c.account_id == account.c.id, SESSION_ORDERS),
        "The browsers in which somebody is signed in as this account, the last used first. One that ended by time goes "
        f"from the list within some hours. {OWN}",
        order_by=(SessionOrder, "The order of the list."),
    )
    identities: Connection[Annotated["Identity", strawberry.lazy("schema.identity")]] | None = connection(
        Connected(lambda account, identity, _: identity.c.account_id == account.c.id, IDENTITY_ORDERS),
        f"The ways in which the person signs in at issuers, the first one first. {OWN}",
        order_by=(IdentityOrder, "The order of the list."),
    )
    contact: Annotated["Contact", strawberry.lazy("schema.identity")] | None = strawberry.field(
        description=f"How the person is reached and spoken to. {OWN}",
        metadata=at(One(lambda account, contact, _: contact.c.id == account.c.id)),
    )


@bound(MEMBERS)
@strawberry.type(description="A person on one site.", directives=[key("site { id } account { id }")])
class Member(Node):
    """A person on one site."""

    account: Account | None = strawberry.field(
        description="The person.",
        metadata=at(One(lambda row, person, _: person.c.id == row.c.account_id, policy.everyone)),
    )
    site: Annotated["Site", strawberry.lazy("schema.site")] | None = strawberry.field(
        description="The site they are a member of.", metadata=at(One(policy.same_site, policy.everyone))
    )
    role: MemberRole = strawberry.field(description="What they may do here.", metadata=at(ranked("role", Role)))
    joined_at: datetime = strawberry.field(description="When they joined.", metadata=at(Column("joined_at")))
    left_at: datetime | None = strawberry.field(
        description="When they left; null while they are a member.", metadata=at(Column("left_at"))
    )
