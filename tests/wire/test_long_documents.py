"""Documents that take long to compile: while one is, others have their turn, and it is compiled once."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.app import create_app
from gateway.documents import Documents
from gateway.settings import load_settings
from schema.compiler.compile import Compiler
from schema.compiler.part import Part
from tests.conftest import ProvisionSite

AUTHOR = "author { joinedAt account { id name } }"
COMMENTS = f"comments(first: 2) {{ totalCount edges {{ cursor node {{ id body createdAt {AUTHOR} }} }} }}"
ITEM = f"id title body publishedAt createdAt updatedAt version {AUTHOR} {COMMENTS} __typename"
LISTS = 25


def long_document(arguments: str = "") -> str:
    """Some 600 fields, in lists under one site."""
    lists = (f"a{n}: content(first: 2{arguments}) {{ edges {{ node {{ {ITEM} }} }} }}" for n in range(LISTS))
    return f"query ($slug: String!) {{ site(slug: $slug) {{ id {' '.join(lists)} }} }}"


@pytest_asyncio.fixture
async def http(square_database: str, listen: Any, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    environ = {"PLEIN_DATABASE_URL": square_database, "PLEIN_DATA_DIR": str(tmp_path), "PLEIN_MODE": "development"}
    settings = load_settings({**environ, "PLEIN_SECRET": "a secret for tests, of some length"})
    async with listen(create_app(settings)) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        yield client


@pytest_asyncio.fixture
async def slug(provision_site: ProvisionSite) -> str:
    return (await provision_site()).slug


@asynccontextmanager
async def longest_hold() -> AsyncIterator[list[float]]:
    """The most CPU seconds that the event loop spent on anything at a stretch while the block lasts."""
    holds = [0.0]

    async def watch() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            holds[0] = max(holds[0], time.thread_time() - began)

    watching = asyncio.create_task(watch())
    gc.disable()  # a look for garbage takes as long as the whole heap of a test run is large
    try:
        yield holds
    finally:
        gc.enable()
        watching.cancel()


@pytest.mark.parametrize("arguments", ["", ', after: "nonsense"'])
async def test_others_have_their_turn(arguments: str, http: httpx.AsyncClient, slug: str) -> None:
    asked = {"query": long_document(arguments), "variables": {"slug": slug}}
    await http.post("/graphql", json={"query": "{ __typename }"})
    began = time.thread_time()
    async with longest_hold() as holds:
        answer = (await http.post("/graphql", json=asked)).json()
    took = time.thread_time() - began
    if arguments:
        assert answer["data"] == {"site": None}
    else:
        assert len(answer["data"]["site"]) == LISTS + 1
    assert took > 0.1
    assert holds[0] < 0.06, took  # parsing goes in one piece


async def test_wrong_cursors_are_found_in_one_go(
    http: httpx.AsyncClient, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuilt = []
    reject = Part.reject

    def counted(part: Part, more: Any) -> Part:
        rebuilt.append(len(more))
        return reject(part, more)

    monkeypatch.setattr(Part, "reject", counted)
    asked = {"query": long_document(', after: "wrong"'), "variables": {"slug": slug}}
    answer = (await http.post("/graphql", json=asked)).json()
    assert {each["extensions"]["code"] for each in answer["errors"]} == {"BAD_USER_INPUT"}
    assert rebuilt == [LISTS]


async def test_who_asks_the_same_at_once_waits_for_the_first(
    http: httpx.AsyncClient, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def count(type_: type, name: str) -> None:
        work = getattr(type_, name)

        def counted(*given: Any) -> Any:
            done.append(name)
            return work(*given)

        monkeypatch.setattr(type_, name, counted)

    count(Documents, "_examine")
    count(Compiler, "part")
    asked = {"query": long_document(), "variables": {"slug": slug}}
    answers = await asyncio.gather(*(http.post("/graphql", json=asked) for _ in range(6)))
    assert {(each.status_code, len(each.json()["data"]["site"])) for each in answers} == {(200, LISTS + 1)}
    assert done == ["_examine", "part"]


async def test_who_goes_away_leaves_nothing_behind(http: httpx.AsyncClient, slug: str) -> None:
    asked = {"query": long_document() + " # cut off", "variables": {"slug": slug}}
    with pytest.raises(httpx.ReadTimeout):
        await http.post("/graphql", json=asked, timeout=0.05)
    assert "errors" not in (await http.post("/graphql", json=asked)).json()
