"""The console in a real browser, on a real gateway: what the policy lets through, signing in, asking, signing out."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn

from auth.accounts import create_account
from gateway.app import create_app
from gateway.settings import load_settings
from tenants.database import Database
from tenants.provisioning import NewTenant, provision
from tenants.settings import DatabaseSettings
from tests.gateway.browser import find_browser, opened_page

BROWSER = find_browser()
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium or Chrome on this machine")

EDITOR = "document.querySelector('.graphiql-query-editor .CodeMirror')?.CodeMirror"
ANSWER = "document.querySelector('.result-window .CodeMirror')?.CodeMirror?.getValue()"
EXPLORER = "document.querySelector('.graphiql-doc-explorer')?.innerText"
VARIABLES = "document.querySelectorAll('.graphiql-editor-tool .CodeMirror')[0]?.CodeMirror"
RUN = "document.querySelector('.graphiql-execute-button').click()"

IS_WHOLE = f"{ANSWER}.split('slug').length == {ANSWER}.split('totalCount').length"
NOTE_KINDS = """
(() => {
  const plain = window.fetch;
  window.fetch = async (...given) => {
    const answer = await plain(...given);
    window.kinds = answer.headers.get("content-type");
    return answer;
  };
})()
"""  # what the last answer was

REFUSED = """
new Promise((tell) => {
  addEventListener("securitypolicyviolation", (event) => tell(event.violatedDirective));
  document.head.append(Object.assign(document.createElement("script"), { src: "https://cdn.example/x.js" }));
})
"""  # what the policy says to a script from elsewhere


@pytest_asyncio.fixture(scope="module")
async def address(
    create_database: Callable[..., str], empty_square: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """Where a gateway answers that Sanne owns a site on."""
    url = create_database(empty_square)
    database = Database(DatabaseSettings(url))
    await database.open()
    async with database.transaction(None) as tx:
        sanne = await create_account(tx, "Sanne Bakker", "sanne@example.nl")
    await provision(database, NewTenant("utrecht", "Gemeente Utrecht", access=4), owner_account_id=sanne.id)
    await database.close()
    data_dir = tmp_path_factory.mktemp("data")
    environ = {"PLEIN_MODE": "development", "PLEIN_DATABASE_URL": url, "PLEIN_DATA_DIR": str(data_dir)}
    server = uvicorn.Server(uvicorn.Config(create_app(load_settings(environ)), log_config=None, lifespan="on"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://localhost:{listener.getsockname()[1]}/"
        server.should_exit = True
        await serving


async def test_sign_in_ask_and_sign_out(address: str, tmp_path: Path) -> None:
    assert BROWSER is not None
    async with opened_page(BROWSER, address) as page:
        assert await page.until(f"{EDITOR}?.getValue()?.includes('query SiteWithContent')")
        assert await page.run("document.title") == "Plein"
        assert await page.run("document.getElementById('who').textContent") == "Not signed in"
        tabs = "[...document.querySelectorAll('.graphiql-tab-button')].map((tab) => tab.textContent.trim()).join()"
        assert await page.run(tabs) == "SiteWithContent,MySites,Feed,OpenSite,Follow"
        await page.run(RUN)
        assert "Gemeente Utrecht" in await page.until(f"{ANSWER}?.includes('site') && {ANSWER}")

        await page.run("document.getElementById('choose').click()")
        await page.until("!!document.querySelector('#accounts li button')")
        await page.picture(tmp_path / "accounts.png")
        await page.run("document.querySelector('#accounts li button').click()")
        assert await page.until("document.getElementById('who').textContent == 'Sanne Bakker'")
        assert await page.run("document.getElementById('accounts').hidden")
        await page.run("document.querySelectorAll('.graphiql-tab-button')[1].click()")
        await page.until(f"{EDITOR}.operationName == 'MySites'")
        await page.run(RUN)
        assert "Sanne Bakker" in await page.until(f"{ANSWER}?.includes('viewer') && {ANSWER}")

        await page.run("document.getElementById('leave').click()")
        assert await page.run("document.getElementById('who').textContent") == "Not signed in"
        assert await page.run("sessionStorage.length") == 0
        assert page.complaints == []


async def test_read_the_documentation_and_write(address: str, tmp_path: Path) -> None:
    """The schema is there to read and to be held to; a mutation is done, and a subscription tells of another one."""
    assert BROWSER is not None
    async with opened_page(BROWSER, address) as page:
        await page.until(f"{EDITOR}?.getValue()?.includes('query SiteWithContent')")
        await page.until("!!document.querySelector('button[aria-label=\"Show Documentation Explorer\"]')")
        await page.run("document.querySelector('button[aria-label=\"Show Documentation Explorer\"]').click()")
        await page.until(f"{EXPLORER}?.includes('Mutation') && {EXPLORER}?.includes('Subscription')")
        await page.run(chosen("Query"))
        await page.until(f"{EXPLORER}?.includes('Whoever asks: their account and their sites.')")
        await page.run(chosen("Site"))
        await page.until(f"{EXPLORER}?.includes('A community of its own on the square')")
        await page.picture(tmp_path / "documentation.png")
        await page.run(f"{EDITOR}.setValue('{{ viewer {{ nothing }} }}')")
        await page.until("!!document.querySelector('.CodeMirror-lint-mark-error')")

        await page.run("document.getElementById('choose').click()")
        await page.until("!!document.querySelector('#accounts li button')")
        await page.run("document.querySelector('#accounts li button').click()")
        await page.until("document.getElementById('who').textContent == 'Sanne Bakker'")
        await page.run("document.querySelectorAll('.graphiql-tab-button')[3].click()")
        await page.until(f"{EDITOR}.operationName == 'OpenSite'")
        await page.run(RUN)
        made = json.loads(await page.until(f"{ANSWER}?.includes('createSite') && {ANSWER}"))["data"]["createSite"]
        assert (made["site"]["slug"], made["site"]["state"]) == ("buurtplein", "ACTIVE")
        await page.picture(tmp_path / "mutation.png")

        await page.run("document.querySelectorAll('.graphiql-tab-button')[4].click()")
        await page.until(f"{EDITOR}.operationName == 'Follow'")
        shown = json.loads(await page.until(f"{VARIABLES}?.getValue()?.includes('site') && {VARIABLES}.getValue()"))
        site = made["site"]["id"]  # the new one, as other tests look at the one that is shown
        assert len(shown["site"]) == len(site)
        await page.run(f"{VARIABLES}.setValue({json.dumps(json.dumps({'site': site}))})")
        await page.run(RUN)
        await page.until("!!document.querySelector('.graphiql-execute-button[aria-label^=Stop]')")
        for number in range(50):
            await page.run(publish(site, f"De {number}e mededeling"))
            if await page.run(f"{ANSWER}?.includes('mededeling')"):
                break
            await asyncio.sleep(0.1)
        # It may take longer: an event waits for older transactions on the server, also those of other tests.
        told = json.loads(await page.until(f"{ANSWER}?.includes('mededeling') && {ANSWER}"))["data"]["contentChanged"]
        assert told["action"] == "CREATED"
        assert told["content"]["title"].endswith("mededeling")
        await page.picture(tmp_path / "subscription.png")
        await page.run(RUN)
        await page.until("!document.querySelector('.graphiql-execute-button[aria-label^=Stop]')")
        assert page.complaints == []


def chosen(name: str) -> str:
    """Follow the first link to a type in the documentation."""
    links = "[...document.querySelectorAll('.graphiql-doc-explorer a')]"
    return f"{links}.find((link) => link.textContent == '{name}').click()"


def publish(site: str, title: str) -> str:
    """Publish something on a site, as whoever is signed in, besides GraphiQL."""
    query = "mutation ($input: CreateContentInput!) { createContent(input: $input) { content { id } } }"
    given = {"site": site, "kind": "BLOG", "title": title, "body": "Tekst"}
    body = json.dumps(json.dumps({"query": query, "variables": {"input": given}}))
    headers = "{ 'content-type': 'application/json', authorization }"
    sent = f"fetch('/graphql', {{ method: 'POST', headers: {headers}, body: {body} }})"
    return f"pleinSession.authorization().then((authorization) => {sent}).then((answer) => answer.text())"


async def test_an_answer_in_parts_is_put_together(address: str, tmp_path: Path) -> None:
    assert BROWSER is not None
    late = "viewer { sites { edges @stream { node { slug ... @defer { memberCount content { totalCount } } } } } }"
    async with opened_page(BROWSER, address) as page:
        await page.until(f"{EDITOR}?.getValue()?.includes('query SiteWithContent')")
        await page.run("document.getElementById('choose').click()")
        await page.until("!!document.querySelector('#accounts li button')")
        await page.run("document.querySelector('#accounts li button').click()")
        await page.until("document.getElementById('who').textContent == 'Sanne Bakker'")
        await page.run(f"{EDITOR}.setValue({json.dumps('query Late { ' + late + ' }')})")
        await page.until(f"{EDITOR}.operationName == 'Late'")
        await page.run(NOTE_KINDS)
        await page.run(RUN)
        answer = json.loads(await page.until(f"{ANSWER}?.includes('slug') && {IS_WHOLE} && {ANSWER}"))
        assert (await page.run("kinds")).startswith("text/event-stream")
        nodes = {edge["node"]["slug"]: edge["node"] for edge in answer["data"]["viewer"]["sites"]["edges"]}
        assert nodes["utrecht"] == {"slug": "utrecht", "memberCount": 1, "content": {"totalCount": 0}}
        await page.picture(tmp_path / "parts.png")
        assert page.complaints == []


async def test_nothing_is_asked_of_another_origin(address: str) -> None:
    assert BROWSER is not None
    async with opened_page(BROWSER, address) as page:
        await page.until(f"{EDITOR}?.getValue()")
        await page.until("!!document.querySelector('button[aria-label*=\"ettings\"]')")
        await page.run("document.querySelector('button[aria-label*=\"ettings\"]').click()")
        await page.until("!!document.querySelector('[role=dialog]')")
        asked = await page.run("performance.getEntriesByType('resource').map((each) => each.name)")
        assert len(asked) > 8
        assert [each for each in asked if not each.startswith((address, "data:"))] == []
        assert page.complaints == []
        assert await page.run(REFUSED) == "script-src-elem"


async def test_examples_are_valid(address: str) -> None:
    """Every example that the console opens with is valid in the schema as it is."""
    from graphql import parse, validate  # noqa: PLC0415

    from schema.root import graphql_schema  # noqa: PLC0415

    assert BROWSER is not None
    async with opened_page(BROWSER, address) as page:
        queries = await page.until("window.pleinExamples?.map((each) => each.query)")
    for query in queries:
        assert validate(graphql_schema(), parse(query)) == [], query
