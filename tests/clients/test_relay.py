"""Relay: its compiler takes the schema and an application's fragments, and its runtime runs them on a real gateway.

The compiler persists every document, so the gateway that the application asks runs these and nothing else.
"""

from __future__ import annotations

import json
from pathlib import Path

from schema.root import graphql_schema
from schema.sdl import plain_sdl
from tenants.database import Database
from tests.clients.conftest import PACKAGES_OF_RELAY, TITLES, Place
from tests.conftest import ProvisionSite
from tests.gateway.live.running import Running, running_gateway
from tests.wire.node import beside_packages, require_packages, run

HERE = Path(__file__).with_name("relay")


async def test_an_application_with_relay(
    running: Running,
    place: Place,
    square_database: str,
    database: Database,
    provision_site: ProvisionSite,
    tmp_path: Path,
) -> None:
    home = beside_packages(require_packages("relay", PACKAGES_OF_RELAY), tmp_path, HERE / "site.js", HERE / "page.mjs")
    manifest = await compile_documents(home)
    only = {"PLEIN_DOCUMENTS": str(manifest), "PLEIN_DOCUMENTS_ONLY": "on"}
    async with running_gateway(square_database, tmp_path / "data", database, provision_site, **only) as strict:
        given = {"url": f"{strict.url}/graphql", "open": f"{running.url}/graphql", "token": place.owner.token}
        where = {"site": place.id, "slug": place.site.slug}
        told = json.loads(await run("node", home / "page.mjs", json.dumps(given | where)))
    every = list(TITLES)
    assert told.pop("complaints") == []
    requests = told.pop("requests")
    assert told == {
        "first": {"titles": every[:2], "hasNext": True, "totalCount": 5},
        "mine": {"name": "Anna", "sites": [place.site.slug]},
        "second": {"titles": every[:4], "hasNext": True},
        "last": {"titles": every, "hasNext": False},
        "feed": every[:0:-1],
        "refetched": {"titles": ["een, anders", *every[1:]], "version": 2},
        "conflict": [["CONFLICT", "input.version"]],
        "afterConflict": ["een, anders", *every[1:]],
        "published": {"titles": ["een, anders", *every[1:], "zes"], "startsAt": "2027-03-01T10:00:00+00:00"},
        "followed": ["UPDATED", True],
        "deleted": 5,
        "filtered": ["drie"],
    }
    assert requests[:5] == [
        "siteQuery",
        "siteFeedQuery",
        *["siteContentPaginationQuery"] * 2,
        "siteFeedPaginationQuery",
    ]


async def compile_documents(home: Path) -> Path:
    """Run the compiler on the schema as it is; gives the manifest of all documents."""
    (home / "schema.graphql").write_text(plain_sdl(graphql_schema()))
    manifest = home / "persisted.json"
    manifest.write_text("{}")
    config = {
        "src": ".",
        "excludes": ["**/node_modules/**"],
        "schema": "schema.graphql",
        "language": "javascript",
        "eagerEsModules": False,  # Node.js finds modules without a suffix by `require` only
        "persistConfig": {"file": manifest.name},
    }
    (home / "relay.config.json").write_text(json.dumps(config))
    said = await run(home / "node_modules" / ".bin" / "relay-compiler", "relay.config.json", cwd=home)
    assert "Compilation completed" in said
    return manifest
