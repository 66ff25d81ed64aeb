"""Answers in parts over HTTP, event streams and WebSocket: as bytes, beside slow sites and closed ones."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from schema.relay import PLATFORM_ID, NodeId, encode_id
from tenants.database import Database
from tenants.platform_tables import Tenant
from tenants.registry import TenantRef
from tenants.site_tables import Member
from tenants.tables import table_of
from tests.conftest import ProvisionSite
from tests.gateway.live.running import Running, running_gateway
from tests.gateway.mutations.door import Person
from tests.gateway.mutations.test_content import published
from tests.wire.node import require_packages, run_script

PACKAGES = {
    "@apollo/client": "4.3.8",
    "@urql/core": "6.0.3",
    "graphql": "16.12.0",
    "graphql-sse": "2.6.0",
    "graphql-ws": "6.0.6",
    "meros": "1.3.2",
    "rxjs": "7.8.2",
    "ws": "8.18.3",
}
MULTIPART = "multipart/mixed;incrementalSpec=v0.2, application/graphql-response+json, application/json;q=0.9"
COUNTS = '{ viewer { sites { edges { node { name ... @defer(label: "c") { memberCount } } } } } }'
SOON_S = 30.0
WAITING = """
    SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'plein reader'
    AND datname = current_database()
"""


@dataclass(frozen=True)
class Estate:
    """Somebody with sites of their own, by name."""

    owner: Person
    sites: dict[str, TenantRef]


async def estate(live: Running, *names: str) -> Estate:
    owner = await live.person()
    sites = {
        name: await live.provision_site(f"s{secrets.token_hex(6)}", owner_account_id=owner.id, name=name)
        for name in names
    }
    return Estate(owner, sites)


@asynccontextmanager
async def hung(live: Running, site: TenantRef) -> AsyncIterator[None]:
    """While the block lasts, nobody can read who is a member of this site."""
    async with live.database.transaction(site) as tx:
        await tx.execute(update(table_of(Member)).values(role=Member.role))  # so that the role is allowed to lock it
        await tx.exec_driver_sql(f'LOCK TABLE "{site.schema_name}".member IN ACCESS EXCLUSIVE MODE')
        yield


class Parts:
    """The client's end of a multipart answer: parts as soon as their boundary is there."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._chunks = response.aiter_raw()
        self._held = b""

    async def next(self, timeout_s: float = SOON_S) -> dict[str, Any]:
        """The next part."""
        async with asyncio.timeout(timeout_s):
            while self._held.count(b"\r\n---") < (1 if self._held.startswith(b"\r\nContent-Type") else 2):
                self._held += await anext(self._chunks)
        part, _, self._held = self._held.removeprefix(b"\r\n---").partition(b"\r\n---")
        head, _, body = part.partition(b"\r\n\r\n")
        assert head == b"\r\nContent-Type: application/json; charset=utf-8"
        found: dict[str, Any] = json.loads(body)
        return found

    async def rest(self) -> list[dict[str, Any]]:
        """All parts that follow."""
        found = [await self.next()]
        while found[-1]["hasNext"]:
            found.append(await self.next())
        async with asyncio.timeout(SOON_S):
            async for chunk in self._chunks:
                self._held += chunk
        assert self._held == b"--\r\n"
        return found


@asynccontextmanager
async def asking(live: Running, who: Person | None, query: str, accept: str = MULTIPART) -> AsyncIterator[Parts]:
    headers = {"accept": accept} | ({"authorization": f"Bearer {who.token}"} if who else {})
    async with (
        httpx.AsyncClient(base_url=live.url, timeout=30) as client,
        client.stream("POST", "/graphql", json={"query": query}, headers=headers) as response,
    ):
        yield Parts(response)


async def post(live: Running, who: Person | None, query: str, accept: str, **more: str) -> httpx.Response:
    headers = {"accept": accept, **more} | ({"authorization": f"Bearer {who.token}"} if who else {})
    return await live.client.post("/graphql", json={"query": query}, headers=headers)


async def quiet(live: Running) -> None:
    """Wait until the reader has nothing to do."""
    async with asyncio.timeout(SOON_S):
        while live.square.reader.load.in_flight:  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0.01)


async def waiting_for_locks(live: Running, count: int) -> None:
    """Wait until so many statements of the gateway's wait for locks."""
    async with asyncio.timeout(SOON_S), live.database.transaction(None) as tx:
        while (await tx.exec_driver_sql(WAITING)).scalar_one() != count:  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0.05)


