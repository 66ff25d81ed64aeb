"""Tools of frontend developers on the schema as it is printed: graphql-eslint, graphql-codegen, TypeScript."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from schema.root import graphql_schema
from schema.sdl import plain_sdl
from tenants.database import Database
from tests.clients.conftest import PACKAGES_OF_TOOLS, Place
from tests.conftest import ProvisionSite
from tests.gateway.live.running import running_gateway
from tests.wire.node import beside_packages, require_packages, run

HERE = Path(__file__).parent


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A directory with the schema, the documents and the tools."""
    home = beside_packages(require_packages("tools", PACKAGES_OF_TOOLS), tmp_path, HERE / "eslint.config.mjs")
    (home / "package.json").write_text('{"type": "module"}')
    (home / "schema.graphql").write_text(plain_sdl(graphql_schema()))
    (home / ".graphqlrc.json").write_text('{"schema": "schema.graphql", "documents": "documents/*.graphql"}')
    shutil.copytree(HERE / "documents", home / "documents")
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
    ]


async def test_the_schema_and_the_documents_are_as_graphql_eslint_recommends(bench: Path) -> None:
    assert await lint(bench) == []


async def test_graphql_eslint_would_see_what_is_wrong(bench: Path) -> None:
    with (bench / "schema.graphql").open("a") as schema:
        schema.write("\ntype lost_type { tags: [NoteEdge!] @deprecated }\ntype NoteEdge { node: Viewer }\n")
        schema.write('"""Notes.""" type NoteConnection { """All.""" edges: [NoteEdge!]! }\n')
    (bench / "documents" / "mine.graphql").write_text("query GetMine { site { name } }")
    assert {rule for _, rule, _ in await lint(bench)} == {
        "naming-convention",
        "no-unreachable-types",
        "relay-connection-types",
        "relay-edge-types",
        "require-deprecation-reason",
        "require-description",
        "require-selections",
    }


async def test_types_are_made_from_the_schema_and_hold(
    bench: Path, place: Place, square_database: str, database: Database, provision_site: ProvisionSite
) -> None:
    """A program with these types compiles strictly, and runs where only the documents that codegen persisted may."""
    for file in (HERE / "typed").iterdir():
        shutil.copy(file, bench)
    await run("node_modules/.bin/graphql-codegen", "--config", "codegen.json", cwd=bench)
    await run("node_modules/.bin/tsc", "--project", ".", cwd=bench)
    manifest = bench / "generated" / "persisted-documents.json"
    assert len(json.loads(manifest.read_text())) == 6
    only = {"PLEIN_DOCUMENTS": str(manifest), "PLEIN_DOCUMENTS_ONLY": "on"}
    async with running_gateway(square_database, bench / "data", database, provision_site, **only) as strict:
        url = f"{strict.url}/graphql"
        told = json.loads(await run("node", "built/page.js", url, place.owner.token, place.site.slug, cwd=bench))
    assert told == {
        "items": [f"{title} by Anna" for title in ("een", "twee", "drie", "vier", "vijf")],
        "conflict": [["CONFLICT", "input.version"]],
    }
