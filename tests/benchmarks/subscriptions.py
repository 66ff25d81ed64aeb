"""What subscriptions cost: memory of many that are quiet, and how soon an event has reached everybody.

Promises: the server is `plein serve` in a process of its own, the clients are another; an event is a mutation over HTTP
by a member, and it counts from before that request until the last client has it. Both processes share this machine's
monotonic clock, so the times can be compared.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from auth.accounts import create_account, link_identity
from auth.issuer import DEVELOPMENT_ISSUER, DevelopmentIssuer
from auth.policy import Role
from schema.relay import NodeId, encode_id
from tenants.database import Database
from tenants.ids import uuid7
from tenants.settings import DatabaseSettings
from tenants.site_tables import Member, MembershipWindow
from tenants.tables import table_of
from tests.benchmarks import servers
from tests.benchmarks.rounds import ask
from tests.benchmarks.square import Estate
from tests.benchmarks.usage import cpu_seconds, family_cpu_seconds, resident_bytes

QUERY = """subscription ($site: ID!) {
  contentChanged(site: $site) {
    action contentId cursor content { title excerpt publishedAt author { account { name } } }
  }
}"""
PUBLISH = "mutation ($input: CreateContentInput!) { createContent(input: $input) { content { id } } }"
ROLES = (Role.MEMBER, Role.MEMBER, Role.MEMBER, Role.MODERATOR, Role.EDITOR, Role.ADMIN)
SETTLE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Following:
    """So many subscribers of so many accounts: what one holds in memory, and how long an event took in each try.

    `held_bytes` is what the server's process held more than before; the times are from before the mutation was sent.
    """

    subscribers: int
    accounts: int
    held_bytes: int
    total_bytes: int
    last_ms: tuple[float, ...]
    server_cpu_ms: float
    postgres_cpu_ms: float

    @property
    def median_ms(self) -> float:
        """The middle one of the times until the last subscriber had the event."""
        return median(self.last_ms)


def measure_subscriptions(
    server: servers.Server, url: str, postgres_pid: int, estate: Estate, counts: tuple[tuple[int, int], ...], tries: int
) -> list[Following]:
    """One after the other: (subscribers, accounts) on the largest site, then so many events."""
    accounts = max(each for _, each in counts)
    people = asyncio.run(_add_members(url, estate, accounts))
    tokens = [DevelopmentIssuer(servers.SECRET).mint(str(each)).text for each in people]
    site = encode_id(NodeId("S", UUID(int=0), estate.sites[0].ref.id))
    found = []
    for subscribers, several in counts:
        found.append(_measure(server, postgres_pid, site, tokens[:several], subscribers, tries))
    return found


def _measure(
    server: servers.Server, postgres_pid: int, site: str, tokens: list[str], subscribers: int, tries: int
) -> Following:
    publish: Mapping[str, Any] = {
        "input": {"site": site, "kind": "BLOG", "title": "Een bericht", "body": "Voor iedereen. " * 20}
    }
    ask(server, PUBLISH, publish)  # so that nothing is compiled or planned for the first time
    before = resident_bytes(server.pid)
    with _followers(server, site, tokens, subscribers) as followers:
        time.sleep(SETTLE_SECONDS)
        held = resident_bytes(server.pid)
        last_ms = []
        _publish(server, followers, publish)
        used = cpu_seconds(server.pid), family_cpu_seconds(postgres_pid)
        for _ in range(tries):
            last_ms.append(_publish(server, followers, publish))
        spent = cpu_seconds(server.pid) - used[0], family_cpu_seconds(postgres_pid) - used[1]
    cpu_ms = [each * 1000 / tries for each in spent]
    return Following(subscribers, len(tokens), held - before, held, tuple(last_ms), *cpu_ms)


def _publish(server: servers.Server, followers: subprocess.Popen[str], publish: Mapping[str, Any]) -> float:
    """Milliseconds from before the mutation until the last subscriber has it."""
    assert followers.stdin is not None
    assert followers.stdout is not None
    began = time.perf_counter()
    ask(server, PUBLISH, publish)
    followers.stdin.write("next\n")
    followers.stdin.flush()
    heard = json.loads(followers.stdout.readline())
    return float(heard["heard_at"] - began) * 1000


@contextmanager
def _followers(
    server: servers.Server, site: str, tokens: list[str], subscribers: int
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", "-m", "tests.benchmarks.followers"]
    process = subprocess.Popen(
        command,
        cwd=servers.ROOT,
        env={"PYTHONPATH": str(servers.ROOT)},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        asked = {
            "address": [servers.HOST, server.port],
            "tokens": tokens,
            "count": subscribers,
            "query": QUERY,
            "variables": {"site": site},
        }
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == {"subscribed": subscribers}
        yield process
    finally:
        process.kill()
        process.wait()


async def _add_members(url: str, estate: Estate, count: int) -> list[UUID]:
    """New members of the largest site, of several roles, and of no group."""
    site, people = estate.sites[0].ref, [uuid7() for _ in range(count)]
    database = Database(DatabaseSettings(url))
    await database.open()
    try:
        async with database.transaction(None) as tx:
            for each in people:
                await create_account(tx, "Volger", f"{each}@example.org", account_id=each)
                await link_identity(tx, each, DEVELOPMENT_ISSUER, str(each))
        now = datetime.now(UTC)
        rows = [
            {"account_id": each, "role": int(ROLES[number % len(ROLES)]), "joined_at": now}
            for number, each in enumerate(people)
        ]
        async with database.transaction(site) as tx:
            await tx.execute(insert(table_of(Member)), rows)
            index = [row | {"tenant_id": site.id, "group_ids": []} for row in rows]
            await tx.execute(insert(table_of(MembershipWindow)), index)
    finally:
        await database.close()
    return people
