"""Everything in the database, as plain Python dicts: what the oracle answers from.

Promises: whole tables, read once as the owner, without any condition; rows are dicts by column name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

Row = dict[str, Any]
TABLES = ("member", "group", "group_member", "content", "comment", "reaction", "audit", "ownership_offer", "api_key")
PLATFORM_TABLES = ("api_key", "audit", "client", "consent", "identity", "issuer", "session")
MATCHES = """
    SELECT id, ts_rank(search, words)::text
    FROM {}.content, websearch_to_tsquery('pg_catalog.dutch', %(query)s) AS words WHERE search @@ words
"""
TEXTS = "SELECT text FROM unnest(%s::text[]) AS text ORDER BY text"


class Rank(float):
    """How well an item matches, with the text in which Postgres says it."""

    def __new__(cls, text: str) -> Rank:
        """From that text."""
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str


@dataclass(frozen=True, eq=False)
class SiteData:
    """One site: its row of the register and its own tables."""

    row: Row
    member: list[Row]
    group: list[Row]
    group_member: list[Row]
    content: list[Row]
    comment: list[Row]
    reaction: list[Row]
    audit: list[Row]
    ownership_offer: list[Row]
    api_key: list[Row]

    @property
    def id(self) -> UUID:
        """The site's id."""
        id_: UUID = self.row["id"]
        return id_

    @property
    def is_active(self) -> bool:
        """Whether it answers."""
        return bool(self.row["state"] == "ACTIVE")

    def find(self, table: str, key: str, value: object) -> Row | None:
        """The one row of a table with this value, or None."""
        return self._indexed(table, key).get(value)

    def where(self, table: str, test: Callable[[Row], bool]) -> list[Row]:
        """The rows of a table for which the test holds."""
        return [row for row in getattr(self, table) if test(row)]

    def _indexed(self, table: str, key: str) -> dict[Any, Row]:
        if (table, key) not in self._indexes:
            self._indexes[table, key] = {row[key]: row for row in getattr(self, table)}
        return self._indexes[table, key]

    @cached_property
    def _indexes(self) -> dict[tuple[str, str], dict[Any, Row]]:
        return {}


@dataclass(frozen=True, eq=False)
class World:
    """The square: sites by id, accounts by id, what hangs on accounts by table.

    `rank` is the place of every text in the database's own order.
    """

    url: str
    sites: dict[UUID, SiteData]
    accounts: dict[UUID, Row]
    platform: dict[str, list[Row]]
    rank: dict[str, int]

    def site(self, slug: str) -> SiteData:
        """The site with this slug."""
        return next(site for site in self.sites.values() if site.row["slug"] == slug)

    def matches(self, query: str) -> dict[UUID, Rank]:
        """Every item anywhere that these words match, and how well: Postgres says so, row by row."""
        if query not in self._found:
            with psycopg.connect(self.url) as connection:
                rows = [
                    row
                    for site in self.sites.values()
                    for row in connection.execute(
                        sql.SQL(MATCHES).format(sql.Identifier(site.row["schema_name"])), {"query": query}
                    )
                ]
            self._found[query] = {id_: Rank(text) for id_, text in rows}
        return self._found[query]

    @cached_property
    def _found(self) -> dict[str, dict[UUID, Rank]]:
        return {}


def load(url: str) -> World:
    """Reads all of it."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        connection.execute("SET timezone TO 'UTC'")

        def table(schema: str, name: str) -> list[Row]:
            text = sql.SQL("SELECT * FROM {}.{}").format(sql.Identifier(schema), sql.Identifier(name))
            return connection.execute(text).fetchall()

        sites = {
            row["id"]: SiteData(row, **{name: table(row["schema_name"], name) for name in TABLES})
            for row in table("platform", "tenant")
        }
        accounts = {row["id"]: row for row in table("platform", "account")}
        platform = {name: table("platform", name) for name in PLATFORM_TABLES}
        texts = {row["title"] for site in sites.values() for row in site.content}
        texts |= {row["name"] for site in sites.values() for row in (site.row, *site.group)}
        ordered = [row["text"] for row in connection.execute(TEXTS, (sorted(texts),))]
    return World(url, sites, accounts, platform, {text: number for number, text in enumerate(ordered)})


def iso(moment: datetime) -> str:
    """A moment as Postgres writes it in JSON: in UTC, microseconds without trailing zeros."""
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else "") + "+00:00"
