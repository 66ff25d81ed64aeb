"""Tools of frontend developers on the schema as it is printed: graphql-eslint, graphql-codegen, TypeScript."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from schema.root import graphql_schema
from schema.sdl import plain_sdl
from tenants.database import Database
from tests.clients.conftest import PACKAGES_OF_CODEGEN, PACKAGES_OF_ESLINT, Place
from tests.conftest import ProvisionSite
from tests.gateway.live.running import Running, running_gateway
from tests.wire.node import beside_packages, require_packages, run

HERE = Path(__file__).parent
WORDS_OF_STANDARDS = {"Client.clientId", "Issuer.issuer"}
"""OAuth's `client_id`, which is not the `id` of the node, and OpenID Connect's `issuer`, an address."""


def bench(directory: Path, folder: str, packages: dict[str, str], *files: Path) -> Path:
    """A directory with the schema, the documents, these files and the packages."""
    home = beside_packages(require_packages(folder, packages), directory, *files)
    (home / "package.json").write_text('{"type": "module"}')
    (home / "schema.graphql").write_text(plain_sdl(graphql_schema()))
    shutil.copytree(HERE / "documents", home / "documents")
    return home


@pytest.fixture
def linted(tmp_path: Path) -> Path:
    """Where graphql-eslint is."""
    home = bench(tmp_path, "eslint", PACKAGES_OF_ESLINT, HERE / "eslint.config.mjs")
    (home / ".graphqlrc.json").write_text('{"schema": "schema.graphql", "documents": "documents/*.graphql"}')
    return home


async def lint(home: Path) -> list[tuple[str, str, str]]:
    """What graphql-eslint has to say: file, rule, sentence."""
    command = ["node_modules/.bin/eslint", "--format", "json", "--no-error-on-unmatched-pattern"]
    said: list[dict[str, Any]] = json.loads(await run(*command, "schema.graphql", "documents", cwd=home, may_fail=True))
    assert len(said) == 1 + len(list(HERE.glob("documents/*.graphql")))
    return [
        (Path(file["filePath"]).name, (each["ruleId"] or "").removeprefix("@graphql-eslint/"), each["message"])
        for file in said
        for each in file["messages"]
        if not is_another_word(each["message"])
    ]


def is_another_word(message: str) -> bool:
    """Whether a field only seems to repeat its type's name: its first word begins alike, or it is a standard's own."""
    named = re.fullmatch(r'Field "(\w+)" starts with the name of the parent type "(\w+)"', message)
    if named is None:
        return False
    field, type_ = named.groups()
    return field[len(type_) :][:1].islower() or f"{type_}.{field}" in WORDS_OF_STANDARDS


async def test_the_schema_and_the_documents_are_as_graphql_eslint_recommends(linted: Path) -> None:
    assert await lint(linted) == []


async def test_graphql_eslint_would_see_what_is_wrong(linted: Path) -> None:
    with (linted / "schema.graphql").open("a") as schema:
        schema.write(
            "\ntype lost_type { tags: [NoteEdge!] @deprecated lost_typeName: Int }\ntype NoteEdge { node: Viewer }\n"
        )
        schema.write('"""Notes.""" type NoteConnection { """All.""" edges: [NoteEdge!]! }\n')
    (linted / "documents" / "mine.graphql").write_text("query GetMine { site { name } }")
    assert {rule for _, rule, _ in await lint(linted)} == {
        "naming-convention",
        "no-typename-prefix",
        "no-unreachable-types",
        "relay-connection-types",
        "relay-edge-types",
        "require-deprecation-reason",
        "require-description",
        "require-selections",
    }


async def test_types_are_made_from_the_schema_and_hold(
    place: Place, square_database: str, database: Database, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    """A program with these types compiles strictly, and runs where only the documents that codegen persisted may."""
    home = bench(tmp_path, "codegen", PACKAGES_OF_CODEGEN, *(HERE / "typed").iterdir())
    await run("node_modules/.bin/graphql-codegen", "--config", "codegen.json", cwd=home)
    await run("node_modules/.bin/tsc", "--project", ".", cwd=home)
    manifest = home / "generated" / "persisted-documents.json"
    assert len(json.loads(manifest.read_text())) == 6
    only = {"PLEIN_DOCUMENTS": str(manifest), "PLEIN_DOCUMENTS_ONLY": "on"}
    async with running_gateway(square_database, home / "data", database, provision_site, **only) as strict:
        url = f"{strict.url}/graphql"
        told = json.loads(await run("node", "built/page.js", url, place.owner.token, place.site.slug, cwd=home))
    assert told == {
        "items": [f"{title} by Anna" for title in ("een", "twee", "drie", "vier", "vijf")],
        "conflict": [["CONFLICT", "input.version"]],
    }


async def test_codegen_reads_the_schema_of_a_running_gateway_as_well(running: Running, tmp_path: Path) -> None:
    home = bench(tmp_path, "codegen", PACKAGES_OF_CODEGEN, HERE / "typed" / "codegen.json")
    config = home / "codegen.json"
    given = json.loads(config.read_text())
    given["config"]["scalars"]["_Any"] = "unknown"  # federation's, which a running gateway tells of as well
    made = []
    # Before Node.js 22.15 it says that it takes zstd, and does not: it asks for no less than that version.
    asked = [{f"{running.url}/graphql": {"headers": {"accept-encoding": "br"}}}]
    for schema in ("schema.graphql", asked):
        config.write_text(json.dumps(given | {"schema": schema}))
        await run("node_modules/.bin/graphql-codegen", "--config", "codegen.json", cwd=home)
        made.append((home / "generated" / "graphql.ts").read_text())
    assert made[0] == made[1]
    assert "export type SitePageQuery =" in made[0]