async def test_the_framing_to_the_byte(live: Running) -> None:
    one = await estate(live, "Een")
    answer = await post(live, one.owner, COUNTS, MULTIPART)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == 'multipart/mixed; boundary="-"; incrementalSpec=v0.2'
    assert answer.headers["cache-control"] == "no-store"
    assert "content-length" not in answer.headers
    assert "accept" in answer.headers["vary"]
    assert answer.headers["x-request-id"]
    assert answer.content == (
        b"\r\n---\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
        b'{"data":{"viewer":{"sites":{"edges":[{"node":{"name":"Een"}}]}}},'
        b'"pending":[{"id":"0","path":["viewer","sites","edges",0,"node"],"label":"c"}],"hasNext":true}'
        b"\r\n---\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
        b'{"incremental":[{"id":"0","data":{"memberCount":1}}],"completed":[{"id":"0"}],"hasNext":false}'
        b"\r\n-----\r\n"
    )


async def test_the_past_format_to_the_byte(live: Running) -> None:
    one = await estate(live, "Een")
    answer = await post(live, one.owner, COUNTS, "multipart/mixed;deferSpec=20220824,application/json")
    assert answer.headers["content-type"] == 'multipart/mixed; boundary="-"; deferSpec=20220824'
    assert answer.content == (
        b"\r\n---\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
        b'{"data":{"viewer":{"sites":{"edges":[{"node":{"name":"Een"}}]}}},"hasNext":true}'
        b"\r\n---\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
        b'{"incremental":[{"data":{"memberCount":1},"path":["viewer","sites","edges",0,"node"],"label":"c"}],'
        b'"hasNext":false}'
        b"\r\n-----\r\n"
    )


async def test_event_streams_carry_one_payload_in_each_event(live: Running) -> None:
    one = await estate(live, "Een")
    for accept in ("text/event-stream", "application/json, text/event-stream"):
        answer = await post(live, one.owner, COUNTS, accept)
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        events = [each for each in answer.content.decode().split("\n\n") if each not in {":", ""}]
        assert [each.partition("\n")[0] for each in events] == ["event: next", "event: next", "event: complete"]
        first, last = (json.loads(each.partition("data: ")[2]) for each in events[:2])
        assert (first["hasNext"], last["hasNext"]) == (True, False)
        assert last["incremental"] == [{"id": "0", "data": {"memberCount": 1}}]


