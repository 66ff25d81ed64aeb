"""What docs/frontend.md tells to do with other people's clients is done here as it stands there.

Files get the names that the page gives them, commands are run in its order. Only the address, the site and the token
are others, and what npm and `run.py` would fetch or start is there already.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest
from graphql import GraphQLInterfaceType

from schema.root import graphql_schema
from schema.sdl import plain_sdl
from tenants.database import Database
from tests.clients.conftest import PACKAGES, PACKAGES_OF_CODEGEN, PACKAGES_OF_RELAY, TITLES, Place
from tests.conftest import ProvisionSite
from tests.gateway.live.running import Running, running_gateway
from tests.wire.node import beside_packages, require_packages, run

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "frontend.md").read_text()
FILE = re.compile(r"`([\w./]+\.(?:mjs|js|ts|json|graphql))`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WEB_SOCKET = 'import { WebSocket } from "ws";\nglobalThis.WebSocket ??= WebSocket;\n'
"""What browsers have, and Node.js from 22 on."""

ASK = """
import runtime from "relay-runtime";
import { environment } from "./environment.mjs";
import query from "./src/__generated__/sitePageQuery.graphql.js";
const told = await runtime.fetchQuery(environment, query, {}).toPromise();
const held = environment.getStore().getSource().toJSON();
console.log(JSON.stringify([told.site.name, Object.values(held).map((each) => each.title).filter(Boolean)]));
"""


@dataclass(frozen=True)
class Section:
    """What to write into which file, what to type, and which packages it takes."""

    files: dict[str, str]
    commands: list[str]
    packages: set[str]


def section(title: str) -> Section:
    """A section of the page."""
    text = PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    files, commands, packages, end = {}, [], set(), 0
    for block in BLOCK.finditer(text):
        prose, end = text[end : block.start()], block.end()
        if block[1] != "bash":
            named = FILE.search(prose)
            assert named is not None, prose
            files[named[1]] = block[2]
            continue
        for line in block[2].splitlines():
            if line.startswith("npm install "):
                packages |= {each for each in line.split()[2:] if not each.startswith("-")}
            elif "python3 run.py" not in line:
                commands.append(line)
    return Section(files, commands, packages)


def written(told: Section, home: Path, place: Place, url: str = "") -> None:
    """Write the files, with the address and the site that there are."""
    (home / "package.json").write_text('{"type": "module"}')
    for name, text in told.files.items():
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        here = text.replace("localhost:8000", url.removeprefix("http://")).replace('"vlieland"', f'"{place.site.slug}"')
        file.write_text(here)


async def typed(command: str, home: Path, token: str = "") -> str:
    """Do what a line says; programs of packages are where npm puts them."""
    assert re.match(r"(TOKEN=\$TOKEN node|npx|echo) ", command), command
    words = command.replace("npx ", "node_modules/.bin/")
    preload = f"--import={(home / 'web_socket.mjs').as_uri()}" if (home / "web_socket.mjs").exists() else ""
    environ = os.environ | {"TOKEN": token, "NODE_OPTIONS": preload}
    return await run("sh", "-c", words, cwd=home, environ=environ)


@pytest.mark.parametrize("title", ["With Apollo Client", "With urql"])
async def test_a_client(title: str, running: Running, place: Place, tmp_path: Path) -> None:
    told = section(title)
    assert told.packages <= set(PACKAGES)
    home = beside_packages(require_packages("clients", PACKAGES), tmp_path)
    written(told, home, place, running.url)
    (home / "web_socket.mjs").write_text(WEB_SOCKET)
    (command,) = told.commands
    said = asyncio.create_task(typed(command, home, place.owner.token))
    published = {"site": place.id, "kind": "STATUS", "body": "Hallo", "access": "PUBLIC"}
    while not said.done():  # the one of urql ends when something happens
        await asyncio.sleep(0.3)
        await running.change(place.owner, "createContent", "__typename", **published)
    first, *others = (await said).splitlines()
    assert first == f"[ {', '.join(repr(each) for each in TITLES[:4])} ]"
    if title == "With urql":
        assert "action: 'CREATED'" in "".join(others)
        return
    assert others == []
    stranger = await running.person()
    assert (await typed(command, home, stranger.token)).splitlines()[1:] == ["FORBIDDEN"]


def test_the_kinds_are_all_told() -> None:
    kinds = graphql_schema().type_map["Content"]
    assert isinstance(kinds, GraphQLInterfaceType)
    listed = re.search(r"Content: (\[.*\]),", section("With Apollo Client").files["client.mjs"])
    assert listed is not None
    assert set(json.loads(listed[1])) == {each.name for each in graphql_schema().get_possible_types(kinds)}


async def test_relay(
    place: Place, square_database: str, database: Database, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    told = section("With Relay")
    assert told.packages <= set(PACKAGES_OF_RELAY)
    home = beside_packages(require_packages("relay", PACKAGES_OF_RELAY), tmp_path)
    (home / "schema.graphql").write_text(plain_sdl(graphql_schema()))
    written(told, home, place)
    for command in told.commands:
        await typed(command, home)
    only = {"PLEIN_DOCUMENTS": str(home / "persisted.json"), "PLEIN_DOCUMENTS_ONLY": "on"}
    async with running_gateway(square_database, home / "data", database, provision_site, **only) as strict:
        written(told, home, place, strict.url)
        (home / "ask.mjs").write_text(ASK)
        name, titles = json.loads(await typed("TOKEN=$TOKEN node ask.mjs", home, place.owner.token))
    assert (name, sorted(titles)) == (place.site.slug.title(), sorted(TITLES[:-3:-1]))


async def test_types_by_codegen(place: Place, tmp_path: Path) -> None:
    told = section("Types by codegen")
    assert told.packages <= set(PACKAGES_OF_CODEGEN)
    home = beside_packages(require_packages("codegen", PACKAGES_OF_CODEGEN), tmp_path)
    (home / "schema.graphql").write_text(plain_sdl(graphql_schema()))
    written(told, home, place)
    for command in told.commands:
        await typed(command, home)
    manifest = json.loads((home / "src" / "generated" / "persisted-documents.json").read_text())
    assert [each.split("(")[0] for each in manifest.values()] == ["query SitePage"]
    (home / "src" / "page.ts").write_text(told.files["src/page.ts"].replace("node.startsAt", "node.endsAt"))
    said = await run("sh", "-c", told.commands[-1].replace("npx ", "node_modules/.bin/"), cwd=home, may_fail=True)
    assert "Property 'endsAt' does not exist" in said


def test_every_command_is_understood() -> None:
    commands = [each for title in ("With Relay", "Types by codegen") for each in section(title).commands]
    assert [shlex.split(each)[0] for each in commands] == ["echo", "npx", "npx", "npx"]
