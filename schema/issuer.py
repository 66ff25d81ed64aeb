"""The issuers that operators let people sign in with, as operators see them.

Promises: a secret is in no field and is never told again. Those in the file of the settings are not among them: that is
read by whoever runs the gateway.
"""

from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, func

from auth import policy
from auth.policy import Row, Terms
from auth.scopes import Scope as Word
from schema.bind import Column, Expression, Order, Place, Source, at, bound
from schema.levels import value
from schema.relay import Node
from tenants import issuer_tables
from tenants.tables import table_of, without

ISSUERS = Source(
    tables={Place.PLATFORM: without(table_of(issuer_tables.Issuer), "secret")},
    key="id",
    policy=policy.for_operators,
    tag="I",
    needs={Place.PLATFORM: Word.PLATFORM},
)
ORDERS = {
    "NEWEST": Order("created_at", descending=True, numeric=True),
    "OLDEST": Order("created_at", descending=False, numeric=True),
}


@strawberry.enum(description="How the square shows an issuer that it is itself.")
class IssuerAuthentication(Enum):
    """How the square shows an issuer that it is itself."""

    NONE = value("NONE", "It does not: it is a public client there. With PKCE, as always.")
    CLIENT_SECRET_BASIC = value("CLIENT_SECRET_BASIC", "By a secret in a Basic header.")
    CLIENT_SECRET_POST = value("CLIENT_SECRET_POST", "By a secret in the form.")
    PRIVATE_KEY_JWT = value("PRIVATE_KEY_JWT", "By assertions that it signs with a private key.")


@strawberry.enum(description="For whom an account is made at the first sign-in at an issuer.")
class AccountsFor(Enum):
    """For whom an account is made at the first sign-in at an issuer."""

    OPEN = value("OPEN", "For everybody whose address the issuer verified.")
    DOMAINS = value("DOMAINS", "For those with an address of certain domains.")
    INVITED = value("INVITED", "For those who were invited.")


@strawberry.enum(description="The order of a list of issuers.")
class IssuerOrder(Enum):
    """The order of a list of issuers."""

    NEWEST = value("NEWEST", "The latest added first.")
    OLDEST = value("OLDEST", "The first added first.")


def _upper(name: str) -> Any:
    def build(row: Row, _terms: Terms) -> ColumnElement[Any]:
        return func.upper(row.c[name])

    return Expression(build)


@bound(ISSUERS)
@strawberry.type(description="An OpenID Connect issuer that people sign in with. For operators.")
class Issuer(Node):
    """An OpenID Connect issuer that people sign in with."""

    key: str = strawberry.field(
        description="Its short name here, and part of the addresses that it must know: "
        "`/sign-in/at/<key>/callback` and `/sign-in/at/<key>/logout` on the square's host.",
        metadata=at(Column("key")),
    )
    issuer: str = strawberry.field(
        description="Its address, exactly as it is in its ID tokens.", metadata=at(Column("url"))
    )
    name: str = strawberry.field(description="What people see on the button.", metadata=at(Column("name")))
    client_id: str = strawberry.field(description="What the square is called there.", metadata=at(Column("client_id")))
    authentication: IssuerAuthentication = strawberry.field(
        description="How the square shows that it is itself.", metadata=at(_upper("authentication"))
    )
    algorithms: list[str] = strawberry.field(description="What it may sign with.", metadata=at(Column("algorithms")))
    scopes: list[str] = strawberry.field(description="What is asked for there.", metadata=at(Column("scopes")))
    accounts: AccountsFor = strawberry.field(
        description="For whom an account is made at the first sign-in.", metadata=at(_upper("joiners"))
    )
    domains: list[str] = strawberry.field(
        description="The domains of e-mail addresses, where accounts are for DOMAINS.", metadata=at(Column("domains"))
    )
    email_is_verified: bool = strawberry.field(
        description="Whether its addresses count as verified though it does not say so.", metadata=at(Column("vouches"))
    )
    strong: list[str] = strawberry.field(
        description="Words of `amr`, or values of `acr`, that say that a second factor was used.",
        metadata=at(Column("strong")),
    )
    strong_acr: list[str] = strawberry.field(
        description="What is asked for in `acr_values` where a second factor is needed.",
        metadata=at(Column("strong_acr")),
    )
    max_age_seconds: int | None = strawberry.field(
        description="How long ago somebody may have signed in there; null: no matter.",
        metadata=at(Column("max_age_seconds")),
    )
    version: int = strawberry.field(
        description="Counts its changes; give it back with `updateIssuer`.", metadata=at(Column("version"))
    )
    created_at: datetime = strawberry.field(description="When it was added.", metadata=at(Column("created_at")))
    updated_at: datetime = strawberry.field(description="When it last changed.", metadata=at(Column("updated_at")))
