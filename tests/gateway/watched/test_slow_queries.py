"""Slow statements: told with what they are part of and with their plan, and not too often."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from gateway.telemetry import slow
from gateway.telemetry.normal import normal_document, normal_sql
from gateway.telemetry.slow import SlowStatements
from tenants.registry import TenantRef
from tenants.watch import Asked, Ran
from tests.conftest import ProvisionSite
from tests.gateway.watched.square import Watched, watched

LOGGER = "plein.slow"


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record)["fields"] for record in caplog.records if record.name == LOGGER and hasattr(record, "fields")]


async def ask_behind_a_lock(square: Watched, url: str, site: TenantRef, held_s: float = 0.3) -> None:
    """An operation whose statement has to wait for somebody who holds the table."""
    lock = sql.SQL("LOCK TABLE {}.content").format(sql.Identifier(site.schema_name))
    async with await psycopg.AsyncConnection.connect(url) as holder:
        await holder.execute(lock)
        asking = asyncio.create_task(square.ask(slug=site.slug))
        await asyncio.sleep(held_s)
        await holder.rollback()
        assert (await asking).status_code == 200


async def test_a_slow_statement_is_told_with_its_plan(
    square_database: str, provision_site: ProvisionSite, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = await provision_site()
    caplog.set_level(logging.INFO, LOGGER)
    async with watched(square_database, tmp_path, PLEIN_SLOW_QUERY_MS="200") as square:
        await ask_behind_a_lock(square, square_database, site)
        async with asyncio.timeout(10):
            while len(told(caplog)) < 2:  # noqa: ASYNC110 - it comes beside, and nobody is told
                await asyncio.sleep(0.02)
        assert len(told(caplog)) == 2
        await ask_behind_a_lock(square, square_database, site)
        await asyncio.sleep(0.1)
    statement, plan, again = told(caplog)
    assert (statement["operation"], statement["site"]) == ("Front", site.slug)
    assert statement["took_ms"] >= 200
    assert "FROM site.content" in statement["sql"]
    assert "'" not in statement["sql"]
    assert plan["statement"] == again["statement"] == statement["statement"]
    assert (plan["operation"], plan["site"]) == ("Front", site.slug)
    assert "cost=" in plan["plan"]
    assert " on content" in plan["plan"]


async def test_a_quick_statement_behind_a_slow_one_is_not_slow(
    square_database: str, provision_site: ProvisionSite, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They share a connection: the second one waits, and the wait is not its own."""
    locked, free = await provision_site(), await provision_site()
    caplog.set_level(logging.INFO, LOGGER)
    async with watched(square_database, tmp_path, PLEIN_SLOW_QUERY_MS="200") as square:
        await square.ask(slug=locked.slug)
        await square.ask(slug=free.slug)

        async def behind() -> None:
            await asyncio.sleep(0.05)
            await square.ask(slug=free.slug)

        await asyncio.gather(ask_behind_a_lock(square, square_database, locked), behind())
    assert {fields["site"] for fields in told(caplog) if "sql" in fields} == {locked.slug}


async def test_nothing_is_slow_where_it_is_off(
    square_database: str, provision_site: ProvisionSite, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = await provision_site()
    async with watched(square_database, tmp_path, PLEIN_SLOW_QUERY_MS="0") as square:
        assert square.gateway.telemetry.watch is None
        await ask_behind_a_lock(square, square_database, site)
    assert told(caplog) == []


async def test_a_flood_is_counted_and_not_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow, "LINES_S", 0.05)
    statements = SlowStatements("")
    watch: Any = None
    ran = Ran("SELECT 'x', 1", 0, Asked(watch, None, 0.0), 0.0, 2.0)
    for _ in range(slow.LINES_MOST + 30):
        statements.tell(ran)
    assert len(told(caplog)) == slow.LINES_MOST
    await asyncio.sleep(0.1)
    statements.tell(ran)
    assert told(caplog)[-1]["left_out"] == 30
    assert told(caplog)[-1]["sql"] == "SELECT ?, ?"


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("SELECT 'it''s', 12.5, $1::INT\n FROM  x1", "SELECT ?, ?, $1::INT FROM x1"),
        ('SELECT 1 FROM "t_0123456789abcdef".content_1', "SELECT ? FROM site.content_1"),
        ("SELECT t_0123456789abcdef.a LIMIT 20", "SELECT site.a LIMIT ?"),
    ],
)
def test_sql_without_literals(text: str, normal: str) -> None:
    assert normal_sql(text) == normal


def test_a_document_without_literals() -> None:
    from graphql import parse  # noqa: PLC0415

    text = """
      query Q($a: String = "secret", $n: Int) { # a comment
        one: f(s: "secret", n: 12, x: 1.5, e: ENUM, b: true, l: ["secret"], o: {k: "secret", v: $a}) {
          g(first: $n, l: [1, $n]) @include(if: $b) { id }
        }
      }
    """
    normal = normal_document(parse(text))
    assert "secret" not in normal
    assert "comment" not in normal
    assert "one: f(s: ?, n: ?, x: ?, e: ENUM, b: true, l: ?, o: { k: ?, v: $a })" in " ".join(normal.split())
    assert "g(first: $n, l: [?, $n]) @include(if: $b)" in normal
    assert normal == normal_document(parse(text.replace("secret", "another").replace("12", "13")))
