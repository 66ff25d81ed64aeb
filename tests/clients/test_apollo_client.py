"""Apollo Client: its cache, pages, optimistic changes, persisted documents, batches and subscriptions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.clients.conftest import PACKAGES, TITLES, Place
from tests.gateway.live.running import Running
from tests.wire.node import beside_packages, require_packages, run

HERE = Path(__file__).parent


async def test_apollo_client(running: Running, place: Place, tmp_path: Path) -> None:
    home = beside_packages(require_packages("clients", PACKAGES), tmp_path, HERE / "apollo.mjs")
    shutil.copytree(HERE / "documents", home / "documents")
    given = {"url": f"{running.url}/graphql", "token": place.owner.token, "site": place.id, "slug": place.site.slug}
    told = json.loads(await run("node", "apollo.mjs", json.dumps(given), cwd=home))
    assert told.pop("complaints") == []
    assert told == {
        "first": {"titles": ["een", "twee"], "totalCount": 5},
        "all": list(TITLES),
        "news": ["drie"],
        "requests": [["POST", 1, True]] * 4,
        "cached": [5, 0],
        "byId": "drie",
        "conflict": [["updateContent", "CONFLICT", "input.version"]],
        "shown": ["een, anders", "te laat", "een, anders"],
        "followed": ["UPDATED", True, "string"],
        "inTheList": True,
        "deleted": ["twee", "vier", "vijf"],
        "persisted": [["GET", 1, False], ["POST", 1, True], ["GET", 1, False]],
        "batch": ["viewer", "BAD_USER_INPUT", "site"],
        "batchRequests": [["POST", 3, True]],
        "stranger": "UNAUTHENTICATED",
    }
    await running.followed(0)
