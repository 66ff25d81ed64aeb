"""Clients of the square as a provider, as those who manage them see them, and what a person lets them do.

Promises: a client's secret is in no field; it is shown once, by the mutation that makes it. A person sees of a client
what it says of itself to people. Nobody sees what another agreed to.
"""

from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import ARRAY, ColumnElement, String, Text, cast, func, select, type_coerce

from auth import policy
from auth.policy import Row, Terms
from auth.scopes import Scope as Word
from schema.bind import Column, Connected, Expression, Filter, One, Order, Place, Source, at, bound
from schema.levels import value
from schema.relay import Connection, Node, connection
from schema.scope import listed
from schema.site import SITE_ORDERS, Site
from tenants import provider_tables
from tenants.tables import table_of, without

TABLE = without(
    table_of(provider_tables.Client), "secret_hash", "earlier_secret_hash", "earlier_secret_until", "subject_salt"
)

CLIENTS = Source(
    tables={Place.PLATFORM: TABLE},
    key="id",
    policy=policy.client_managed,
    tag="L",
    needs={Place.PLATFORM: Word.ADMIN},
    site="tenant_id",
)
APPLICATIONS = Source(
    tables={Place.PLATFORM: TABLE}, key="id", policy=policy.everyone, needs={Place.PLATFORM: Word.ACCOUNT}
)
CONSENTS = Source(
    tables={Place.PLATFORM: table_of(provider_tables.Consent)},
    key="id",
    policy=policy.mine,
    tag="E",
    needs={Place.PLATFORM: Word.ACCOUNT},
)

ORDERS = {
    "NEWEST": Order("created_at", descending=True, numeric=True),
    "OLDEST": Order("created_at", descending=False, numeric=True),
}
CLIENT_FILTERS = {"site": Filter("uuid", lambda row, site, _: row.c.tenant_id == site, tag="S")}


@strawberry.enum(description="How a client proves who it is.")
class ClientAuthentication(Enum):
    """How a client proves who it is."""

    NONE = value("NONE", "It cannot: an app in a browser or on a device, where nothing stays secret.")
    SECRET = value("SECRET", "By a secret, in a Basic header or in the form.")
    PRIVATE_KEY = value("PRIVATE_KEY", "By assertions that it signs with a key of its own (`private_key_jwt`).")


@strawberry.enum(description="What a client may ask tokens with.")
class ClientGrantType(Enum):
    """What a client may ask tokens with."""

    AUTHORIZATION_CODE = value("AUTHORIZATION_CODE", "A person signs in; always with PKCE.")
    REFRESH_TOKEN = value("REFRESH_TOKEN", "It goes on without the person; goes with AUTHORIZATION_CODE.")
    CLIENT_CREDENTIALS = value("CLIENT_CREDENTIALS", "It signs in as itself, and acts for whoever answers for it.")


@strawberry.enum(description="What a person is called towards a client.")
class SubjectType(Enum):
    """What a person is called towards a client."""

    PAIRWISE = value("PAIRWISE", "By a name that only this client knows, so that no two can compare what they know.")
    PUBLIC = value("PUBLIC", "By the id of their account, the same for all.")


@strawberry.enum(description="What a client may ask for.")
class ClientScope(Enum):
    """What a client may ask for."""

    OPENID = value("OPENID", "Knowing a person when they come back.")
    PROFILE = value("PROFILE", "Their name.")
    EMAIL = value("EMAIL", "Their e-mail address.")
    OFFLINE_ACCESS = value("OFFLINE_ACCESS", "Going on when they have signed out here.")
    READ = value("READ", "Reading on sites, as they may.")
    WRITE = value("WRITE", "Reading and writing on sites, as they may.")
    ADMIN = value("ADMIN", "Running sites, as they may.")
    STATISTICS_READ = value("STATISTICS_READ", "Reading the square's statistics; for the platform's clients.")
    PLATFORM_ADMIN = value("PLATFORM_ADMIN", "Running the square; for the platform's clients.")
    ACCOUNT = value("ACCOUNT", "Managing their account; for the platform's clients.")


@strawberry.enum(description="How ID tokens are signed.")
class IdTokenAlgorithm(Enum):
    """How ID tokens are signed."""

    RS256 = value("RS256", "By RSA with SHA-256, which every client understands.")
    ES256 = value("ES256", "By ECDSA on P-256 with SHA-256, which is shorter.")


@strawberry.enum(description="The order of a list of clients.")
class ClientOrder(Enum):
    """The order of a list of clients."""

    NEWEST = value("NEWEST", "The latest registered first.")
    OLDEST = value("OLDEST", "The first registered first.")


