"""How somebody signs in at issuers, and what an account knows of its person, as they see it themselves.

Promises: what an issuer calls somebody is in no field. Nobody sees another's identities, address or language.
"""

from datetime import datetime

import strawberry

from auth import policy
from auth.scopes import Scope as Word
from schema.bind import Column, Place, Source, at, bound
from schema.relay import Node
from tenants import platform_tables
from tenants.tables import table_of, without

IDENTITIES = Source(
    tables={Place.PLATFORM: without(table_of(platform_tables.Identity), "subject")},
    key="id",
    policy=policy.mine,
    tag="D",
    needs={Place.PLATFORM: Word.ACCOUNT},
)
CONTACTS = Source(
    tables={Place.PLATFORM: table_of(platform_tables.Account)},
    key="id",
    policy=policy.account_visible,
    needs={Place.PLATFORM: Word.ACCOUNT},
)


@bound(IDENTITIES)
@strawberry.type(description="One way in which a person signs in at an issuer. An account may have several.")
class Identity(Node):
    """One way in which a person signs in at an issuer."""

    issuer: str = strawberry.field(description="The issuer's address.", metadata=at(Column("issuer")))
    email: str | None = strawberry.field(
        description="The e-mail address that the issuer last told; the account's own may be another.",
        metadata=at(Column("email")),
    )
    created_at: datetime = strawberry.field(description="Since when.", metadata=at(Column("created_at")))
    last_used_at: datetime | None = strawberry.field(
        description="When they last signed in so; null if never.", metadata=at(Column("last_used_at"))
    )


@bound(CONTACTS)
@strawberry.type(description="How a person is reached and spoken to. It stands on the account once, for all sites.")
class Contact:
    """How a person is reached and spoken to."""

    email: str = strawberry.field(
        description="The e-mail address. It changes at `/account/email`, where both addresses confirm it.",
        metadata=at(Column("email")),
    )
    email_verified_at: datetime | None = strawberry.field(
        description="When the address was last shown to be theirs; null if never.",
        metadata=at(Column("email_verified_at")),
    )
    language: str | None = strawberry.field(
        description="The language they are spoken to in, as a BCP 47 tag; null if they never said.",
        metadata=at(Column("language")),
    )
