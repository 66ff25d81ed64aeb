"""The file of issuers: what is read from it, and the one line that says what is wrong, which never holds a secret."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway.issuers_file import IssuersFileError, load_issuers
from gateway.settings import SettingsError, load_settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
SECRET = "geheim-geheim"
GOOD = f'[issuers.a]\nissuer = "https://id.example.nl"\nclient_id = "p"\nclient_secret = "{SECRET}"\n'


def written(tmp_path: Path, text: str, name: str = "issuers.toml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_toml_and_json_say_the_same(tmp_path: Path):
    (first,) = load_issuers(written(tmp_path, GOOD))
    table = {"issuer": "https://id.example.nl", "client_id": "p", "client_secret": SECRET}
    (second,) = load_issuers(written(tmp_path, json.dumps({"issuers": {"a": table}}), "issuers.json"))
    assert first == second
    assert first.is_near


def test_the_example_in_the_pages_is_good(tmp_path: Path):
    example = re.search(r"```toml\n(.*?)```", (DOCS / "issuers.md").read_text(), re.DOTALL)
    assert example is not None
    (issuer,) = load_issuers(written(tmp_path, example[1]))
    assert (issuer.key, issuer.name) == ("example", "Example")


def test_the_settings_take_it(tmp_path: Path):
    environ = {"PLEIN_SECRET": "s" * 40, "PLEIN_ISSUERS": str(written(tmp_path, GOOD))}
    settings = load_settings(environ)
    assert [each.key for each in settings.signing_in.issuers] == ["a"]
    assert SECRET not in repr(settings)
    with pytest.raises(SettingsError, match=r"^PLEIN_ISSUERS: cannot read .*none\.toml: No such file or directory\.$"):
        load_settings(environ | {"PLEIN_ISSUERS": str(tmp_path / "none.toml")})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must hold `issuers`"),
        ("issuers = 1", "must hold `issuers`"),
        ("[issuers]\na = 1", "issuers.a is no table"),
        (GOOD + "[other]\n", "and nothing else"),
        (GOOD.replace("https", "http"), "issuers.a.issuer: must begin with https://"),
        (GOOD.replace("issuers.a", "issuers.A"), "issuers.A.key: 1 to 40"),
        (GOOD + 'secret = "x"', "issuers.a.secret: there is no such word"),
        (GOOD + GOOD.replace("issuers.a", "issuers.b"), "https://id.example.nl is there twice"),
        (GOOD.replace(f'"{SECRET}"', SECRET), "no TOML: at line 4"),
        (GOOD + "\x00", "no TOML"),
        ("#" * 1_000_001, "longer than"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, text: str, told: str):
    with pytest.raises(IssuersFileError) as error:
        load_issuers(written(tmp_path, text))
    assert told in str(error.value)
    assert "\n" not in str(error.value)
    assert SECRET not in str(error.value)


def test_json_that_is_none(tmp_path: Path):
    with pytest.raises(IssuersFileError, match="no JSON: line 1"):
        load_issuers(written(tmp_path, '{"issuers": {"a": {"client_secret": ' + SECRET, "a.json"))
