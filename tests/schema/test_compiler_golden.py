"""What the compiler makes of a few documents, kept as text: the statements and the answer.

`tests/golden/x.graphql` says in its first lines who asks and with what; beside it stand the statements it becomes
(`x.sql`, schemas by the site's slug) and the answer (`x.json`). After a change that is meant to change them, write them
anew with `PLEIN_GOLDEN=update` in the environment, and read the difference before committing it.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tenants.reader import Statement
from tests.oracle.counting import noting
from tests.oracle.oracle import differences
from tests.oracle.people import VIEWERS
from tests.oracle.proof import Proof

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
IS_UPDATE = os.environ.get("PLEIN_GOLDEN") == "update"


@pytest_asyncio.fixture(scope="module")
async def noted(proof: Proof) -> AsyncIterator[tuple[Proof, list[Statement]]]:
    """The proof, and a list that its statements are added to."""
    async with noting(proof) as both:
        yield both


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.graphql")))
async def test_a_document_becomes_these_statements_and_this_answer(
    noted: tuple[Proof, list[Statement]], name: str
) -> None:
    proof, statements = noted
    text = (GOLDEN / f"{name}.graphql").read_text(encoding="utf-8")
    asked = dict(line[2:].split(": ", 1) for line in text.splitlines() if line.startswith("# "))
    variables, viewer, here = json.loads(asked.get("variables", "{}")), VIEWERS[asked["viewer"]], asked.get("here")
    statements.clear()
    body = await proof.answer(text, variables, viewer, here)
    assert differences(proof.expect(text, variables, viewer, here), body) == []
    # Sorted, as root fields run at the same time.
    compare(GOLDEN / f"{name}.sql", "\n".join(sorted(shown(proof, each) for each in statements)))
    compare(GOLDEN / f"{name}.json", json.dumps(json.loads(body), ensure_ascii=False, indent=2) + "\n")


def shown(proof: Proof, statement: Statement) -> str:
    """A statement with its site's slug in place of the names of schema and role."""
    sites = {site.row["role_name"]: site.row for site in proof.world.sites.values()}
    row = sites.get(statement.role)
    slug = row["slug"] if row else "platform"
    text = statement.text.replace(f'"{row["schema_name"]}"', f'"{slug}"') if row else statement.text
    return f"-- as {slug}\n" + "\n".join(line.rstrip() for line in text.strip().splitlines()) + ";\n"


def compare(path: Path, text: str) -> None:
    """The file holds this text; or will, when it is to be updated."""
    if IS_UPDATE:
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path.name} is missing: run with PLEIN_GOLDEN=update"
    assert path.read_text(encoding="utf-8") == text
