"""Passwords: which are good enough, and how they are hashed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from auth.errors import Busy
from auth.local.password_rules import fault_of
from auth.local.passwords import WAITING_MOST, Passwords

OWN = ("plein", "Sanne de Vries", "s.devries@gemeente-utrecht.nl")


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("", "short"),
        ("elf tekens!", "short"),
        ("x" * 257, "long"),
        ("aaaaaaaaaaaa", "repeated"),
        ("abababababab", "repeated"),
        ("abc123abc123abc123", "repeated"),
        ("123456789012", "row"),
        ("qwertyuiop12", "row"),
        ("Qwertyuiop!!", "row"),
        ("zyxwvutsrqpo", "row"),
        ("password1234", "easy"),
        ("P@ssw0rd2026!", "easy"),
        ("Welkom2026!!", "easy"),
        ("Wachtwoord-123", "easy"),
        ("WelkomUtrecht01", "easy"),
        ("zomer2026zomer", "easy"),
        ("plein1plein!!", "own"),
        ("SanneDeVries1!", "own"),
        ("devries2026!!", "own"),
        ("correct horse battery staple", None),
        ("twaalf-tekens", None),
        ("vier woorden uit een boek", None),
        ("🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧", None),
        ("x7#Kp2!mQ9$z", None),
        ("Sanne houdt van fietsen door de regen", None),
        ("wachtwoordloze toekomst", None),
    ],
)
def test_what_will_do(password: str, fault: str | None) -> None:
    assert fault_of(password, OWN) == fault


def test_length_counts_characters_however_they_are_composed() -> None:
    assert fault_of("é" * 11 + "x") == "repeated"
    assert fault_of("e\u0301ebcdfghjkl") == "short"  # eleven, once the accent is put on


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords()
    yield passwords
    passwords.close()


async def test_a_hash_is_argon2id_with_the_parameters_of_owasp(passwords: Passwords) -> None:
    hashed = await passwords.hash("correct horse battery staple")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    found = extract_parameters(hashed)
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (Type.ID, 19_456, 2, 1)
    assert (found.salt_len, found.hash_len) == (16, 32)
    assert hashed != await passwords.hash("correct horse battery staple")
    assert await passwords.verify("correct horse battery staple", hashed)
    for wrong in ("", "correct horse battery stapl", "Correct horse battery staple", "\udc80"):
        assert not await passwords.verify(wrong, hashed)


async def test_a_keyboard_that_composes_differently_is_the_same(passwords: Passwords) -> None:
    hashed = await passwords.hash("caf\u00e9 op de hoek")
    assert await passwords.verify("cafe\u0301 op de hoek", hashed)


async def test_nobody_costs_as_much_as_somebody(passwords: Passwords) -> None:
    hashed = await passwords.hash("correct horse battery staple")
    for known in (hashed, None, "nonsense"):
        before = passwords.computed
        assert not await passwords.verify("another password", known)
        assert passwords.computed == before + 1
    assert extract_parameters(passwords._nobodys) == extract_parameters(hashed)


async def test_other_parameters_are_seen(passwords: Passwords) -> None:
    assert passwords.is_outdated(PasswordHasher(1, 8, 1).hash("x"))
    assert not passwords.is_outdated(await passwords.hash("x"))


async def test_a_password_that_is_too_long_is_wrong_and_costs_no_more(passwords: Passwords) -> None:
    hashed = await passwords.hash("y" * 256)
    assert not await passwords.verify("y" * 10_000, hashed)


async def test_the_event_loop_goes_on_and_only_so_many_wait(passwords: Passwords) -> None:
    gate = threading.Event()
    held = [asyncio.create_task(passwords._run(gate.wait)) for _ in range(WAITING_MOST)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await passwords.verify("x", None)
    gate.set()
    await asyncio.gather(*held)
    assert await passwords.hash("again there is room")
