"""The rival: strawberry as everyone writes it, resolvers and DataLoaders, over the same tables.

Promises: the same documents and the same data as Plein; SQL as one would write it by hand, one statement for each
level. It checks no access and no token, which favours it. Never used by anything but the benchmarks.
"""

import os
from copy import copy
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import strawberry
from graphql import GraphQLSchema
from psycopg.sql import SQL, Composed, Identifier
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

from schema.relay import NodeId, decode_id, encode_id
from schema.root import graphql_schema, strawberry_schema
from tests.benchmarks.connections import Connections

Row = dict[str, Any]
Info = strawberry.Info[Any, Any]

VIEWER = "BENCHMARK_VIEWER_ID"
DATABASE = "BENCHMARK_DATABASE_URL"
UNKNOWN = frozenset({"defer", "stream"})
"""Directives that strawberry refuses to serve."""


class Loaders:
    """The loaders of one request, made for each site when first needed."""

    def __init__(self, connections: Connections) -> None:
        self.fetch = connections.fetch
        self._made: dict[Any, DataLoader[Any, Any]] = {}

    def accounts(self) -> DataLoader[UUID, Row]:
        """Accounts by id."""
        return self._by_key("accounts", SQL("SELECT id, name FROM platform.account WHERE id = ANY(%s)"), "id")

    def members(self, schema: str) -> DataLoader[UUID, Row]:
        """A site's members by account."""
        return self._by_key(schema, _on("SELECT * FROM {}.member WHERE account_id = ANY(%s)", schema), "account_id")

    def comments(self, schema: str, first: int) -> DataLoader[UUID, list[Row]]:
        """The first comments on each item of a site."""
        statement = _on(
            "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY content_id ORDER BY created_at, id) AS place"
            " FROM {}.comment WHERE content_id = ANY(%s) AND parent_id IS NULL) c WHERE place <= %s"
            " ORDER BY content_id, created_at, id",
            schema,
        )

        async def load(keys: list[UUID]) -> list[list[Row]]:
            found: dict[UUID, list[Row]] = {key: [] for key in keys}
            for row in await self.fetch(statement, (keys, first)):
                found[row["content_id"]].append(row)
            return [found[key] for key in keys]

        return self._made.setdefault((schema, first), DataLoader(load_fn=load))

    def _by_key(self, name: str, statement: Any, column: str) -> DataLoader[UUID, Row]:
        async def load(keys: list[UUID]) -> list[Row | None]:
            found = {row[column]: row for row in await self.fetch(statement, (keys,))}
            return [found.get(key) for key in keys]

        return self._made.setdefault(name, DataLoader(load_fn=load))


def _on(statement: str, schema: str) -> Composed:
    return SQL(statement).format(Identifier(schema))


@strawberry.type
class Account:
    """A person."""

    name: str


@strawberry.type
class Member:
    """That person on a site."""

    account_id: strawberry.Private[UUID]

    @strawberry.field
    async def account(self, info: Info) -> Account:
        """The person."""
        row = await info.context["loaders"].accounts().load(self.account_id)
        return Account(name=row["name"])


async def load_author(info: Info, schema: str, author_id: UUID) -> Member:
    """Whoever wrote something on a site."""
    row = await info.context["loaders"].members(schema).load(author_id)
    return Member(account_id=row["account_id"])


@strawberry.interface
class Node:
    """Anything with an id."""

    id: strawberry.ID


@strawberry.type
class Comment(Node):
    """What somebody says about an item."""

    body: str
    created_at: datetime
    schema: strawberry.Private[str]
    author_id: strawberry.Private[UUID]

    @strawberry.field
    async def author(self, info: Info) -> Member:
        """Who wrote it."""
        return await load_author(info, self.schema, self.author_id)


@strawberry.type
class CommentEdge:
    """A comment in a list."""

    node: Comment


@strawberry.type
class CommentConnection:
    """A list of comments."""

    edges: list[CommentEdge]


@strawberry.type
class Content(Node):
    """An item."""

    kind: str
    title: str
    body: str
    published_at: datetime
    site: strawberry.Private[Row]
    key: strawberry.Private[UUID]
    author_id: strawberry.Private[UUID]

    @strawberry.field
    async def author(self, info: Info) -> Member:
        """Who wrote it."""
        return await load_author(info, self.site["schema_name"], self.author_id)

    @strawberry.field
    async def comments(self, info: Info, first: int = 20) -> CommentConnection:
        """What was said about it."""
        rows = await info.context["loaders"].comments(self.site["schema_name"], first).load(self.key)
        return CommentConnection(edges=[CommentEdge(node=make_comment(self.site, row)) for row in rows])


def make_content(site: Row, row: Row) -> Content:
    """An item from its row."""
    return Content(
        id=strawberry.ID(encode_id(NodeId("C", site["id"], row["id"]))),
        kind=row["kind"],
        title=row["title"],
        body=row["body"],
        published_at=row["published_at"],
        site=site,
        key=row["id"],
        author_id=row["author_id"],
    )


def make_comment(site: Row, row: Row) -> Comment:
    """A comment from its row."""
    return Comment(
        id=strawberry.ID(encode_id(NodeId("K", site["id"], row["id"]))),
        body=row["body"],
        created_at=row["created_at"],
        schema=site["schema_name"],
        author_id=row["author_id"],
    )


@strawberry.type
class ContentEdge:
    """An item in a list."""

    node: Content


@strawberry.type
class PageInfo:
    """Where a page ends."""

    end_cursor: str | None


@strawberry.type
class ContentConnection:
    """A page of items."""

    edges: list[ContentEdge]
    page_info: PageInfo