@strawberry.input(description="Which clients to list; every field given narrows the list.")
class ClientFilter:
    """Which clients to list."""

    site: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Of this site.")


def column(name: str, description: str) -> Any:
    """A field that is a column."""
    return strawberry.field(description=description, metadata=at(Column(name)))


@bound(CLIENTS)
@strawberry.type(description="An app or service that signs people in with the square's account.")
class Client(Node):
    """An app or service that signs people in with the square's account."""

    client_id: str = strawberry.field(
        description="What it calls itself in OAuth: `client_id`.",
        metadata=at(Expression(lambda row, _: cast(row.c.id, String))),
    )
    name: str = column("name", "What people see when they are asked to agree.")
    site: Site | None = strawberry.field(
        description="The site that it is of, and the only one that its tokens are for; null for the platform's.",
        metadata=at(One(lambda client, site, _: site.c.id == client.c.tenant_id, policy.site_listed)),
    )
    authentication: ClientAuthentication = column("authentication", "How it proves who it is.")
    grant_types: list[ClientGrantType] = strawberry.field(
        description="What it may ask tokens with.", metadata=at(listed("grant_types"))
    )
    scopes: list[ClientScope] = strawberry.field(description="What it may ask for.", metadata=at(listed("scopes")))
    redirect_uris: list[str] = column("redirect_uris", "Where people may be sent back to with a code.")
    logout_redirect_uris: list[str] = column("logout_redirect_uris", "Where people may be sent after signing out.")
    logout_uri: str | None = column("logout_uri", "Where it is told that a session is over (back-channel logout).")
    origins: list[str] = column("origins", "Origins of its pages, which may speak to the token endpoint themselves.")
    subject_type: SubjectType = column("subject_type", "What a person is called towards it.")
    id_token_algorithm: IdTokenAlgorithm = column("id_token_algorithm", "How its ID tokens are signed.")
    home_uri: str | None = column("home_uri", "Its own site.")
    policy_uri: str | None = column("policy_uri", "What it does with what it learns of people.")
    jwks: str | None = column("jwks", "Its public keys, as a JSON Web Key Set, where it proves who it is by them.")
    is_trusted: bool = strawberry.field(
        description="Whether people are not asked to agree, as the platform vouches for it.",
        metadata=at(Expression(lambda row, _: row.c.trusted_at.is_not(None))),
    )
    version: int = column("version", "Counts its changes.")
    created_at: datetime = column("created_at", "When it was registered.")
    updated_at: datetime = column("updated_at", "When it was last changed.")


@bound(APPLICATIONS)
@strawberry.type(description="An app or service, as those see it who signed in at it.")
class Application:
    """An app or service, as those see it who signed in at it."""

    name: str = column("name", "Its name.")
    home_uri: str | None = column("home_uri", "Its own site.")
    policy_uri: str | None = column("policy_uri", "What it does with what it learns of people.")


def _scopes(row: Row, _terms: Terms) -> ColumnElement[Any]:
    """Each scope once, whatever the sites."""
    each = func.unnest(row.c.permissions).column_valued("permission")
    word = func.upper(func.replace(func.split_part(each, "@", 1), ":", "_"))
    words = select(word.label("word")).distinct().order_by("word")
    return type_coerce(func.array(words.scalar_subquery(), type_=ARRAY(Text)), ARRAY(Text))


def _permissions(row: Row) -> ColumnElement[str]:
    """All of them in one text, each with a space after it."""
    return func.array_to_string(row.c.permissions, " ") + " "


@bound(CONSENTS)
@strawberry.type(description="What a person lets an app or service do.")
class Consent(Node):
    """What a person lets an app or service do."""

    application: Application | None = strawberry.field(
        description="Who may do it.",
        metadata=at(One(lambda consent, client, _: client.c.id == consent.c.client_id)),
    )
    scopes: list[ClientScope] = strawberry.field(description="What it may do.", metadata=at(Expression(_scopes)))
    is_for_all_sites: bool = strawberry.field(
        description="Whether some of it is for every site that the person may go to, now and later.",
        metadata=at(Expression(lambda row, _: func.strpos(_permissions(row), "@* ") > 0)),
    )
    sites: Connection[Site] = connection(
        Connected(
            lambda consent, site, _: func.strpos(_permissions(consent), "@" + cast(site.c.id, String) + " ") > 0,
            SITE_ORDERS,
            policy=policy.site_listed,
        ),
        "The sites that some of it is for, as far as the viewer may find them.",
    )
    created_at: datetime = column("created_at", "When it was first given.")
    updated_at: datetime = column("updated_at", "When it was last widened.")
