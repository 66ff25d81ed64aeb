"""The limit on connections of one caller that last, whichever way they came, and rates on what is asked over them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx

from tenants.database import Database
from tests.conftest import ProvisionSite
from tests.gateway.live.running import Running, running_gateway
from tests.gateway.live.test_over_sse import STREAM, TOKEN, WHO
from tests.gateway.live.test_over_websocket import INIT, closed
from tests.gateway.live.test_subscriptions import CHANGED
from tests.gateway.mutations.door import Person, id_of


async def statuses(live: Running, who: Person) -> tuple[int, int]:
    """What a stream of one operation is answered with, and what a reservation is."""
    bearer = {"authorization": f"Bearer {who.token}"}
    distinct = await live.client.post("/graphql", json={"query": WHO}, headers=STREAM | bearer)
    reserved = await live.client.put("/graphql", headers=bearer)
    return distinct.status_code, reserved.status_code


async def test_a_caller_has_so_many_at_once_and_no_more(
    square_database: str, database: Database, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    async with running_gateway(square_database, tmp_path, database, provision_site, PLEIN_LIMIT_STREAMS="3") as live:
        site, owner = await live.site()
        bearer = {"authorization": f"Bearer {owner.token}"}
        token = (await live.client.put("/graphql", headers=bearer)).text
        async with live.socket(owner), live.events(owner, CHANGED, site=id_of("S", site)):
            assert await statuses(live, owner) == (429, 429)
            refused = await live.client.put("/graphql", headers=bearer)
            assert refused.headers["retry-after"] == "1"
            message = "Limit `streams` exceeded: at most 3 WebSockets and event streams of one caller at once."
            assert refused.json()["errors"] == [{"message": message, "extensions": {"code": "RATE_LIMITED"}}]
            async with live.raw_socket() as raw:
                payload = {"authorization": f"Bearer {owner.token}"}
                await raw.send(json.dumps(INIT | {"payload": payload}))
                assert await closed(raw) == (1013, message)
            assert await statuses(live, await live.person()) == (200, 201)  # others are not held up
        await live.followed(0)
        async with live.client.stream("GET", "/graphql", headers=STREAM | bearer | {TOKEN: token}) as response:
            assert response.status_code == 200  # it was counted when it was reserved
            assert await statuses(live, owner) == (200, 201)
        for _ in range(20):  # each ends, and nothing is left of it
            ended = await live.client.post("/graphql", json={"query": WHO}, headers=STREAM | bearer)
            assert ended.status_code == 200


async def test_what_is_asked_over_a_socket_is_paid_for(
    square_database: str, database: Database, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    rate = {"PLEIN_RATE_ACCOUNT": "30", "PLEIN_LIMIT_NODES": "20"}
    async with running_gateway(square_database, tmp_path, database, provision_site, **rate) as live:
        _, owner = await live.site()
        async with live.socket(owner) as socket:
            kinds = []
            for _ in range(60):
                await socket.subscribe("{ viewer { __typename } }")
                message = await socket.hear()
                kinds.append(message["type"])
                if message["type"] == "error":
                    assert message["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
                    break
                assert (await socket.hear())["type"] == "complete"
        assert 30 <= kinds.count("next") <= 33
        assert kinds[-1] == "error"


async def _key(live: Running, who: Person) -> str:
    secret: str = (await live.change(who, "createApiKey", "secret", name="Robot", scopes=["READ"]))["secret"]
    return secret


async def test_one_key_does_not_use_up_what_its_account_may(
    square_database: str, database: Database, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    rates = {"PLEIN_RATE_KEY": "30", "PLEIN_RATE_ACCOUNT": "1000", "PLEIN_LIMIT_NODES": "20"}
    async with running_gateway(square_database, tmp_path, database, provision_site, **rates) as live:
        who = await live.person()
        greedy, modest = await _key(live, who), await _key(live, who)

        async def asked(token: str) -> httpx.Response:
            headers = {"authorization": f"Bearer {token}"}
            return await live.client.post("/graphql", json={"query": "{ __typename }"}, headers=headers)

        answers = [await asked(greedy) for _ in range(40)]
        assert 30 <= [each.status_code for each in answers].count(200) <= 33
        assert answers[-1].status_code == 429
        message = "Rate of this key exceeded: 30 in 60 seconds; this costs 1."
        assert answers[-1].json()["errors"] == [{"message": message, "extensions": {"code": "RATE_LIMITED"}}]
        assert answers[-1].headers["ratelimit-policy"] == '"key";q=30;w=60'
        async with live.socket(Person(who.id, greedy)) as socket:
            await socket.subscribe("{ __typename }")
            assert (await socket.hear())["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        answer = await asked(modest)
        assert (answer.status_code, answer.headers["ratelimit-policy"]) == (
            200,
            '"key";q=30;w=60, "account";q=1000;w=60',
        )
        rest = re.fullmatch(r'"key";r=(\d+);t=\d+, "account";r=(\d+);t=\d+', answer.headers["ratelimit"])
        assert rest is not None
        assert 27 <= int(rest[1]) <= 30
        assert 900 <= int(rest[2]) <= 975  # both keys and whoever made them spent of it
        answer = await asked(who.token)
        assert (answer.status_code, answer.headers["ratelimit-policy"]) == (200, '"account";q=1000;w=60')
