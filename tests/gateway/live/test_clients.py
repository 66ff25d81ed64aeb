"""Other people's clients: npm's graphql-ws and graphql-sse, in Node.js, against a gateway that listens."""

from __future__ import annotations

from pathlib import Path

from tests.gateway.live.running import Running
from tests.gateway.mutations.door import id_of
from tests.wire.node import require_packages, run_script

PACKAGES = {"graphql-ws": "6.0.6", "graphql-sse": "2.6.0", "graphql": "16.11.0", "ws": "8.18.3"}
TITLES = ["een", "twee", "drie"]


async def test_the_clients_everybody_uses(live: Running) -> None:
    home = require_packages("live", PACKAGES)
    site, owner = await live.site()
    script = Path(__file__).with_name("clients.mjs")
    heard = await run_script(home, script, f"{live.url}/graphql", owner.token, id_of("S", site))
    assert heard == {
        "graphql-ws": TITLES,
        "graphql-sse, distinct connections": TITLES,
        "graphql-sse, single connection": TITLES,
        "refused": ["NOT_FOUND", "NOT_FOUND", "NOT_FOUND"],
        "query": {"data": {"viewer": {"account": {"name": "Anna"}}}},
    }
    await live.followed(0)
