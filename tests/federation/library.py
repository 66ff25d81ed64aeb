"""A library as a subgraph, declared as Plein's own schema is: with every directive that federation has.

It has what Plein's schema has no use for: keys of several fields, values that another service must send along, fields
taken over from another service, a type that stands for another service's interface. Its tables are on the platform.
"""

from __future__ import annotations

from functools import cache, reduce
from operator import or_
from typing import Annotated, Any

import strawberry
from graphql import GraphQLSchema
from sqlalchemy import Boolean, Column, Float, Integer, MetaData, String, Table, literal, select
from strawberry import federation
from strawberry.federation.schema import FederationAny
from strawberry.federation.schema_directives import (
    External,
    Inaccessible,
    InterfaceObject,
    Override,
    Provides,
    Requires,
    Shareable,
    Tag,
)
from strawberry.schema_directive import Location

from auth import policy
from schema.bind import NOTHING, Given, Listed, One, Place, Root, Rooted, Source, at, bound
from schema.bind import Column as Stored
from schema.federation import SCALARS, VERSION, Service, key
from schema.relay import argument, field
from schema.sdl import served

METADATA = MetaData(schema="library")


def table(name: str, *columns: Column[Any]) -> Table:
    """A table of the library."""
    return Table(name, METADATA, *columns)


def text(name: str, **more: Any) -> Column[Any]:
    """A column of text."""
    return Column(name, String, **more)


BOOK = table(
    "book",
    text("id", primary_key=True),
    *map(text, ("isbn", "edition", "series", "size", "unit", "author", "notes")),
    Column("weight", Float),
    Column("is_hidden", Boolean),
)
LOST = table("lost", text("isbn", primary_key=True), *map(text, ("edition", "reason", "author", "shelf")))
REVIEW = table("review", text("case_number", primary_key=True), *map(text, ("description", "outcome", "book")))
READER = table("reader", text("email", primary_key=True), text("name"), Column("books_written", Integer))
SHELF = table("shelf", text("id", primary_key=True))


def source(of: Table, key_column: str, rule: Any = policy.everyone) -> Source:
    """The rows of a table, which are on the platform."""
    return Source(tables={Place.PLATFORM: of}, key=key_column, policy=rule)


def stored(column: str, *directives: object) -> Any:
    """A field that is a column."""
    return strawberry.field(metadata=at(Stored(column)), directives=directives)


@federation.schema_directive(
    locations=[Location.OBJECT], name="curated", compose=True, import_url="https://specs.plein.example/curated/v1.0"
)
class Curated:
    """Somebody looks after it."""


@bound(source(BOOK, "series"))
@strawberry.type
class Series:
    """What several books belong to."""

    id: strawberry.ID = stored("series")


@bound(source(BOOK, "id"))
@strawberry.type(directives=[Shareable()])
class Size:
    """How large a book is."""

    size: str | None = stored("size")
    weight: float | None = stored("weight")
    unit: str | None = stored("unit", Inaccessible())


@bound(source(READER, "email"))
@strawberry.type(extend=True, directives=[key("email")])
class Reader:
    """Somebody whom another service knows better."""

    email: strawberry.ID = stored("email", External())
    name: str | None = stored("name", Override(override_from="readers"))
    books_written: int | None = stored("books_written", External())
    years_active: int = strawberry.field(
        metadata=at(Given(lambda _, given: given["yearsActive"].as_integer())), directives=[External()]
    )
    books_per_year: int | None = strawberry.field(
        metadata=at(Given(lambda _, given: given["booksWritten"].as_integer() / given["yearsActive"].as_integer())),
        directives=[Requires(fields="booksWritten yearsActive")],  # type: ignore[arg-type]
    )


@bound(source(REVIEW, "case_number"))
@strawberry.type
class Study:
    """What a review rests on."""

    case_number: strawberry.ID = stored("case_number")
    description: str | None = stored("description")


@bound(source(REVIEW, "case_number"))
@strawberry.type(directives=[key("study { caseNumber }")])
class Review:
    """What somebody found out about a book."""

    study: Study = strawberry.field(
        metadata=at(One(lambda row, study, _: study.c.case_number == row.c.case_number)),
    )
    outcome: str | None = stored("outcome")


