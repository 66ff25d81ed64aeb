"""Clients: the apps and services that sign people in here, as the provider's endpoints know them.

Promises: an address to send somebody to counts only if it is one of the client's own, letter by letter; on this machine
itself any port will do (RFC 8252, section 7.3), as a native app cannot choose one beforehand.
Never holds a secret: only its hash.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from tenants.provider_tables import Client as ClientTable
from tenants.tables import table_of

CLIENT = table_of(ClientTable)
LOOPBACK = frozenset({"127.0.0.1", "::1"})


class Authentication(StrEnum):
    """How a client proves who it is: not at all (an app in a browser or on a phone), by a secret, or by its own key."""

    NONE = "NONE"
    SECRET = "SECRET"  # noqa: S105 - a kind, not a secret
    PRIVATE_KEY = "PRIVATE_KEY"


class GrantType(StrEnum):
    """What a client may ask tokens with."""

    AUTHORIZATION_CODE = "AUTHORIZATION_CODE"
    REFRESH_TOKEN = "REFRESH_TOKEN"  # noqa: S105 - a kind
    CLIENT_CREDENTIALS = "CLIENT_CREDENTIALS"


class SubjectType(StrEnum):
    """What a person is called towards a client: by a name that only this client knows, or by their account's id."""

    PAIRWISE = "PAIRWISE"
    PUBLIC = "PUBLIC"


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client. `tenant_id` is the site that it is of; None for the platform's own."""

    id: UUID
    tenant_id: UUID | None
    account_id: UUID
    name: str
    authentication: Authentication
    grant_types: frozenset[str]
    scopes: frozenset[str]
    redirect_uris: tuple[str, ...]
    logout_redirect_uris: tuple[str, ...]
    origins: tuple[str, ...]
    subject_type: SubjectType
    id_token_algorithm: str
    home_uri: str | None = None
    policy_uri: str | None = None
    logout_uri: str | None = None
    is_trusted: bool = False
    jwks: dict[str, Any] | None = None
    subject_salt: bytes = field(default=b"", repr=False)
    secret_hash: bytes | None = field(default=None, repr=False)
    earlier_secret_hash: bytes | None = field(default=None, repr=False)
    earlier_secret_until: datetime | None = None

    def may(self, grant_type: GrantType) -> bool:
        """Whether the client may ask for tokens in this way."""
        return grant_type in self.grant_types

    def takes_codes_at(self, uri: str) -> bool:
        """Whether a person may be sent here with a code."""
        return uri in self.redirect_uris or any(same_but_for_port(uri, each) for each in self.redirect_uris)

    def subject_of(self, account_id: UUID) -> str:
        """What the client calls this account. It cannot be turned back, nor compared with another client's."""
        if self.subject_type is SubjectType.PUBLIC:
            return str(account_id)
        return sha256(self.subject_salt + b"subject" + account_id.bytes).hexdigest()

    def sid_of(self, session_id: UUID) -> str:
        """What the client calls this session."""
        return sha256(self.subject_salt + b"session" + session_id.bytes).hexdigest()[:32]


def same_but_for_port(uri: str, registered: str) -> bool:
    """Whether both lead to this machine itself and to the same place on it, whatever the port."""
    if not registered.startswith("http://"):
        return False
    try:
        asked, known = urlsplit(uri), urlsplit(registered)
        asked_port = asked.port
    except ValueError:
        return False
    if known.hostname not in LOOPBACK or asked_port is None:
        return False
    host = f"[{known.hostname}]" if known.hostname == "::1" else known.hostname
    # Put together again and compared as text, so that nothing that parsers differ on can hide in it.
    rest = registered.removeprefix(f"http://{known.netloc}")
    return uri == f"http://{host}:{asked_port}{rest}"


def is_own_machine(uri: str) -> bool:
    """Whether the address is an app's own: on the person's machine or phone, where anything may answer."""
    parts = urlsplit(uri)
    return parts.scheme != "https"


async def load_client(tx: AsyncConnection, client_id: str) -> Client | None:
    """The client with this id as it stands in requests, or None."""
    try:
        key = UUID(client_id)
    except ValueError:
        return None
    if str(key) != client_id:
        return None  # one client, one name: other ways to write it would make exact comparisons miss
    row = (await tx.execute(select(CLIENT).where(CLIENT.c.id == key))).first()
    return None if row is None else client_from(row)


async def load_origins(tx: AsyncConnection) -> frozenset[str]:
    """The origins of all clients whose pages speak to the provider themselves."""
    rows = await tx.scalars(select(CLIENT.c.origins).where(CLIENT.c.origins != []))
    return frozenset(origin for row in rows for origin in row)


def client_from(row: Any) -> Client:
    """The client in a row of its table."""
    return Client(
        id=row.id,
        tenant_id=row.tenant_id,
        account_id=row.account_id,
        name=row.name,
        authentication=Authentication(row.authentication),
        grant_types=frozenset(row.grant_types),
        scopes=frozenset(row.scopes),
        redirect_uris=tuple(row.redirect_uris),
        logout_redirect_uris=tuple(row.logout_redirect_uris),
        origins=tuple(row.origins),
        subject_type=SubjectType(row.subject_type),
        id_token_algorithm=row.id_token_algorithm,
        home_uri=row.home_uri,
        policy_uri=row.policy_uri,
        logout_uri=row.logout_uri,
        is_trusted=row.trusted_at is not None,
        jwks=None if row.jwks is None else json.loads(row.jwks),
        subject_salt=row.subject_salt,
        secret_hash=row.secret_hash,
        earlier_secret_hash=row.earlier_secret_hash,
        earlier_secret_until=row.earlier_secret_until,
    )
