"""The configuration of issuers: what is in order, and which word is named where it is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc.jwk import OctKey, RSAKey

from auth.relying.issuers import ClientAuthentication, Issuer, IssuerInvalid, Joiners, issuer_from
from auth.relying.person import read_person

GIVEN = {"issuer": "https://id.example.nl", "client_id": "plein", "client_secret": "s3cret"}


def made(**more: Any) -> Issuer:
    return issuer_from("gemeente", {**GIVEN, **more}, is_near=True)


def test_little_is_needed():
    issuer = made()
    assert (issuer.key, issuer.name, issuer.url) == ("gemeente", "gemeente", "https://id.example.nl")
    assert issuer.authentication is ClientAuthentication.BASIC
    assert issuer.joiners is Joiners.OPEN
    assert "s3cret" not in repr(issuer)
    public = issuer_from("a", {"issuer": "https://id.example.nl/x", "client_id": "p"}, is_near=False)
    assert public.authentication is ClientAuthentication.NONE
    assert public.discovery_url == "https://id.example.nl/x/.well-known/openid-configuration"


def test_a_private_key_is_the_way_to_use_one():
    pem = RSAKey.generate_key(2048).as_pem(private=True).decode()
    given = {"issuer": "https://id.example.nl", "client_id": "plein", "private_key": pem}
    assert issuer_from("a", given, is_near=False).authentication is ClientAuthentication.PRIVATE_KEY


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"issuer": "http://id.example.nl"}, "issuer"),
        ({"issuer": "https://id.example.nl?x=1"}, "issuer"),
        ({"issuer": "https://id.example.nl#x"}, "issuer"),
        ({"issuer": 7}, "issuer"),
        ({"client_id": ""}, "client_id"),
        ({"client_id": "a\nb"}, "client_id"),
        ({"clientid": "x"}, "clientid"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"authentication": "client_secret_jwt"}, "authentication"),
        ({"authentication": "none"}, "client_secret"),
        ({"authentication": "private_key_jwt"}, "private_key"),
        ({"algorithms": ["HS256"]}, "algorithms"),
        ({"algorithms": ["none"]}, "algorithms"),
        ({"algorithms": []}, "algorithms"),
        ({"algorithms": "RS256"}, "algorithms"),
        ({"algorithms": [256]}, "algorithms"),
        ({"scopes": ["email"]}, "scopes"),
        ({"scopes": ["openid", "a b"]}, "scopes"),
        ({"accounts": "everybody"}, "accounts"),
        ({"accounts": "domains"}, "domains"),
        ({"domains": ["example.nl"]}, "domains"),
        ({"accounts": "domains", "domains": ["*.nl"]}, "domains"),
        ({"accounts": "domains", "domains": ["nl"]}, "domains"),
        ({"email_is_verified": "yes"}, "email_is_verified"),
        ({"strong": ["x" * 301]}, "strong"),
        ({"strong_acr": ["a b"]}, "strong_acr"),
        ({"max_age_seconds": -1}, "max_age_seconds"),
        ({"max_age_seconds": True}, "max_age_seconds"),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, Any], word: str):
    with pytest.raises(IssuerInvalid) as error:
        made(**given)
    assert error.value.field == word
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("word", ["issuer", "client_id"])
def test_what_is_missing_is_named(word: str):
    with pytest.raises(IssuerInvalid) as error:
        issuer_from("a", {name: value for name, value in GIVEN.items() if name != word}, is_near=False)
    assert error.value.field == word


@pytest.mark.parametrize("key", ["", "A", "-a", "a/b", "a" * 41, "é"])
def test_a_key_is_a_short_name(key: str):
    with pytest.raises(IssuerInvalid) as error:
        issuer_from(key, GIVEN, is_near=False)
    assert error.value.field == "key"


@pytest.mark.parametrize(
    "secret",
    [
        "no key",
        json.dumps(OctKey.generate_key().as_dict(private=True)),
        json.dumps(RSAKey.generate_key(2048).as_dict(private=False)),
        RSAKey.generate_key(2048).as_pem(private=False).decode(),
        "{",
    ],
    ids=["a text", "a shared secret", "public, as JSON", "public, as PEM", "no JSON"],
)
def test_what_is_no_private_key(secret: str):
    with pytest.raises(IssuerInvalid) as error:
        issuer_from("a", {"issuer": "https://id.nl", "client_id": "p", "private_key": secret}, is_near=False)
    assert error.value.field == "private_key"


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ({}, (None, None, False, None)),
        ({"name": "  Anna \n de\tWit  "}, ("Anna de Wit", None, False, None)),
        ({"name": "\u202eanna\x00"}, ("anna", None, False, None)),
        ({"name": "x" * 500}, ("x" * 200, None, False, None)),
        ({"name": 7, "given_name": "Anna", "family_name": None}, ("Anna", None, False, None)),
        ({"preferred_username": "anna"}, ("anna", None, False, None)),
        ({"email": "a@b"}, (None, None, False, None)),
        ({"email": "a b@example.nl", "email_verified": True}, (None, None, False, None)),
        ({"email": "a@example.nl\nBcc: x@y.nl", "email_verified": True}, (None, None, False, None)),
        ({"email": ["a@example.nl"], "email_verified": True}, (None, None, False, None)),
        ({"email": "Anna@Example.nl", "email_verified": True}, (None, "Anna@Example.nl", True, None)),
        ({"locale": "nl-NL"}, (None, None, False, "nl-NL")),
        ({"locale": "'; DROP"}, (None, None, False, None)),
        ({"locale": ["nl"]}, (None, None, False, None)),
    ],
)
def test_what_is_told_of_a_person_is_made_sound(claims: dict[str, Any], found: tuple[Any, ...]):
    person = read_person(claims)
    assert (person.name, person.email, person.email_verified, person.language) == found
