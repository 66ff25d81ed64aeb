"""Where each field of the GraphQL schema lives, said once, beside the field.

A type names its `Source` (`@bound(...)`), a field its binding (`strawberry.field(metadata=at(...))`); the compiler
reads both from the finished schema. Promises: a field without a binding, or a type without a source and its policy,
does not compile: `catalogue()` refuses it when the schema is built, not when it is asked for.
Never holds a value of a request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, FromClause, Table
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from auth.policy import Terms
from auth.scopes import Scope
from auth.viewer import PlatformRole

METADATA = "bind"
"""The key of a binding in a strawberry field's metadata."""


class Place(StrEnum):
    """Whose tables a row is in, and so under which role it is read."""

    PLATFORM = "platform"
    SITE = "site"


class Row(Protocol):
    """One row of a table in a statement: an alias, or a page cut from it."""

    @property
    def c(self) -> ReadOnlyColumnCollection[str, ColumnElement[Any]]:
        """Its columns by name."""
        ...


Policy = Callable[[Row, Terms], ColumnElement[bool]]
"""Which rows of a table this viewer may see."""


@dataclass(frozen=True, eq=False)
class Source:
    """The rows a type is made of. `tables` by place: a Site has a row in the register and one in its own window.

    There is one for each kind of thing, compared by identity, so that statements can be kept by it.
    """

    tables: Mapping[Place, Table]
    key: str
    policy: Policy
    tag: str = ""
    """The letter of the type in global ids; empty where it is no Node."""
    discriminator: str = ""
    """The column that names the concrete type (in capitals) of an interface's row."""
    needs: Mapping[Place, Scope] = field(default_factory=dict)
    """What a credential with scopes must have to read these rows there; READ where nothing is said."""
    site: str = ""
    """On the platform: the column that says of which site a row is. Credentials for some sites see those rows only."""


class Nothing(Enum):
    """The source of a type that is no row: Query, Viewer, payloads, pages. Its fields hang on the request itself."""

    NOTHING = "nothing"


NOTHING = Nothing.NOTHING


@dataclass(frozen=True)
class Derived:
    """The source of a type whose rows a `Listed` binding makes; it lives nowhere else."""


@dataclass(frozen=True)
class Column:
    """A column of the row, as it is."""

    name: str


@dataclass(frozen=True)
class Expression:
    """A value made from the row. `place` says it needs the site's own tables."""

    build: Callable[[Row, Terms], ColumnElement[Any]]
    place: Place | None = None


@dataclass(frozen=True)
class GlobalId:
    """The row's global id."""


@dataclass(frozen=True)
class One:
    """The one row of the field's type for which `join(row, target, terms)` holds, or null.

    `policy` replaces the target's own where the way there already decides (an author of what you may see).
    """

    join: Callable[[Any, Row, Terms], ColumnElement[bool]]
    policy: Policy | None = None


@dataclass(frozen=True)
class Either:
    """One of two edges to different types of a union: `first` where `when(row)` holds, else `other`."""

    when: Callable[[Row], ColumnElement[bool]]
    first: tuple[str, One]
    other: tuple[str, One]


@dataclass(frozen=True)
class Listed:
    """A short, unpaged list: `rows` is a subquery whose columns are what the field's type binds, in order."""

    rows: Callable[[Row, Terms], FromClause]


@dataclass(frozen=True)
class Order:
    """A keyset order: by this column, then by key, in one direction."""

    column: str
    descending: bool
    numeric: bool = False
    """Whether the column is a timestamp (kept in cursors as microseconds) rather than text."""


@dataclass(frozen=True)
class Filter:
    """How a field of a filter input narrows the rows: `build(row, parameter, terms)`, the parameter of type `cast`."""

    cast: str
    build: Callable[[Row, ColumnElement[Any], Terms], ColumnElement[bool]]
    tag: str = ""
    """For global ids: the type they must be of; a foreign id then matches nothing."""


@dataclass(frozen=True)
class Connected:
    """A Relay connection over the rows of its node type for which `join(row, target, terms)` holds."""

    join: Callable[[Any, Row, Terms], ColumnElement[bool]]
    orders: Mapping[str, Order]
    filters: Mapping[str, Filter] = field(default_factory=dict)
    policy: Policy | None = None
    only: PlatformRole | None = None
    """At the root: for accounts with this role on the platform; FORBIDDEN for others."""


class Root(StrEnum):
    """What a root field does beyond reading rows from one place."""

    VIEWER = "viewer"
    SITE = "site"
    NODE = "node"
    NODES = "nodes"
    FEED = "feed"
    SEARCH = "search"
    ENTITIES = "entities"
    SERVICE = "service"


@dataclass(frozen=True)
class Rooted:
    """A root field, done by the executor of that name. `needs`: what a credential with scopes must have."""

    root: Root
    needs: Scope = Scope.READ


@dataclass(frozen=True)
class Mutates:
    """A mutation: the service that does it, and the payload's field that a repeated request gets back.

    `service(work, viewer, input)` checks, writes and returns a `schema.work.Done`; it never commits. `needs`: what a
    credential with scopes must have. `is_privileged`: doing it is always worth a row in the audit.
    """

    service: Callable[[Any, Any, Any], Awaitable[Any]]
    returns: str
    needs: Scope
    is_privileged: bool = False


@dataclass(frozen=True)
class Subscribed:
    """A subscription: events on a topic, on a site (`at_tag` S) or within a thing that the argument `at` names.

    `tag` is the letter of what the events are about, and `known` who may know of it though it is gone.
    `kinds`: whether an argument of that name narrows by the events' kind.
    """

    topic: str
    tag: str
    at: str
    at_tag: str
    known: Policy
    kinds: bool = False


@dataclass(frozen=True)
class Made:
    """A field of a payload: the value of this name in what was done or happened (a node's id, or a scalar)."""

    name: str


@dataclass(frozen=True)
class Given:
    """A value made from what another service sent along with its reference to the row (`@requires`, `@external`).

    `build(row, given)`: `given` is the representation as JSON; null where the row was reached in another way.
    """

    build: Callable[[Row, ColumnElement[Any]], ColumnElement[Any]]


Binding = (
    Column | Expression | Given | GlobalId | One | Either | Listed | Connected | Rooted | Mutates | Subscribed | Made
)
AnySource = Source | Nothing | Derived


def needs_of(binding: Binding | None) -> Scope:
    """What a credential with scopes must have for a root field."""
    if isinstance(binding, Mutates | Rooted):
        return binding.needs
    return Scope.PLATFORM if isinstance(binding, Connected) and binding.only is not None else Scope.READ


T = TypeVar("T", bound=type)


def at(binding: Binding) -> dict[str, Binding]:
    """The metadata of a field that lives there."""
    return {METADATA: binding}


def bound(source: AnySource) -> Callable[[T], T]:
    """Class decorator: the rows this type is made of. Types that implement an interface inherit its source."""

    def mark(cls: T) -> T:
        cls.__source__ = source  # type: ignore[attr-defined]
        return cls

    return mark