async def test_a_socket_carries_one_payload_in_each_result(live: Running) -> None:
    two = await estate(live, "Een", "Twee")
    async with live.socket(two.owner) as socket:
        id_ = await socket.subscribe(COUNTS)
        heard = [await socket.hear()]
        while heard[-1]["type"] == "next":
            heard.append(await socket.hear())
        assert heard.pop() == {"id": id_, "type": "complete"}
        payloads = [each["payload"] for each in heard]
        assert len(payloads[0]["pending"]) == 2
        assert [each["hasNext"] for each in payloads][-1] is False
        assert sum(len(each.get("completed", ())) for each in payloads) == 2


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("multipart/mixed", "multipart/mixed"),
        ("application/json, multipart/mixed", "multipart/mixed"),
        ("application/json, multipart/mixed;q=0.9", "application/json"),
        ("application/json;q=0.5, multipart/mixed;q=0.5", "multipart/mixed"),
        ("application/json, text/event-stream, multipart/mixed", "text/event-stream"),
        ("application/json, multipart/mixed, text/event-stream", "multipart/mixed"),
        ("multipart/mixed;incrementalSpec=v9, application/json", "application/json"),
        ("multipart/mixed;subscriptionSpec=1.0, application/json", "application/json"),
        ("multipart/mixed;q=0, application/json", "application/json"),
        ("*/*", "application/json"),
        ("multipart/*, application/json", "application/json"),
    ],
)
async def test_parts_are_for_who_asks_for_them(live: Running, accept: str, media: str) -> None:
    one = await estate(live, "Een")
    answer = await post(live, one.owner, COUNTS, accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(media)
    if media == "application/json":
        edges = answer.json()["data"]["viewer"]["sites"]["edges"]
        assert edges == [{"node": {"name": "Een", "memberCount": 1}}]


async def test_who_takes_parts_only_gets_everything_in_them(live: Running) -> None:
    whole = await post(live, None, "{ viewer { account { name } } }", "multipart/mixed")
    assert whole.headers["content-type"].startswith('multipart/mixed; boundary="-"')
    assert whole.content == (
        b"\r\n---\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
        b'{"data":{"viewer":{"account" : null}}}\r\n-----\r\n'
    )
    wrong = await post(live, None, "{ nonsense }", "multipart/mixed")
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    unknown = await post(live, None, "{ viewer { account { name } } }", "multipart/mixed;incrementalSpec=v9")
    assert unknown.status_code == 406


@pytest.mark.parametrize(
    "query",
    [
        "{ viewer { ... @defer { account { name } } } }",  # one statement anyway
        "{ viewer { sites { edges { node { memberCount ... @defer { content { totalCount } } } } } } }",
        "{ viewer { sites { edges @stream { node { name } } } } }",
        "{ viewer { sites { edges { node { name ... @defer(if: false) { memberCount } } } } } }",
    ],
)
async def test_what_gains_nothing_comes_in_one_answer(live: Running, query: str) -> None:
    one = await estate(live, "Een")
    answer = await post(live, one.owner, query, MULTIPART)
    assert answer.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
    assert answer.json().keys() == {"data"}


async def test_a_slow_site_does_not_hold_up_the_others(live: Running) -> None:
    """Two connections, six sites, and the first of them hangs."""
    many = await estate(live, *"ABCDEF")
    async with hung(live, many.sites["A"]), asking(live, many.owner, COUNTS) as parts:
        first = await parts.next()
        ids = {notice["id"]: notice["path"][3] for notice in first["pending"]}
        assert sorted(ids.values()) == [0, 1, 2, 3, 4, 5]
        done: set[int] = set()
        while len(done) < 5:
            payload = await parts.next()
            done |= {ids[each["id"]] for each in payload["completed"]}
            assert payload["hasNext"]
        assert done == {1, 2, 3, 4, 5}


async def test_a_slow_site_comes_when_it_can(live: Running) -> None:
    two = await estate(live, "A", "B")
    async with asking(live, two.owner, COUNTS) as parts:
        async with hung(live, two.sites["A"]):
            pass
        payloads = [await parts.next(), *await parts.rest()]
    assert {id_["id"] for each in payloads[1:] for id_ in each["completed"]} == {"0", "1"}
    async with hung(live, two.sites["A"]):
        opened = asking(live, two.owner, COUNTS)
        parts = await opened.__aenter__()
        await parts.next()
        assert [each["id"] for each in (await parts.next())["completed"]] == ["1"]
    assert [each["id"] for each in (await parts.rest())[-1]["completed"]] == ["0"]
    await opened.__aexit__(None, None, None)


async def test_a_suspended_site_fails_for_itself(live: Running) -> None:
    two = await estate(live, "A", "B")
    async with live.database.transaction(None) as tx:
        table = table_of(Tenant)
        await tx.execute(update(table).where(table.c.id == two.sites["B"].id).values(state="SUSPENDED"))
    async with asking(live, two.owner, COUNTS) as parts:
        payloads = [await parts.next(), *await parts.rest()]
    assert "errors" not in payloads[0]
    done = {each["id"]: each.get("errors") for payload in payloads[1:] for each in payload["completed"]}
    assert done["0"] is None
    (error,) = done["1"]
    assert error["path"] == ["viewer", "sites", "edges", 1, "node", "memberCount"]
    assert error["extensions"]["code"] == "SITE_SUSPENDED"
    told = [each for payload in payloads[1:] for each in payload.get("incremental", ())]
    assert told == [{"id": "0", "data": {"memberCount": 1}}]


async def test_who_hangs_up_is_worked_for_no_more(live: Running) -> None:
    """Of eight sites the first two hang: the others are never asked, and what runs on these two is ended."""
    many = await estate(live, *"ABCDEFGH")
    asked: list[str | None] = []
    reader = live.square.reader
    fetch = reader.fetch

    def noting(statement: Any, *more: Any) -> Any:
        asked.append(statement.site)
        return fetch(statement, *more)

    async with hung(live, many.sites["A"]), hung(live, many.sites["B"]):
        reader.fetch = noting  # type: ignore[method-assign]
        try:
            async with asking(live, many.owner, COUNTS) as parts:
                assert len((await parts.next())["pending"]) == 8
                await waiting_for_locks(live, 2)
        finally:
            del reader.fetch  # type: ignore[attr-defined]
        await waiting_for_locks(live, 0)
        assert not [task for task in asyncio.all_tasks() if "Sources._run" in repr(task.get_coro())]
    await quiet(live)
    slugs = {many.sites[name].slug for name in "AB"}
    assert {each for each in asked if each is not None} == slugs


async def test_the_time_for_a_request_ends_it(
    square_database: str, database: Database, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    async with running_gateway(square_database, tmp_path, database, provision_site, PLEIN_LIMIT_TIME_MS="700") as live:
        two = await estate(live, "A", "B")
        async with hung(live, two.sites["A"]), asking(live, two.owner, COUNTS) as parts:
            payloads = [await parts.next(), *await parts.rest()]
        done = {each["id"]: each.get("errors") for payload in payloads[1:] for each in payload["completed"]}
        assert done["1"] is None
        (error,) = done["0"]
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "time_ms" in error["message"]
        assert error["path"] == ["viewer", "sites", "edges", 0, "node"]


async def test_an_answer_in_parts_counts_as_one_request_until_it_is_over(
    square_database: str, database: Database, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    async with running_gateway(
        square_database, tmp_path, database, provision_site, PLEIN_LIMIT_CONCURRENCY="1"
    ) as live:
        one = await estate(live, "A")
        async with hung(live, one.sites["A"]), asking(live, one.owner, COUNTS) as parts:
            await parts.next()
            beside = await live.ask(one.owner, "{ viewer { account { name } } }")
            assert beside["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        async with asyncio.timeout(SOON_S):
            while "errors" in await live.ask(one.owner, "{ viewer { account { name } } }"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_the_cost_is_told_with_the_first_part(live: Running) -> None:
    one = await estate(live, "A")
    headers = {"accept": MULTIPART, "authorization": f"Bearer {one.owner.token}", "plein-cost": "1"}
    in_parts = await live.client.post("/graphql", json={"query": COUNTS}, headers=headers)
    whole = await live.client.post("/graphql", json={"query": COUNTS}, headers=headers | {"accept": "application/json"})
    first = json.loads(in_parts.content.split(b"\r\n\r\n")[1].split(b"\r\n")[0])
    assert first["extensions"] == whole.json()["extensions"] == {"cost": {"nodes": 20}}


async def test_streamed_feed_comes_in_its_order_as_the_sites_answer(live: Running) -> None:
    two = await estate(live, "A", "B")
    for name in "ABAB":
        await published(live, two.owner, two.sites[name], title=f"van {name}")
    query = (
        '{ feed(first: 4) { edges @stream(initialCount: 1, label: "s") { node { title } } pageInfo { hasNextPage } } }'
    )
    async with asking(live, two.owner, query) as parts:
        first = await parts.next()
        assert first["data"]["feed"]["edges"] == [{"node": {"title": "van B"}}]
        assert first["pending"] == [{"id": "0", "path": ["feed", "edges"], "label": "s"}]
        items = [item for each in await parts.rest() for part in each.get("incremental", ()) for item in part["items"]]
    assert [item["node"]["title"] for item in items] == ["van A", "van B", "van A"]


async def test_streamed_nodes_come_as_their_sites_answer(live: Running) -> None:
    two = await estate(live, "A", "B")
    ids = [await published(live, two.owner, two.sites[name], title=name) for name in "AB"]
    ids = [encode_id(NodeId("S", PLATFORM_ID, two.sites["A"].id)), *ids, "nowhere"]
    query = (
        f"{{ nodes(ids: {json.dumps(ids)}) @stream {{ __typename ... on Site {{ name }} ... on Blog {{ title }} }} }}"
    )
    async with asking(live, two.owner, query) as parts:
        first = await parts.next()
        assert first["data"] == {"nodes": []}
        items = [item for each in await parts.rest() for part in each.get("incremental", ()) for item in part["items"]]
    site, *blogs = ({"__typename": "Site", "name": "A"}, *({"__typename": "Blog", "title": each} for each in "AB"))
    assert items == [site, *blogs, None]


@pytest.mark.parametrize("count", ["-1", "null"])
@pytest.mark.parametrize("accept", [MULTIPART, "application/json"])
async def test_a_wrong_initial_count_is_refused(live: Running, count: str, accept: str) -> None:
    query = f"{{ sites {{ edges @stream(initialCount: {count}) {{ cursor }} }} }}"
    answer = (await post(live, None, query, accept)).json()
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "field": "initialCount"}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ('{ ... @defer(label: "a") { site { id } } ... @defer(label: "a") { viewer { __typename } } }', "unique"),
        ("query ($l: String) { ... @defer(label: $l) { site { id } } }", "static"),
        ("{ viewer @stream { account { id } } }", "non-list"),
        ('mutation { ... @defer { joinSite(input: {site: "x"}) { member { id } } } }', "root mutation"),
        ('subscription { ... @defer { siteChanged(site: "x") { cursor } } }', "root subscription"),
    ],
)
async def test_the_rules_of_the_two_directives(live: Running, query: str, message: str) -> None:
    errors = (await post(live, None, query, "application/json")).json()["errors"]
    assert {each["extensions"]["code"] for each in errors} == {"GRAPHQL_VALIDATION_FAILED"}
    assert any(message in each["message"] for each in errors)


async def test_the_schema_tells_of_both(live: Running) -> None:
    query = "{ __schema { ... @defer { directives { name description args { name type { name } } } } } }"
    found = {each["name"]: each for each in (await live.ask(None, query))["data"]["__schema"]["directives"]}
    assert [each["name"] for each in found["defer"]["args"]] == ["if", "label"]
    assert [each["name"] for each in found["stream"]["args"]] == ["if", "label", "initialCount"]
    assert all(found[name]["description"] for name in ("defer", "stream"))


async def test_the_clients_everybody_uses(live: Running) -> None:
    """Each merges the parts to the answer that comes without; Apollo and urql show what is there before all is."""
    home = require_packages("parts", PACKAGES)
    three = await estate(live, "A", "B", "C")
    for name in "ABC":
        await published(live, three.owner, three.sites[name], title=f"van {name}")
    script = Path(__file__).with_name("parts.mjs")
    heard = await run_script(home, script, f"{live.url}/graphql", three.owner.token)
    assert heard.pop("shown") == {"apollo": True, "apollo, past": True, "urql": True}
    whole = heard.pop("whole")
    assert [each["node"]["content"]["edges"][0]["node"]["title"] for each in whole["viewer"]["sites"]["edges"]] == [
        "van A",
        "van B",
        "van C",
    ]
    assert heard == dict.fromkeys(
        ("apollo", "apollo, past", "urql", "meros", "graphql-ws", "graphql-sse", "graphql-sse, single"), whole
    )


@pytest.mark.parametrize("accept", [MULTIPART, "application/json"])
async def test_a_payload_of_a_mutation_comes_in_one_answer(live: Running, accept: str) -> None:
    site, owner = await live.site()
    given = f'id: "{encode_id(NodeId("S", PLATFORM_ID, site.id))}", version: 1, name: "Nieuw"'
    query = f"mutation {{ updateSite(input: {{{given}}}) {{ ... @defer {{ site {{ name }} }} }} }}"
    assert (await post(live, owner, query, accept)).json() == {"data": {"updateSite": {"site": {"name": "Nieuw"}}}}


async def test_requests_of_a_batch_come_whole(live: Running) -> None:
    one = await estate(live, "A")
    headers = {"accept": MULTIPART, "authorization": f"Bearer {one.owner.token}"}
    answer = await live.client.post("/graphql", json=[{"query": COUNTS}] * 2, headers=headers)
    whole = {"data": {"viewer": {"sites": {"edges": [{"node": {"name": "A", "memberCount": 1}}]}}}}
    assert answer.json() == [whole, whole]


async def test_get_and_head_of_parts(live: Running) -> None:
    one = await estate(live, "A")
    headers = {"accept": MULTIPART, "authorization": f"Bearer {one.owner.token}"}
    got = await live.client.get("/graphql", params={"query": COUNTS}, headers=headers)
    assert got.headers["content-type"].startswith("multipart/mixed")
    assert "etag" not in got.headers
    head = await live.client.head("/graphql", params={"query": COUNTS}, headers=headers)
    assert head.headers["content-type"].startswith("application/graphql-response+json")
    assert head.content == b""


async def test_a_socket_that_completes_is_worked_for_no_more(live: Running) -> None:
    many = await estate(live, *"ABCD")
    async with hung(live, many.sites["A"]), live.socket(many.owner) as socket:
        id_ = await socket.subscribe(COUNTS)
        assert (await socket.hear())["payload"]["hasNext"]
        await waiting_for_locks(live, 1)
        await socket.say(id=id_, type="complete")
        await waiting_for_locks(live, 0)
