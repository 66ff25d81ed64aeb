"""Sessions as their owner sees and ends them in the API, by the cookie of one of them."""

from __future__ import annotations

from typing import Any

from gateway.app import Gateway
from schema.relay import PLATFORM_ID, NodeId, encode_id
from tests.gateway.pages.signed_in import new_account, sign_in
from tests.gateway.pages.visitor import Visitor

LIST = """{ viewer { account { sessions { totalCount edges { node {
    id isCurrent device address methods createdAt authenticatedAt lastSeenAt } } } } } }"""
REVOKE = "mutation ($id: ID!) { revokeSession(input: {id: $id}) { revokedId } }"
OTHERS = "mutation ($keep: ID) { revokeOtherSessions(input: {keep: $keep}) { count } }"


async def listed(visitor: Visitor) -> list[dict[str, Any]]:
    answer = await visitor.ask(LIST)
    return [edge["node"] for edge in answer["data"]["viewer"]["account"]["sessions"]["edges"]]


async def is_signed_in(visitor: Visitor) -> bool:
    answer = await visitor.ask("{ viewer { account { id } } }")
    return answer["data"]["viewer"]["account"] is not None


async def test_ones_sessions_are_listed_and_one_of_them_is_this(door: Gateway) -> None:
    anna, bram = await new_account(door, "Anna"), await new_account(door, "Bram")
    here, there, elsewhere = (Visitor(door) for _ in range(3))
    mine = await sign_in(door, here, anna)
    await sign_in(door, there, anna)
    theirs = await sign_in(door, elsewhere, bram)
    found = await listed(here)
    assert len(found) == 2
    (current,) = [each for each in found if each["isCurrent"]]
    assert current["id"] == encode_id(NodeId("N", PLATFORM_ID, mine))
    assert (current["device"], current["address"], current["methods"]) == ("Test", "192.0.2.7", ["pwd"])
    assert current["createdAt"] <= current["lastSeenAt"]
    node = "query ($id: ID!) { node(id: $id) { ... on Session { device } } }"
    assert (await here.ask(node, {"id": current["id"]}))["data"]["node"] == {"device": "Test"}
    foreign = {"id": encode_id(NodeId("N", PLATFORM_ID, theirs))}
    assert (await here.ask(node, foreign))["data"]["node"] is None
    refused = await here.ask(REVOKE, foreign)
    assert refused["errors"][0]["extensions"] == {"code": "NOT_FOUND", "field": "input.id"}
    assert await is_signed_in(elsewhere)


async def test_nothing_by_which_one_comes_in_can_be_asked_for(door: Gateway) -> None:
    here = Visitor(door)
    await sign_in(door, here, await new_account(door))
    for secret in ("tokenHash", "token", "sid", "subject"):
        answer = await here.ask(f"{{ viewer {{ account {{ sessions {{ edges {{ node {{ {secret} }} }} }} }} }} }}")
        assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_one_is_ended_and_then_this_one(door: Gateway) -> None:
    anna, here, there = await new_account(door), Visitor(door), Visitor(door)
    mine, other = await sign_in(door, here, anna), await sign_in(door, there, anna)
    assert await is_signed_in(there)
    ids = {each: encode_id(NodeId("N", PLATFORM_ID, each)) for each in (mine, other)}
    ended = await here.ask(REVOKE, {"id": ids[other]})
    assert ended["data"]["revokeSession"] == {"revokedId": ids[other]}
    assert not await is_signed_in(there)
    again = await here.ask(REVOKE, {"id": ids[other]})
    assert again["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    await here.ask(REVOKE, {"id": ids[mine]})
    assert not await is_signed_in(here)


async def test_all_others_are_ended(door: Gateway) -> None:
    anna, here = await new_account(door), Visitor(door)
    mine = await sign_in(door, here, anna)
    others = [Visitor(door) for _ in range(3)]
    for each in others:
        await sign_in(door, each, anna)
    assert (await here.ask(OTHERS))["data"]["revokeOtherSessions"] == {"count": 3}
    assert [await is_signed_in(each) for each in (here, *others)] == [True, False, False, False]
    assert (await here.ask(OTHERS))["data"]["revokeOtherSessions"] == {"count": 0}
    keep = {"keep": encode_id(NodeId("N", PLATFORM_ID, mine))}
    assert (await here.ask(OTHERS, keep))["data"]["revokeOtherSessions"] == {"count": 0}
    foreign = await sign_in(door, Visitor(door), await new_account(door))
    refused = await here.ask(OTHERS, {"keep": encode_id(NodeId("N", PLATFORM_ID, foreign))})
    assert refused["errors"][0]["extensions"] == {"code": "NOT_FOUND", "field": "input.keep"}
    assert await is_signed_in(here)


async def test_a_key_sees_and_ends_no_session(door: Gateway) -> None:
    anna, here = await new_account(door), Visitor(door)
    mine = await sign_in(door, here, anna)
    made = await here.ask('mutation { createApiKey(input: {name: "x", scopes: [ADMIN]}) { secret } }')
    bearer = {"authorization": f"Bearer {made['data']['createApiKey']['secret']}"}
    told = await here.ask(LIST, **bearer)
    assert "192.0.2.7" not in str(told)
    refused = await here.ask(REVOKE, {"id": encode_id(NodeId("N", PLATFORM_ID, mine))}, **bearer)
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert await is_signed_in(here)


async def test_another_page_ends_nothing(door: Gateway) -> None:
    here = Visitor(door)
    await sign_in(door, here, await new_account(door))
    answer = await here.ask(OTHERS, origin="https://evil.example")
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert await is_signed_in(here)
