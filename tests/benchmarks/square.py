"""The square that is measured: ten sites with items, comments and people, in a database of its own.

Promises: the same rows every time; the viewer is a member of every site and may see every item there, by level or by
group, so that servers that know no access rules give the same answers. Never touches a database that was there before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import psycopg
from psycopg import sql

from auth.accounts import create_account, link_identity
from auth.issuer import DEVELOPMENT_ISSUER
from auth.policy import Level, Role
from gateway.demo.source import Text, load_source
from schema.relay import NodeId, encode_id
from tenants.database import Database
from tenants.migrate import migrate
from tenants.provisioning import NewTenant, provision
from tenants.registry import TenantRef
from tenants.settings import DatabaseSettings

SITES = 10
MEMBERS = 50
ITEMS = (2400, *[120] * (SITES - 1))  # per site
COMMENTS_PER_ITEM = 6
PARAGRAPHS = 3  # of a regulation make an item
GROUPS = 5
KINDS = ("BLOG", "NEWS", "DISCUSSION", "QUESTION", "PAGE", "WIKI")
BEGAN_AT = datetime(2020, 1, 6, 9, tzinfo=UTC)

Row = Sequence[object]


@dataclass(frozen=True, slots=True)
class Site:
    """A site as the workloads know it."""

    ref: TenantRef
    item_id: str
    """The global id of one of its items, with comments."""


@dataclass(frozen=True, slots=True)
class Estate:
    """What was loaded: the largest site comes first."""

    viewer_id: UUID
    sites: tuple[Site, ...]


async def load_estate(url: str, items: Sequence[int] = ITEMS) -> Estate:
    """Migrate the empty database at `url` and fill it: so many items on each site."""
    settings = DatabaseSettings(url)
    await migrate(settings)
    rng, texts = Random(2014), _texts()
    database = Database(settings)
    await database.open()
    try:
        people = [_uuid(rng) for _ in range(MEMBERS)]
        async with database.transaction(None) as tx:
            for number, account_id in enumerate(people):
                await create_account(tx, f"Persoon {number}", f"p{number}@example.org", account_id=account_id)
            await link_identity(tx, people[0], DEVELOPMENT_ISSUER, str(people[0]))
        sites = []
        for number, count in enumerate(items):
            new = NewTenant(f"plaats-{number:02}", f"Plaats {number:02}", access=int(Level.MEMBERS), id=_uuid(rng))
            ref = await provision(database, new, owner_account_id=people[1])
            sites.append(await _fill(url, ref, Writer(rng, texts, people), count))
    finally:
        await database.close()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("VACUUM ANALYZE")
    return Estate(people[0], tuple(sites))


@dataclass(frozen=True, slots=True)
class Writer:
    """What rows are made of: chance, the demo's real texts, and people."""

    rng: Random
    texts: Sequence[Text]
    people: Sequence[UUID]

    def item(self, number: int, groups: Sequence[UUID]) -> Row:
        """One item in seven is in a group and seen by its members only."""
        # Never ending in a zero: PostgreSQL leaves trailing zeros of a second out, Python does not.
        moment = BEGAN_AT + timedelta(hours=number, microseconds=10 * number + 1)
        group = groups[number % GROUPS] if number % 7 == 0 else None
        level = int(Level.GROUP if group else Level.MEMBERS)
        text, kind, author = self.rng.choice(self.texts), KINDS[number % len(KINDS)], self.rng.choice(self.people)
        body = "\n\n".join(text.paragraphs[:PARAGRAPHS])
        return _uuid(self.rng), kind, text.topic, body, author, group, level, moment, moment, moment

    def comment(self, item: Row, place: int) -> Row:
        """A sentence or two about an item."""
        moment = BEGAN_AT + timedelta(days=400, minutes=place, microseconds=1)
        body = " ".join(self.rng.choices(self.rng.choice(self.texts).sentences, k=2))
        return _uuid(self.rng), item[0], self.rng.choice(self.people), body, moment, moment


async def _fill(url: str, ref: TenantRef, writer: Writer, count: int) -> Site:
    """Write one site's rows; its owner is there already."""
    people, member, groups = writer.people, int(Role.MEMBER), [_uuid(writer.rng) for _ in range(GROUPS)]
    joined = [person for person in people if person != people[1]]
    items = [writer.item(number, groups) for number in range(count)]
    comments = [writer.comment(item, place) for item in items for place in range(COMMENTS_PER_ITEM)]
    schema, private = ref.schema_name, int(Level.GROUP)
    async with await psycopg.AsyncConnection.connect(url) as tx:
        here = ("account_id", "role", "joined_at")
        await _copy(tx, schema, "member", here, ((each, member, BEGAN_AT) for each in joined))
        over = ("tenant_id", "account_id", "role", "group_ids", "joined_at")
        rows = ((ref.id, each, member, groups if each == people[0] else [], BEGAN_AT) for each in joined)
        await _copy(tx, "platform", "membership", over, rows)
        named = ("id", "name", "access", "joining", "created_at", "updated_at")
        made = ((each, f"Groep {place}", private, "OPEN", BEGAN_AT, BEGAN_AT) for place, each in enumerate(groups))
        await _copy(tx, schema, "group", named, made)
        placed = ("group_id", "account_id", "role", "joined_at")
        await _copy(tx, schema, "group_member", placed, ((each, people[0], member, BEGAN_AT) for each in groups))
        content = ("id", "kind", "title", "body", "author_id", "group_id", "access")
        await _copy(tx, schema, "content", (*content, "published_at", "created_at", "updated_at"), items)
        comment = ("id", "content_id", "author_id", "body", "created_at", "updated_at")
        await _copy(tx, schema, "comment", comment, comments)
    return Site(ref, encode_id(NodeId("C", ref.id, UUID(str(items[count // 2][0])))))


def _texts() -> list[Text]:
    return [each for each in load_source(sample=True).texts if each.sentences and each.paragraphs]


def _uuid(rng: Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)


async def _copy(
    tx: psycopg.AsyncConnection, schema: str, table: str, columns: Sequence[str], rows: Iterable[Row]
) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(schema, table), names)
    async with tx.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows:
            await copy.write_row(row)
