"""Server-Timing: on the answers that are to have it, and true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.telemetry.timing import is_asked
from tests.conftest import ProvisionSite
from tests.gateway.watched.square import watched

HEADER = "server-timing"


def parts(header: str) -> dict[str, float]:
    return {name: float(ms) for name, ms in re.findall(r"(\w+);dur=([\d.]+)", header)}


async def test_it_tells_where_the_time_went(
    square_database: str, provision_site: ProvisionSite, tmp_path: Path
) -> None:
    site = await provision_site()
    async with watched(square_database, tmp_path, PLEIN_SERVER_TIMING="on") as square:
        first = parts((await square.ask(slug=site.slug)).headers[HEADER])
        again = (await square.ask(slug=site.slug)).headers[HEADER]
        nothing = parts((await square.ask("{ __typename }")).headers[HEADER])
        broken = parts((await square.ask("{")).headers[HEADER])
    assert set(first) == {"parse", "plan", "db", "total"}
    assert first["parse"] > 0
    assert first["plan"] > 0
    assert first["db"] > 0
    assert sum(first[name] for name in ("parse", "plan", "db")) <= first["total"] + 0.05
    assert parts(again)["parse"] == 0
    assert 'desc="1 statement"' in again
    assert nothing["db"] == 0
    assert broken["total"] > 0


@pytest.mark.parametrize(
    ("mode", "plain", "asked"), [("off", False, False), ("asked", False, True), ("on", True, True)]
)
async def test_who_gets_it(mode: str, plain: bool, asked: bool, square_database: str, tmp_path: Path) -> None:
    async with watched(square_database, tmp_path, PLEIN_SERVER_TIMING=mode) as square:
        assert (HEADER in (await square.ask("{ __typename }")).headers) is plain
        preferring = await square.ask("{ __typename }", headers={"prefer": "server-timing"})
        assert (HEADER in preferring.headers) is asked


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        (b"server-timing", True),
        (b"respond-async, Server-Timing", True),
        (b"wait=5; server-timing", True),
        (b"server-timings", False),
    ],
)
def test_how_one_asks(value: bytes, asked: bool) -> None:
    assert is_asked([(b"host", b"x"), (b"prefer", value)]) is asked
    assert not is_asked([(b"x-prefer", value)])
