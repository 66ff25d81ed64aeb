"""The living parts of the gateway, in one place: what every transport is given.

Promises: made once at the start, closed once at the end, passed on as an argument. Never holds anything of one request.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from graphql import GraphQLSchema

from auth.audit import Client
from auth.provider.provider import Provider
from auth.relying.directory import Directory
from auth.revocations import Revocations
from auth.viewer import Viewer
from gateway.documents import Document, Documents, Operation, Prepared
from gateway.persisted import Persisted
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.live.hub import Live
    from gateway.rates import Rates
    from storage.client import ObjectStore
    from tenants.database import Database
    from tenants.reader import Reader
    from tenants.registry import Registry

NOWHERE = Client()


class Execute(Protocol):
    """Runs an operation."""

    async def __call__(
        self, square: Square, prepared: Prepared, viewer: Viewer, here: str | None, client: Client = NOWHERE
    ) -> bytes:
        """The whole body of the response, partial results and their errors included.

        `here` is the slug or host of the site asked, None on the square; `client` is told for mutations, for the audit.
        Raises where the request as a whole fails.
        """
        ...


Payload = dict[str, Any]
"""One part of an answer that comes in parts, in the format of the specification's draft on incremental delivery."""


class Deliver(Protocol):
    """Runs an operation and gives its answer in parts."""

    def __call__(
        self, square: Square, prepared: Prepared, viewer: Viewer, here: str | None, client: Client = NOWHERE
    ) -> AsyncGenerator[Payload | bytes]:
        """The parts; or, as bytes, the one body of an ordinary response.

        Raises where the request as a whole fails, before it gives anything. Closed half-way, it ends what still runs.
        """
        ...


Weigh = Callable[["Square", Document, Operation, dict[str, Any]], int]
"""How many nodes the answer to an operation can hold at the most; raises where that is over the limit."""


def unknown(_token: str, _host: str | None) -> None:
    """For a square that remembers nobody."""


def weightless(_square: Square, _document: Document, _operation: Operation, _variables: dict[str, Any]) -> int:
    """For an `Execute` that reads nothing."""
    return 0


async def nothing_new() -> None:
    """For a square on which nothing is revoked."""


async def undivided(
    square: Square, prepared: Prepared, viewer: Viewer, here: str | None, client: Client = NOWHERE
) -> AsyncGenerator[Payload | bytes]:
    """For an `Execute` that knows no parts."""
    yield await square.execute(square, prepared, viewer, here, client)


@dataclass(frozen=True, slots=True)
class Square:
    """Everything a request needs.

    `authenticate` tells who shows a credential: a bearer token, or with a host (a site's slug or own host, or `SQUARE`)
    a session's. It raises `Unauthenticated` for a token, and gives a visitor for a session that is over. `known` tells
    the same without waiting, for those who were verified a moment ago.
    """

    settings: Settings
    schema: GraphQLSchema
    documents: Documents
    reader: Reader
    database: Database
    registry: Registry
    store: ObjectStore | None
    authenticate: Callable[[str, str | None], Awaitable[Viewer]]
    execute: Execute
    live: Live
    provider: Provider
    weigh: Weigh = weightless
    deliver: Deliver = undivided
    known: Callable[[str, str | None], Viewer | None] = unknown
    rates: Rates | None = None
    persisted: Persisted = field(default_factory=Persisted)
    revocations: Revocations = field(default_factory=Revocations)
    catch_up: Callable[[], Awaitable[None]] = nothing_new
    """Tells here, at once, what is revoked by now: for whoever just did it."""

    directory: Directory = field(default_factory=lambda: Directory((), "", allows_near=False))
    """The issuers that people sign in with."""
