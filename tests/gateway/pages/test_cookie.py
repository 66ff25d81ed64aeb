"""The session's cookie at the door: it counts for pages of the same origin only, on every transport."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.app import Gateway
from tests.gateway.pages.signed_in import new_account, sign_in
from tests.gateway.pages.visitor import Visitor

WHO = "{ viewer { account { name } } }"
ANNA = {"data": {"viewer": {"account": {"name": "Anna"}}}}
NOBODY: dict[str, Any] = {"data": {"viewer": {"account": None}}}
HERE = "https://plein.example"


@pytest_asyncio.fixture
async def visitor(production: Gateway) -> AsyncIterator[Visitor]:
    visitor = Visitor(production, at=HERE, accept="application/graphql-response+json")
    await sign_in(production, visitor, await new_account(production, "Anna"))
    yield visitor
    await visitor.http.aclose()


SAME = [
    {"origin": HERE},
    {"origin": HERE, "sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
    {"referer": f"{HERE}/sign-in"},
]
OTHER = [
    {},
    {"origin": "https://evil.example"},
    {"origin": "https://utrecht.plein.example"},
    {"origin": "http://plein.example"},
    {"origin": f"{HERE}.evil.example"},
    {"origin": f"{HERE}:8443"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "https://evil.example", "sec-fetch-site": "same-origin", "referer": f"{HERE}/"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "referer": f"{HERE}/"},
    {"referer": f"{HERE}.evil.example/"},
    {"referer": "https://evil.example/?" + HERE},
]


@pytest.mark.parametrize("headers", SAME, ids=str)
async def test_a_page_of_the_same_origin_is_who_signed_in(visitor: Visitor, headers: dict[str, str]) -> None:
    for answer in (
        await visitor.http.post("/graphql", json={"query": WHO}, headers=headers),
        await visitor.http.get("/graphql", params={"query": WHO}, headers=headers),
    ):
        assert answer.json() == ANNA
        assert "cookie" in answer.headers["vary"]
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("headers", OTHER, ids=str)
async def test_any_other_page_is_refused(visitor: Visitor, headers: dict[str, str]) -> None:
    for answer in (
        await visitor.http.post("/graphql", json={"query": WHO}, headers=headers),
        await visitor.http.get("/graphql", params={"query": WHO}, headers=headers),
        await visitor.http.put("/graphql", headers=headers),  # reserves an event stream
    ):
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert "Anna" not in answer.text


async def test_a_get_never_writes(visitor: Visitor) -> None:
    answer = await visitor.http.get(
        "/graphql",
        params={"query": 'mutation { joinSite(input: {site: "x"}) { __typename } }'},
        headers={"origin": HERE},
    )
    assert answer.status_code in {400, 405}


async def test_an_access_token_counts_before_the_cookie(visitor: Visitor) -> None:
    answer = await visitor.http.post(
        "/graphql", json={"query": WHO}, headers={"origin": HERE, "authorization": "Bearer nonsense"}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize("cookie", ["__Host-plein=", f"__Host-plein={'x' * 43}", "plein=x", "other=1", "__Host-plein"])
async def test_a_cookie_that_is_no_session_makes_a_visitor(production: Gateway, cookie: str) -> None:
    visitor = Visitor(production, at=HERE, accept="application/json")
    answer = await visitor.http.post("/graphql", json={"query": WHO}, headers={"origin": HERE, "cookie": cookie})
    assert answer.json() == NOBODY


async def test_a_cookie_of_another_host_makes_a_visitor(production: Gateway) -> None:
    on_site = Visitor(production, at="https://utrecht.plein.example")
    await sign_in(production, on_site, await new_account(production, "Anna"))
    assert await on_site.ask(WHO) == NOBODY
    await sign_in(production, on_site, await new_account(production, "Anna"), "utrecht")
    assert await on_site.ask(WHO) == ANNA
