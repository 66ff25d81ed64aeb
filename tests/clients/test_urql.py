"""urql: both its caches, persisted documents, a sign-in that is renewed, and subscriptions in two ways."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.clients.conftest import PACKAGES, TITLES, Place
from tests.gateway.live.running import Running
from tests.wire.node import beside_packages, require_packages, run

HERE = Path(__file__).parent


async def test_urql(running: Running, place: Place, tmp_path: Path) -> None:
    home = beside_packages(require_packages("clients", PACKAGES), tmp_path, HERE / "urql.mjs")
    shutil.copytree(HERE / "documents", home / "documents")
    given = {"url": f"{running.url}/graphql", "token": place.owner.token, "site": place.id, "slug": place.site.slug}
    told = json.loads(await run("node", "urql.mjs", json.dumps(given), cwd=home))
    assert told.pop("complaints") == []
    assert told == {
        "simple": list(TITLES),
        "simpleAgain": [5, 0],
        "changed": ["een, anders", 2],
        "conflict": [["CONFLICT", "input.version"]],
        "afterChange": "een, anders",
        "requests": [["POST", True]] * 4,
        "pages": ["een, anders", *TITLES[1:]],
        "refused": [["CONFLICT", "input.version"]],
        "shown": ["een, weer anders", "te laat", "een, weer anders"],
        "overSocket": ["CREATED", ""],
        "overFetch": ["CREATED", "1"],
        "own": True,
        "persisted": [["GET", False], ["GET", True], ["GET", False]],
        "renewed": ["Anna", ["x"]],
    }
    await running.followed(0)
