"""GraphQL over HTTP as its own working group checks it: every audit of npm's graphql-http."""

from __future__ import annotations

from pathlib import Path

from tests.wire.node import require_packages, run_script

PACKAGES = {"graphql-http": "1.23.1", "graphql": "16.11.0"}
AUDITS = 61


async def test_every_audit_of_graphql_http_passes(gateway_url: str) -> None:
    home = require_packages("audits", PACKAGES)
    results = await run_script(home, Path(__file__).with_name("audits.mjs"), f"{gateway_url}/graphql")
    assert [each for each in results if each["status"] != "ok"] == []
    assert len(results) == AUDITS
