"""The benchmark compares like with like: every workload gives the same data from Plein and from plain strawberry.

Nothing here is timed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from asgi_lifespan import LifespanManager

from auth.issuer import DevelopmentIssuer
from gateway.app import create_app
from gateway.settings import load_settings
from tests.benchmarks.plain import SCHEMA, UNKNOWN, App, introspected_schema
from tests.benchmarks.servers import ROOT
from tests.benchmarks.square import load_estate
from tests.benchmarks.workloads import workloads

ITEMS = (220, *[7] * 9)
SECRET = "s" * 32


async def test_both_servers_give_the_same_data(fresh_database: str, tmp_path: Path) -> None:
    estate = await load_estate(fresh_database, ITEMS)
    environ = {"PLEIN_MODE": "development", "PLEIN_DATABASE_URL": fresh_database, "PLEIN_DATA_DIR": str(tmp_path)}
    settings = load_settings({**environ, "PLEIN_SECRET": SECRET})
    token = DevelopmentIssuer(SECRET).mint(str(estate.viewer_id)).text
    rivals = [App(fresh_database, estate.viewer_id, schema) for schema in (SCHEMA, introspected_schema())]
    async with LifespanManager(create_app(settings), startup_timeout=30) as plein, client(plein.app, token) as ours:
        for workload in workloads(estate):
            async with client(rivals[workload.same_schema]) as theirs:
                answers = [await answer(each, workload) for each in (ours, theirs)]
            if workload.same_schema:
                told = answers[0]["__schema"]
                told["directives"] = [each for each in told["directives"] if each["name"] not in UNKNOWN]
            assert answers[0] == answers[1], workload.name
            assert len(str(answers[0])) > 50, workload.name
        for rival in rivals:
            await rival.close()


def test_a_quick_run_prints_its_tables() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "--quick", "--only", "20 items"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "| 20 items + author | Plein, fixed answers |" in done.stdout
    assert "## Peak memory" in done.stdout


def client(app: Any, token: str | None = None) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8000", headers=headers)


async def answer(http: httpx.AsyncClient, workload: Any) -> Any:
    variables = workload.variables
    if workload.cursor_of:
        variables = workload.with_cursor(await data_of(http, workload.cursor_of, variables))
    return await data_of(http, workload.document, variables)


async def data_of(http: httpx.AsyncClient, document: str, variables: Mapping[str, Any]) -> Any:
    response = await http.post("/graphql", json={"query": document, "variables": dict(variables)})
    body = response.json()
    assert not body.get("errors"), body
    return body["data"]
