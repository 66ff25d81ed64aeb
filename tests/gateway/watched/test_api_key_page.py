"""What docs/api-keys.md tells to paste works as it stands there, at a gateway that serves."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path

import httpx

from auth.api_keys import SHAPE
from tenants.database import Database
from tests.conftest import ProvisionSite
from tests.gateway.mutations.door import SECRET, Door
from tests.gateway.watched.processes import ROOT, serving

PAGE = (ROOT / "docs" / "api-keys.md").read_text(encoding="utf-8")


async def test_the_commands_work_as_they_stand(
    square_database: str, database: Database, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    site, owner = await Door(httpx.AsyncClient(), database, provision_site).site()
    make, use, refuse = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    with serving(square_database, tmp_path, PLEIN_SECRET=SECRET) as running:
        script = "\necho ---\n".join((make, use, refuse)).replace("http://localhost:8000", running.url)
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-eu", "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={"TOKEN": owner.token, "PATH": "/usr/local/bin:/usr/bin:/bin"},
        )
        key, used, refused = (part.strip() for part in done.stdout.split("---\n"))
        assert SHAPE.fullmatch(key)
        edges = json.loads(used)["data"]["viewer"]["sites"]["edges"]
        assert edges == [{"node": {"slug": site.slug}}]
        (error,) = json.loads(refused)["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN"
        assert "`admin`" in error["message"]
        (manage, _) = re.findall(r"^```graphql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
        listed = running.ask(manage, headers={"authorization": f"Bearer {owner.token}"}).json()["data"]
        (node,) = [edge["node"] for edge in listed["viewer"]["account"]["apiKeys"]["edges"]]
        assert (node["name"], node["scopes"]) == ("Nightly report", ["READ"])
        assert key.startswith(node["start"])


def test_the_key_on_the_page_is_of_the_form_that_the_page_tells() -> None:
    (shown,) = re.findall(r"^plein_\w+$", PAGE, re.MULTILINE)
    (pattern,) = re.findall(r"`(plein_\[[^`]+)`", PAGE)
    assert re.fullmatch(pattern, shown)
    assert SHAPE.fullmatch(shown)
