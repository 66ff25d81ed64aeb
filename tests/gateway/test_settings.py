"""The settings: what the environment may say, what it must, and that each variable is documented."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from gateway.limits import Limits
from gateway.settings import VARIABLES, Mode, SettingsError, load_settings, settings_table

SECRET = "s" * 32
PRODUCTION = {
    "PLEIN_MODE": "production",
    "PLEIN_SECRET": SECRET,
    "PLEIN_DATABASE_URL": "postgresql://plein:pass-word@db/plein",
    "PLEIN_S3_ENDPOINT": "https://s3.example",
    "PLEIN_S3_ACCESS_KEY": "key-id",
    "PLEIN_S3_SECRET_KEY": "key-secret",
}


def test_an_empty_environment_gives_development_with_the_bundled_parts(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings({})
    assert (settings.mode, settings.host, settings.port) == (Mode.DEVELOPMENT, "127.0.0.1", 8000)
    assert settings.base_host == "localhost:8000"
    assert settings.database_url is None
    assert settings.s3 is None
    assert settings.limits == Limits()
    assert settings.data_dir == Path(".plein")


def test_the_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    environ = {"PLEIN_DATA_DIR": str(tmp_path / "data")}
    first = load_settings(environ).secret
    assert load_settings(environ).secret == first
    assert len(first) >= 32
    kept = tmp_path / "data" / "secret"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list(kept.parent.iterdir()) == [kept]
    kept.write_text("short")
    with pytest.raises(SettingsError, match=r"PLEIN_DATA_DIR: .*32 characters"):
        load_settings(environ)


def test_the_manifest_of_trusted_documents_is_read_at_the_start(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    environ = {"PLEIN_DATA_DIR": str(tmp_path), "PLEIN_DOCUMENTS": str(manifest)}
    with pytest.raises(SettingsError, match=r"^PLEIN_DOCUMENTS: cannot read .*manifest\.json: No such file"):
        load_settings(environ)
    manifest.write_text('{"count-1": "{ count }"}')
    settings = load_settings({**environ, "PLEIN_DOCUMENTS_ONLY": "on"})
    assert (settings.documents, settings.documents_only) == ({"count-1": "{ count }"}, True)
    assert "{ count }" not in repr(settings)


def test_origins_are_read_as_browsers_write_them(tmp_path: Path) -> None:
    environ = {"PLEIN_DATA_DIR": str(tmp_path), "PLEIN_CORS_ORIGINS": " https://A.example/, http://localhost:5173 ,"}
    assert load_settings(environ).cors_origins == {"https://a.example", "http://localhost:5173"}


def test_production_has_all_it_needs_and_shows_no_secret() -> None:
    settings = load_settings(PRODUCTION)
    assert settings.is_production
    assert settings.s3 is not None
    assert settings.s3.public_endpoint_url == "https://s3.example"
    assert settings.secret == SECRET
    for secret in (SECRET, "pass-word", "key-secret"):
        assert secret not in repr(settings)


@pytest.mark.parametrize("name", ["PLEIN_SECRET", "PLEIN_DATABASE_URL", "PLEIN_S3_ENDPOINT", "PLEIN_S3_SECRET_KEY"])
def test_production_names_what_is_missing(name: str) -> None:
    environ = {key: value for key, value in PRODUCTION.items() if key != name}
    if name == "PLEIN_S3_ENDPOINT":
        environ = {key: value for key, value in environ.items() if not key.startswith("PLEIN_S3_")}
    with pytest.raises(SettingsError, match=f"^{name}: must be set"):
        load_settings(environ)


@pytest.mark.parametrize("environ", [{"PLEIN_HOST": "0.0.0.0"}, {"PLEIN_DATABASE_URL": "postgresql://db/plein"}])
def test_the_mode_must_be_said_where_something_is_at_stake(environ: dict[str, str], tmp_path: Path) -> None:
    environ = {**environ, "PLEIN_DATA_DIR": str(tmp_path)}
    with pytest.raises(
        SettingsError, match=f"^PLEIN_MODE: say development or production, because {next(iter(environ))}"
    ):
        load_settings(environ)
    assert load_settings({**environ, "PLEIN_MODE": "development"}).mode is Mode.DEVELOPMENT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLEIN_PORT", "http"),
        ("PLEIN_PORT", "0"),
        ("PLEIN_PORT", "70000"),
        ("PLEIN_PORT", "٣"),
        ("PLEIN_MODE", "test"),
        ("PLEIN_SECRET", "short"),
        ("PLEIN_BASE_HOST", "https://plein.example/"),
        ("PLEIN_DATABASE_URL", "mysql://root:hunter2@db"),
        ("PLEIN_S3_ENDPOINT", "s3.example"),
        ("PLEIN_LOG_LEVEL", "loud"),
        ("PLEIN_CONSOLE", "maybe"),
        ("PLEIN_LIMIT_DEPTH", "-1"),
        ("PLEIN_CORS_ORIGINS", "example.nl"),
        ("PLEIN_CORS_ORIGINS", "https://example.nl/path"),
        ("PLEIN_PROXIES", "11"),
        ("PLEIN_INTROSPECTION", "friends"),
        ("PLEIN_RATE_ACCOUNT", "10000"),
        ("PLEIN_RATE_ADDRESS", "-1"),
        ("PLEIN_RATE_KEY", "5"),
        ("PLEIN_DOCUMENTS_ONLY", "on"),
        ("PLEIN_S3_ACCESS_KEY", "key-without-endpoint"),
        ("PLEIN_PROT", "8000"),
    ],
)
def test_what_cannot_be_right_is_one_line_that_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"PLEIN_SECRET": SECRET, name: value})
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert "\n" not in message
    assert "hunter2" not in message


def test_a_misspelt_name_gets_the_right_one_suggested() -> None:
    with pytest.raises(SettingsError, match=r"is it PLEIN_LIMIT_DEPTH\?"):
        load_settings({"PLEIN_LIMITS_DEPTH": "3"})


def test_an_empty_text_counts_as_not_set_and_other_programs_are_left_alone() -> None:
    settings = load_settings(
        {"PLEIN_PORT": "", "PLEIN_SECRET": SECRET, "PLEINAIR": "1", "PLEIN_TEST_DATABASE_URL": "x"}
    )
    assert settings.port == 8000


def test_every_limit_can_be_set() -> None:
    names = [each.name for each in VARIABLES if each.name.startswith("LIMIT_")]
    environ = {f"PLEIN_{name}": str(40 + number) for number, name in enumerate(names)}
    limits = load_settings({**environ, "PLEIN_SECRET": SECRET}).limits
    assert [getattr(limits, name.removeprefix("LIMIT_").lower()) for name in names] == [*range(40, 40 + len(names))]


def test_the_documentation_has_every_variable_as_it_is() -> None:
    text = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    assert settings_table() in text
    assert set(re.findall(r"PLEIN_[A-Z0-9_]+", text)) - {"PLEIN_"} <= {f"PLEIN_{each.name}" for each in VARIABLES}
