"""What every page has: safety, languages, words, and a way for faults."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from gateway.app import Gateway
from gateway.pages.addresses import safe_next
from gateway.pages.languages import asked_for
from gateway.pages.layout import HERE
from gateway.pages.words import GROUPS, WORDS
from tests.gateway.pages.signed_in import new_account, sign_in
from tests.gateway.pages.visitor import Visitor

# Keys that are put together: by an error's code, by what was done, by a letter, by what is wrong with a field.
DERIVED = (
    r"error\.[A-Z_]+|account\.done_\w+|letter\..+|sign_in\.\w+_missing"
    r"|password\.(short|long|repeated|row|easy|own|missing)"
)


async def test_a_page_is_kept_by_nobody_framed_by_nobody_and_loads_nothing_from_elsewhere(production: Gateway) -> None:
    visitor = Visitor(production, at="https://plein.example")
    headers = (await visitor.open("/sign-in")).headers
    policy = dict(each.strip().split(" ", 1) for each in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["style-src"] == policy["form-action"] == "'self'"
    assert "script-src" not in policy
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    style = re.search(r'<link rel="stylesheet" href="([^"]+)"', visitor.page.text)
    assert style is not None
    sheet = await visitor.http.get(style[1])
    assert (sheet.status_code, sheet.headers["content-type"]) == (200, "text/css; charset=utf-8")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "nl"),
        ("*", "nl"),
        ("nl", "nl"),
        ("nl-BE", "nl"),
        ("en-GB,en;q=0.9", "en"),
        ("en;q=0.4, nl;q=0.5", "nl"),
        ("de, en;q=0.1, nl;q=0.2", "nl"),
        ("de-DE", "en"),
        ("nl;q=0, en", "en"),
        (";;,q=,nl;q=x", "en"),
    ],
)
def test_the_browsers_language_is_followed(header: str, language: str) -> None:
    assert asked_for(header) == language


async def test_a_choice_of_language_lasts_and_leads_back(door: Gateway) -> None:
    visitor = Visitor(door, accept_language="nl")
    await visitor.open("/sign-in?next=%2Faccount")
    assert '<html lang="nl">' in visitor.page.text
    assert "Inloggen" in visitor.read.text
    english = next(href for href, text in visitor.read.links if text == "English")
    await visitor.open(english)
    assert '<html lang="en">' in visitor.page.text
    assert str(visitor.page.url.raw_path, "ascii") == "/sign-in?next=%2Faccount"
    await visitor.open("/sign-out")
    assert '<html lang="en">' in visitor.page.text


def test_every_text_has_both_languages_and_the_same_places() -> None:
    assert sum(len(group) for group in GROUPS) == len(WORDS)
    for key, (english, dutch) in WORDS.items():
        assert english.strip(), key
        assert dutch.strip(), key
        places = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (english, dutch)]
        assert places[0] == places[1], key


def test_every_text_that_a_page_names_is_there_and_none_is_left_over() -> None:
    named: set[str] = set()
    for path in [*(HERE / "templates").iterdir(), *HERE.rglob("*.py"), *(HERE.parent / "provider").rglob("*.py")]:
        if path.parent.name != "wording":
            named |= set(re.findall(r'(?<!Act\()"([a-z_]+\.(?!html)[A-Za-z_0-9]+)"', path.read_text()))
    used = {each for each in named if each.partition(".")[0] in {key.partition(".")[0] for key in WORDS}}
    assert used - set(WORDS) == set()
    assert {key for key in set(WORDS) - used if not re.fullmatch(DERIVED, key)} == set()


@pytest.mark.parametrize(
    ("address", "leads"),
    [
        ("/account", True),
        ("/a?b=c#d", True),
        ("https://plein.example/x", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("\\\\evil.example", False),
        ("/\t/evil.example", False),
        ("https://evil.example/", False),
        ("https://plein.example.evil.example/", False),
        ("https://plein.example@evil.example/", False),
        ("https:evil.example", False),
        ("https:///evil.example", False),
        ("http://plein.example/", False),
        ("https://plein.example:8443/", False),
        ("https://nosite.plein.example/", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("account", False),
        ("/é", False),
        ("/" + "a" * 8_000, False),
        ("https://[", False),
        ("", False),
    ],
)
async def test_nobody_is_led_elsewhere(production: Gateway, address: str, leads: bool) -> None:
    from starlette.requests import Request  # noqa: PLC0415

    scope = {"type": "http", "app": production._others, "headers": [(b"host", b"plein.example")], "scheme": "https"}
    assert await safe_next(Request(scope | {"path": "/", "query_string": b""}), address) == (address if leads else "/")
    answer = await Visitor(production, at="https://plein.example").http.get("/language", params={"next": address})
    assert answer.headers["location"] == (address if leads else "/")


async def test_a_sites_own_addresses_are_led_to(production: Gateway, environ: dict[str, str]) -> None:
    from tenants.provisioning import NewTenant, provision  # noqa: PLC0415

    square = production.square
    await provision(square.database, NewTenant("zwolle", "Zwolle"), owner_account_id=await new_account(production))
    answer = await Visitor(production, at="https://plein.example").http.get(
        "/language", params={"next": "https://zwolle.plein.example/x"}
    )
    assert answer.headers["location"] == "https://zwolle.plein.example/x"


async def test_what_is_not_there_is_a_page_for_browsers_and_json_for_others(door: Gateway) -> None:
    visitor = Visitor(door, accept_language="en")
    assert (await visitor.open("/nowhere")).status_code == 404
    assert "There is nothing at this address." in visitor.read.text
    assert "NOT_FOUND" in visitor.read.text
    answer = await visitor.http.get("/nowhere", headers={"accept": "*/*"})
    assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_signing_out_ends_the_session_and_only_from_our_own_page(door: Gateway) -> None:
    visitor = Visitor(door, accept_language="en")
    await sign_in(door, visitor, await new_account(door, "Sanne <b>Bakker</b>"))
    token = visitor.cookies["plein"]
    await visitor.open("/sign-out")
    assert "Sanne <b>Bakker</b>" in visitor.read.text
    assert "<b>" not in visitor.page.text
    for headers in ({"origin": "https://evil.example", "sec_fetch_site": "cross-site"}, {"origin": "null"}):
        assert (await visitor.send({}, **headers)).status_code == 403
        await visitor.open("/sign-out")
    assert (await visitor.send({"form": "1.2"})).status_code == 403
    await visitor.open("/sign-out")
    await visitor.send({})
    assert "You are signed out" in visitor.read.text
    assert "plein" not in visitor.cookies
    visitor.keep("plein", token)
    assert (await visitor.ask("{ viewer { account { name } } }"))["data"]["viewer"]["account"] is None


async def test_a_form_token_of_another_browser_is_of_no_use(door: Gateway) -> None:
    attacker, victim = Visitor(door, accept_language="en"), Visitor(door, accept_language="en")
    account_id = await new_account(door)
    for each in (attacker, victim):
        await sign_in(door, each, account_id)
        await each.open("/sign-out")
    stolen = attacker.read.forms[0].fields["form"]
    assert stolen != victim.read.forms[0].fields["form"]
    assert (await victim.send({"form": stolen})).status_code == 403
    assert "too old" in victim.read.text
