"""GraphQL over server-sent events, both ways of it, as bytes on the wire."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from auth.issuer import DevelopmentIssuer
from tenants.database import Database
from tests.conftest import ProvisionSite
from tests.gateway.live.running import Events, Running, running_gateway
from tests.gateway.live.test_subscriptions import CHANGED
from tests.gateway.mutations.door import SECRET, Person, id_of
from tests.gateway.mutations.test_content import item, published

STREAM = {"accept": "text/event-stream"}
TOKEN = "x-graphql-event-stream-token"
WHO = "{ viewer { account { name } } }"


async def body_of(live: Running, query: str, **headers: str) -> httpx.Response:
    return await live.client.post("/graphql", json={"query": query}, headers=STREAM | headers)


async def test_events_are_framed_as_the_standard_says(live: Running) -> None:
    answer = await body_of(live, WHO)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]
    opened, result, complete, end = answer.content.split(b"\n\n")
    assert (opened, complete, end) == (b":", b"event: complete\ndata: ", b"")
    kind, _, data = result.partition(b"\ndata: ")
    assert (kind, json.loads(data)) == (b"event: next", {"data": {"viewer": {"account": None}}})


@pytest.mark.parametrize(
    ("accept", "streams"),
    [
        ("text/event-stream", True),
        ("text/*", True),
        ("text/event-stream, application/json", True),
        ("application/json;q=0.5, text/event-stream", True),
        ("application/json, text/event-stream", False),
        ("text/event-stream;q=0.5, application/json", False),
        ("text/event-stream;q=0, */*", False),
        ("*/*", False),
    ],
)
async def test_a_stream_is_for_who_prefers_it(live: Running, accept: str, streams: bool) -> None:
    answer = await live.client.post("/graphql", json={"query": WHO}, headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream") == streams


async def test_a_subscription_needs_a_stream(live: Running) -> None:
    site, _ = await live.site()
    body = await live.ask(None, CHANGED, site=id_of("S", site))
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "text/event-stream" in error["message"]


async def test_faults_of_an_operation_come_on_the_stream_and_those_of_the_request_do_not(live: Running) -> None:
    for query, code in (("{", "GRAPHQL_PARSE_FAILED"), ("{ nothing }", "GRAPHQL_VALIDATION_FAILED")):
        answer = await body_of(live, query)
        first, second = [each for each in answer.text.split("\n\n") if each.strip(":\n")]
        assert (answer.status_code, second) == (200, "event: complete\ndata: ")
        assert json.loads(first.split("data: ")[1])["errors"][0]["extensions"]["code"] == code
    site = id_of("S", (await live.site())[0])[:-1] + "x"
    async with live.events(None, CHANGED, site=site) as events:
        heard = await events.hear()
        assert heard is not None
        assert json.loads(heard["data"])["errors"][0]["extensions"] == {"code": "NOT_FOUND", "field": "site"}
        assert (await events.hear() or {})["event"] == "complete"
        assert await events.hear() is None
    assert (await body_of(live, WHO, authorization="Bearer nonsense")).status_code == 401
    for body, kind, status in (
        (b"[]", "application/json", 400),
        (b"{", "application/json", 400),
        (b"x", "text/plain", 415),
    ):
        answer = await live.client.post("/graphql", content=body, headers=STREAM | {"content-type": kind})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json; charset=utf-8")


async def test_a_browsers_own_event_source_can_subscribe(live: Running) -> None:
    """It sends GET, and on its own the last event's id."""
    site, owner = await live.site()
    query = CHANGED.replace("$site", "$s")
    address = httpx.QueryParams({"query": query, "variables": json.dumps({"s": id_of("S", site)})})
    async with live.client.stream("GET", f"/graphql?{address}", headers=STREAM) as response:
        events = Events(response)
        await live.followed(1)
        first = await published(live, owner, site, access="PUBLIC")
        heard = await events.hear()
        assert heard is not None
        told = json.loads(heard["data"])["data"]["contentChanged"]
        assert (heard["event"], heard["id"], told["contentId"]) == ("next", told["cursor"], first)
    missed = await published(live, owner, site, access="PUBLIC")
    async with live.client.stream(
        "GET", f"/graphql?{address}", headers=STREAM | {"last-event-id": heard["id"]}
    ) as again:
        assert (await Events(again).next())["contentChanged"]["contentId"] == missed
    await live.followed(0)
    refused = await live.client.get("/graphql", params={"query": "mutation { __typename }"}, headers=STREAM)
    assert refused.status_code == 405


async def test_texts_with_line_breaks_stay_in_one_line(live: Running) -> None:
    site, owner = await live.site()
    content = "content { body comments { edges { node { body } } } }"
    query = f"subscription ($site: ID!) {{ contentChanged(site: $site) {{ {content} }} }}"
    async with live.events(owner, query, site=id_of("S", site)) as events:
        await live.followed(1)
        body = "een\r\ntwee\u2028drie\n\nevent: next\ndata: {}\n\n"
        content = await published(live, owner, site, body=body)
        assert (await events.next())["contentChanged"]["content"]["body"] == body
        for _ in range(2):
            await live.change(owner, "addComment", "__typename", subject=content, body=body)
        await live.change(owner, "updateContent", "__typename", id=content, version=1, title="x")
        told = (await events.next())["contentChanged"]["content"]
        assert [each["node"]["body"] for each in told["comments"]["edges"]] == [body, body]


