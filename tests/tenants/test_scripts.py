"""Migration files: numbered without gaps, and filled in so that no value can break out of its quotes."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tenants.errors import ScriptsInvalid
from tenants.scripts import filled, load_scripts

NASTY = ["t_0", 'a"b', "a'b", "a\\b", '"; DROP SCHEMA platform; --', "'; --", "é ü", ':"role"']


def write(folder: Path, *names: str) -> Path:
    (folder / "shared").mkdir()
    (folder / "tenant").mkdir()
    (folder / "founding.sql").write_text("SELECT 1;")
    (folder / "rights.sql").write_text("SELECT 1;")
    for name in names:
        (folder / name).write_text("SELECT 1;")
    return folder


def test_the_products_own_files_are_in_order() -> None:
    scripts = load_scripts()
    assert [script.number for script in scripts.tenant] == list(range(1, scripts.tenant_version + 1))
    assert scripts.shared[0].name == "0001_platform"
    assert all(len(script.checksum) == 64 for script in scripts.shared + scripts.tenant)


@pytest.mark.parametrize(
    "names",
    [
        ("shared/0001_a.sql", "shared/0003_b.sql"),
        ("shared/0001_a.sql", "shared/0001_b.sql"),
        ("tenant/0000_a.sql",),
        ("tenant/1_a.sql",),
        ("tenant/0001_A.sql",),
    ],
)
def test_gaps_doubles_and_odd_names_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(ScriptsInvalid):
        load_scripts(write(tmp_path, *names))


def test_only_placeholders_are_touched() -> None:
    text = (
        """SELECT 'x'::text, "a"::"b", a[1:2], '12:30', 100 % 7, {x} FROM :"schema".t WHERE id = :'tenant_id'::uuid"""
    )
    assert filled(text, {"schema": "s", "tenant_id": "1"}) == (
        """SELECT 'x'::text, "a"::"b", a[1:2], '12:30', 100 % 7, {x} FROM "s".t WHERE id = '1'::uuid"""
    )


def test_a_placeholder_without_a_value_is_refused() -> None:
    with pytest.raises(ScriptsInvalid, match="schemas"):
        filled('SELECT :"schemas"', {"schema": "s"})


@pytest.mark.parametrize("value", NASTY)
def test_values_stay_within_their_quotes(fresh_database: str, value: str) -> None:
    """Postgres itself is the judge: what was put in comes out, as a name and as a literal."""
    script = filled("""SELECT :'value' AS :"value" """, {"value": value})
    with psycopg.connect(fresh_database) as connection:
        cursor = connection.execute(script.encode())
        assert cursor.fetchone() == (value,)
        assert cursor.description is not None
        assert cursor.description[0].name == value
