"""The living parts of the gateway, in one place: what every transport is given.

Promises: made once at the start, closed once at the end, passed on as an argument. Never holds anything of one request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLSchema

from auth.viewer import Viewer
from gateway.documents import Document, Documents, Operation
from gateway.settings import Settings

if TYPE_CHECKING:
    from storage.client import ObjectStore
    from tenants.database import Database
    from tenants.reader import Reader
    from tenants.registry import Registry

Execute = Callable[["Square", Document, Operation, dict[str, Any], Viewer, str | None], Awaitable[bytes]]
"""Runs an operation with coerced variables for a viewer, here: the slug or host of the site asked, None on the square.

Gives the whole body of the response, partial results and their errors included; raises where the request as a whole
fails.
"""


@dataclass(frozen=True, slots=True)
class Square:
    """Everything a request needs. `authenticate` tells who shows this token, or raises `Unauthenticated`."""

    settings: Settings
    schema: GraphQLSchema
    documents: Documents
    reader: Reader
    database: Database
    registry: Registry
    store: ObjectStore | None
    authenticate: Callable[[str], Awaitable[Viewer]]
    execute: Execute
