"""Codes of authenticator apps, by the vectors of RFC 4226 and RFC 6238."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from auth.local.totp import STEP_S, address_of, code_at, matching_step, new_secret, step_at, text_of

SECRET = b"12345678901234567890"
HOTP = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")
TOTP = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}


def test_the_codes_of_the_standards() -> None:
    assert tuple(code_at(SECRET, step) for step in range(10)) == HOTP
    for now, code in TOTP.items():
        assert code_at(SECRET, step_at(now)) == code[-6:]


@pytest.mark.parametrize(("drift", "is_good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_good_one_step_early_and_late(drift: int, is_good: bool) -> None:
    now = 1_000_000 * STEP_S + 7
    step = step_at(now) + drift
    assert (matching_step(SECRET, code_at(SECRET, step), now, after=0) == step) is is_good


def test_a_code_is_good_once_and_none_before_it() -> None:
    now = 1_000_000 * STEP_S
    step = step_at(now)
    assert matching_step(SECRET, code_at(SECRET, step), now, after=step) is None
    assert matching_step(SECRET, code_at(SECRET, step - 1), now, after=step) is None
    assert matching_step(SECRET, code_at(SECRET, step + 1), now, after=step) == step + 1


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "1234567", " 75522"])
def test_what_is_no_code(code: str) -> None:
    assert matching_step(SECRET, code, 1_000, after=0) is None


def test_what_an_app_reads() -> None:
    assert text_of(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    parts = urlsplit(address_of(SECRET, "anna@example.nl", "Plein (plein.example)"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/Plein (plein.example):anna@example.nl"
    given = parse_qs(parts.query)
    assert given["secret"] == ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]
    assert (given["issuer"], given["digits"], given["period"]) == (["Plein (plein.example)"], ["6"], ["30"])
    assert len({new_secret() for _ in range(10)}) == 10