@bound(source(BOOK, "id", lambda row, _: row.c.is_hidden.is_not(True)))
@strawberry.type(directives=[key("id"), key("isbn edition"), key("isbn series { id }"), Curated()])
class Book:
    """A book."""

    id: strawberry.ID = stored("id")
    isbn: str | None = stored("isbn")
    edition: str | None = stored("edition")
    series: Series | None = strawberry.field(metadata=at(One(lambda row, series, _: series.c.id == row.c.id)))
    dimensions: Size | None = strawberry.field(metadata=at(One(lambda row, size, _: size.c.id == row.c.id)))
    author: Reader | None = strawberry.field(
        metadata=at(One(lambda row, reader, _: reader.c.email == row.c.author)),
        directives=[Provides(fields="booksWritten")],  # type: ignore[arg-type]
    )
    notes: str | None = stored("notes", Tag(name="internal"))
    reviews: list[Review] = strawberry.field(
        metadata=at(Listed(lambda row, _: select(REVIEW).where(REVIEW.c.book == row.c.id).correlate(row).subquery()))  # type: ignore[arg-type]
    )


@bound(source(LOST, "isbn"))
@strawberry.type(directives=[key("isbn edition")])
class LostBook:
    """A book that is no longer there."""

    isbn: str = stored("isbn")
    edition: str = stored("edition")
    reason: str | None = stored("reason")


@bound(source(SHELF, "id"))
@strawberry.type(directives=[key("id"), InterfaceObject()])
class Shelf:
    """What another service knows as an interface."""

    id: strawberry.ID = stored("id")
    lost_books: list[LostBook] = strawberry.field(
        metadata=at(Listed(lambda row, _: select(LOST).where(LOST.c.shelf == row.c.id).correlate(row).subquery()))  # type: ignore[arg-type]
    )


@bound(NOTHING)
@strawberry.type
class Library:
    """Where to begin."""

    book: Book | None = strawberry.field(metadata=at(One(lambda _, book, __: book.c.id == literal("apart"))))


ENTITIES: Any = Annotated[reduce(or_, (Book, LostBook, Reader, Review, Shelf)), strawberry.union("_Entity")]


@bound(NOTHING)
@strawberry.type
class Query:
    """What can be asked."""

    library: Library = field(Rooted(Root.VIEWER), "Where to begin.", [])
    entities: list[ENTITIES | None] = field(
        Rooted(Root.ENTITIES), "", [argument("representations", list[FederationAny], "")], name="_entities"
    )
    service: Service = field(Rooted(Root.SERVICE), "", [], name="_service")


@cache
def library_schema() -> GraphQLSchema:
    """The library's schema as it is served."""
    return served(federation.Schema(Query, types=[Shelf], federation_version=VERSION, scalar_overrides=SCALARS))


ROWS: dict[Table, list[dict[str, Any]]] = {
    BOOK: [
        {"id": "apart", "isbn": "111", "edition": "first", "series": "blue", "size": "small", "weight": 1.5}
        | {"unit": "kg", "author": "anna@example.nl", "notes": "ask Anna", "is_hidden": False},
        {"id": "beyond", "isbn": "222", "edition": "", "series": "red", "size": "large", "weight": 2.0}
        | {"unit": "kg", "author": "bram@example.nl", "notes": None, "is_hidden": False},
        {"id": "secret", "isbn": "333", "edition": "first", "series": "blue", "size": "large", "weight": 2.0}
        | {"unit": "kg", "author": "anna@example.nl", "notes": None, "is_hidden": True},
    ],
    LOST: [{"isbn": "999", "edition": "last", "reason": "Lent", "author": "anna@example.nl", "shelf": "shelf-1"}],
    REVIEW: [
        {"case_number": "1234", "description": "Of paper", "outcome": None, "book": "apart"},
        {"case_number": "1235", "description": "Of ink", "outcome": "Good", "book": "beyond"},
    ],
    READER: [
        {"email": "anna@example.nl", "name": "Anna", "books_written": 130},
        {"email": "bram@example.nl", "name": "Bram", "books_written": 3},
    ],
    SHELF: [{"id": "shelf-1"}],
}