@strawberry.type
class Site:
    """A site."""

    slug: str
    name: str
    row: strawberry.Private[Row]

    @strawberry.field
    async def content(self, info: Info, first: int = 20, after: str | None = None) -> ContentConnection:
        """Its items, the newest first; a cursor is the moment and the key of an item."""
        moment, _, key = (after or "9999-01-01 00:00:00Z|ffffffff-ffff-ffff-ffff-ffffffffffff").partition("|")
        statement = _on(
            "SELECT id, kind, title, body, published_at, author_id FROM {}.content WHERE deleted_at IS NULL"
            " AND (published_at, id) < (%s::timestamptz, %s::uuid) ORDER BY published_at DESC, id DESC LIMIT %s",
            self.row["schema_name"],
        )
        rows = await info.context["loaders"].fetch(statement, (moment, key, first))
        end = f"{rows[-1]['published_at'].isoformat()}|{rows[-1]['id']}" if rows else None
        edges = [ContentEdge(node=make_content(self.row, row)) for row in rows]
        return ContentConnection(edges=edges, page_info=PageInfo(end_cursor=end))


@strawberry.type
class SiteEdge:
    """A site in a list."""

    node: Site


@strawberry.type
class SiteConnection:
    """A page of sites."""

    edges: list[SiteEdge]


@strawberry.type
class Viewer:
    """Whoever asks."""

    @strawberry.field
    async def sites(self, info: Info, first: int = 20) -> SiteConnection:
        """The sites one is a member of, by name."""
        statement = SQL(
            "SELECT t.* FROM platform.tenant t JOIN platform.membership m ON m.tenant_id = t.id"
            " WHERE m.account_id = %s ORDER BY t.name, t.id LIMIT %s"
        )
        rows = await info.context["loaders"].fetch(statement, (info.context["viewer_id"], first))
        return SiteConnection(edges=[SiteEdge(node=make_site(row)) for row in rows])


def make_site(row: Row) -> Site:
    """A site from its row."""
    return Site(slug=row["slug"], name=row["name"], row=row)


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    def viewer(self) -> Viewer:
        """Whoever asks."""
        return Viewer()

    @strawberry.field
    async def site(self, info: Info, slug: str) -> Site | None:
        """A site by its slug."""
        rows = await info.context["loaders"].fetch(SQL("SELECT * FROM platform.tenant WHERE slug = %s"), (slug,))
        return make_site(rows[0]) if rows else None

    @strawberry.field
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:  # noqa: A002 - the name of the argument
        """An item by its id."""
        node = decode_id(id)
        return None if node is None else await load_content(info, node)


async def load_content(info: Info, node: NodeId) -> Content | None:
    """The item with this id."""
    fetch = info.context["loaders"].fetch
    sites = await fetch(SQL("SELECT * FROM platform.tenant WHERE id = %s"), (node.tenant_id,))
    if not sites:
        return None
    statement = _on("SELECT * FROM {}.content WHERE id = %s AND deleted_at IS NULL", sites[0]["schema_name"])
    rows = await fetch(statement, (node.key,))
    return make_content(sites[0], rows[0]) if rows else None


@strawberry.input
class AddCommentInput:
    """A comment to make."""

    subject: strawberry.ID
    body: str


@strawberry.type
class AddCommentPayload:
    """The comment that was made."""

    comment: Comment


@strawberry.type
class Mutation:
    """What can be done."""

    @strawberry.mutation
    async def add_comment(self, info: Info, input: AddCommentInput) -> AddCommentPayload:  # noqa: A002
        """Says something about an item."""
        node = decode_id(input.subject)
        content = None if node is None else await load_content(info, node)
        if content is None:
            raise ValueError("there is no such item")
        now = datetime.now(UTC)
        statement = _on(
            "INSERT INTO {}.comment (id, content_id, author_id, body, created_at, updated_at)"
            " VALUES (%s, %s, %s, %s, %s, %s) RETURNING *",
            content.site["schema_name"],
        )
        values = (uuid4(), content.key, info.context["viewer_id"], input.body, now, now)
        rows = await info.context["loaders"].fetch(statement, values)
        return AddCommentPayload(comment=make_comment(content.site, rows[0]))


SCHEMA = strawberry.Schema(Query, mutation=Mutation, types=[Content])


class App(GraphQL[Any, Any]):
    """strawberry's own ASGI view, with loaders made anew for each request."""

    def __init__(self, database_url: str, viewer_id: UUID, schema: strawberry.Schema = SCHEMA) -> None:
        super().__init__(schema, graphql_ide=None)
        self._connections = Connections(database_url)
        self._viewer_id = viewer_id

    async def close(self) -> None:
        """Close its connections."""
        await self._connections.close()

    async def get_context(self, request: Any, response: Any) -> dict[str, Any]:
        """What the resolvers are given."""
        return {"loaders": Loaders(self._connections), "viewer_id": self._viewer_id}


def create_app() -> App:
    """The application, for the server that the environment names the database and the viewer to."""
    return App(os.environ[DATABASE], UUID(os.environ[VIEWER]))


def create_introspected() -> App:
    """The same over Plein's own schema, for questions about the schema."""
    return App(os.environ[DATABASE], UUID(os.environ[VIEWER]), introspected_schema())


def introspected_schema() -> strawberry.Schema:
    """The schema that Plein serves, as strawberry serves it: without what strawberry does not know."""
    schema, served = copy(strawberry_schema()), graphql_schema().to_kwargs()
    served["directives"] = [each for each in served["directives"] if each.name not in UNKNOWN]
    schema._schema = GraphQLSchema(**served)
    return schema