async def test_heartbeats_token_expiry_and_the_end_of_the_server(
    square_database: str, database: Database, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    async with running_gateway(
        square_database, tmp_path, database, provision_site, PLEIN_HEARTBEAT_SECONDS="1"
    ) as live:
        site, owner = await live.site()
        short = Person(owner.id, DevelopmentIssuer(SECRET).mint(str(owner.id), lifetime_seconds=3).text)
        async with live.events(short, CHANGED, site=id_of("S", site)) as events:
            lines = []
            async with asyncio.timeout(8):
                async for line in events.lines:
                    lines.append(line)
            assert lines.count(":") >= 2
            body, end = [each for each in "\n".join(lines).split("\n\n") if each.strip(":\n")]
            assert json.loads(body.split("data: ")[1])["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            assert end.startswith("event: complete")
        async with live.events(owner, CHANGED, site=id_of("S", site)) as events:
            await live.followed(1)
            live.server.should_exit = True
            assert await events.hear(5) is None  # and no `complete`: clients come back


async def operate(
    live: Running, token: str, who: Person | None, id_: Any, query: str, **variables: Any
) -> httpx.Response:
    headers = {TOKEN: token} | ({"authorization": f"Bearer {who.token}"} if who else {})
    body = {"query": query, "variables": variables, "extensions": {"operationId": id_}}
    return await live.client.post("/graphql", json=body, headers=headers)


async def test_several_operations_on_one_stream(live: Running) -> None:
    site, owner = await live.site()
    bearer = {"authorization": f"Bearer {owner.token}"}
    reserved = await live.client.put("/graphql", headers=bearer)
    assert reserved.status_code == 201
    token = reserved.text
    assert (await operate(live, token, owner, "q", WHO)).status_code == 202  # before it is opened: it waits
    async with live.client.stream("GET", "/graphql", headers=STREAM | bearer | {TOKEN: token}) as response:
        assert response.status_code == 200
        events = Events(response)
        heard = await events.hear()
        assert heard is not None
        assert json.loads(heard["data"]) == {"id": "q", "payload": {"data": {"viewer": {"account": {"name": "Anna"}}}}}
        assert json.loads((await events.hear() or {})["data"]) == {"id": "q"}
        second = await live.client.get("/graphql", headers=STREAM | bearer | {TOKEN: token})
        assert second.status_code == 409
        for id_ in ("a", "b"):
            assert (await operate(live, token, owner, id_, CHANGED, site=id_of("S", site))).status_code == 202
        await live.followed(2)
        assert (await operate(live, token, owner, "a", WHO)).status_code == 409
        content = await published(live, owner, site)
        told = [json.loads((await events.hear() or {})["data"]) for _ in range(2)]
        assert {each["id"] for each in told} == {"a", "b"}
        assert {each["payload"]["data"]["contentChanged"]["contentId"] for each in told} == {content}
        stopped = await live.client.delete("/graphql", params={"operationId": "a"}, headers=bearer | {TOKEN: token})
        assert stopped.status_code == 200
        await live.followed(1)
        missing = id_of("S", site)[:-1] + "x"
        assert (await operate(live, token, owner, "c", CHANGED, site=missing)).status_code == 202
        failed = json.loads((await events.hear() or {})["data"])
        assert failed["payload"]["errors"][0]["extensions"]["code"] == "NOT_FOUND"
        assert json.loads((await events.hear() or {})["data"]) == {"id": "c"}
    await live.followed(0)
    assert (await operate(live, token, owner, "d", WHO)).status_code == 404


async def test_a_reserved_stream_is_its_owners_and_refuses_what_is_wrong(live: Running) -> None:
    owner, other = await live.person(), await live.person()
    token = (await live.client.put("/graphql", headers={"authorization": f"Bearer {owner.token}"})).text
    assert (await operate(live, token, other, "1", WHO)).status_code == 403
    assert (await operate(live, token, None, "1", WHO)).status_code == 403
    for id_ in (None, 3, "", "x" * 300):
        assert (await operate(live, token, owner, id_, WHO)).status_code == 400
    assert (await operate(live, token, owner, "1", "{")).status_code == 400
    assert (await operate(live, token, owner, "1", "{ nothing }")).status_code == 400
    assert (await operate(live, "nonsense", owner, "1", WHO)).status_code == 404
    assert (await live.client.delete("/graphql")).status_code == 400
    assert (await live.client.get("/graphql", headers=STREAM | {TOKEN: "nonsense"})).status_code == 404


async def test_mutations_by_event_stream(live: Running) -> None:
    site, owner = await live.site()
    query = "mutation ($input: CreateContentInput!) { createContent(input: $input) { content { title } } }"
    async with live.events(owner, query, input={"site": id_of("S", site), **item("WIKI")}) as events:
        assert (await events.next())["createContent"]["content"] == {"title": "Een wiki"}
        assert (await events.hear() or {})["event"] == "complete"


async def test_a_page_of_another_origin_may_listen_if_it_may_read(live: Running) -> None:
    page = {"origin": "http://localhost:3000"}
    asked = page | {"access-control-request-method": "PUT", "access-control-request-headers": f"authorization,{TOKEN}"}
    preflight = await live.client.options("/graphql", headers=asked)
    assert {"PUT", "DELETE"} <= set(preflight.headers["access-control-allow-methods"].split(", "))
    for answer in (await body_of(live, WHO, **page), await live.client.put("/graphql", headers=page)):
        assert answer.headers["access-control-allow-origin"] == page["origin"]
    foreign = await body_of(live, WHO, origin="https://elsewhere.example")
    assert "access-control-allow-origin" not in foreign.headers
