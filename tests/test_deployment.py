"""The description for production holds together: what it names exists, and it gives nobody a password.

It cannot be run here, where there may be no containers; it is read.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
SECRET = re.compile(r"PASSWORD|SECRET|KEY|TOKEN")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_refers_to_what_exists(name: str):
    service = SERVICES[name]
    assert set(service.get("depends_on", {})) <= set(SERVICES)
    named = {each.split(":")[0] for each in service.get("volumes", [])}
    assert {each for each in named if not each.startswith(("/", "."))} <= set(COMPOSE["volumes"])
    assert {each["source"] for each in service.get("configs", [])} <= set(COMPOSE["configs"])
    assert set(service.get("networks", {})) <= set(COMPOSE["networks"])
    if "build" in service:
        assert (ROOT / service["build"]["dockerfile"]).is_file()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_tells_how_it_is(name: str):
    runs_once = SERVICES[name].get("restart") == "no"
    assert runs_once or "healthcheck" in SERVICES[name]


@pytest.mark.parametrize("name", SERVICES)
def test_a_secret_is_asked_for(name: str):
    for key, value in SERVICES[name].get("environment", {}).items():
        if SECRET.search(key):
            assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", str(value)), f"{key} has a default"


def test_no_secret_has_a_default():
    assert [each for each in re.findall(r"\$\{(\w+):?-", TEXT) if SECRET.search(each)] == []


def test_what_is_asked_for_stands_in_the_example():
    asked = set(re.findall(r"\$\{(\w+):\?", TEXT))
    example = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / "docs/deploy/example.env").read_text(), re.MULTILINE))
    assert asked == set(example)
    assert set(example.values()) == {""}, "the example fills nothing in"


def test_the_gateway_is_asked_for_its_health_where_it_tells_it():
    health = importlib.import_module("gateway.health")
    asked = re.findall(r"http://127\.0\.0\.1:8000(/\w+)", " ".join(SERVICES["gateway"]["healthcheck"]["test"]))
    assert len(asked) == 1
    assert set(asked) <= {route.path for route in health.health_routes(dict)}


def test_the_settings_of_the_gateway_exist():
    settings = importlib.import_module("gateway.settings")
    used = {key for key in SERVICES["gateway"]["environment"] if key.startswith("PLEIN_")}
    assert used <= {settings.PREFIX + each.name for each in settings.VARIABLES}


def test_the_gateway_accepts_these_settings():
    """With something filled in, production starts: nothing that it demands is missing."""
    settings = importlib.import_module("gateway.settings")
    filled = {
        key: re.sub(r"\$\{\w+:\?[^}]+\}", "https://example.org" if "ENDPOINT" in key else "0" * 48, str(value))
        for key, value in SERVICES["gateway"]["environment"].items()
    }
    loaded = settings.load_settings({key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for key, value in filled.items()})
    assert loaded.is_production
