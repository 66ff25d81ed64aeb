"""Seals: what opens, and that nothing else does."""

from __future__ import annotations

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey

from auth.issuer import derive_key
from auth.seal import Seal, SealBroken

SECRET = "a secret of the platform, long enough"
SEAL = Seal(SECRET, "test")


def test_what_was_sealed_opens_and_tells_nothing_while_closed():
    text = SEAL.close("issuer", {"secret": "geheim"})
    assert SEAL.open("issuer", text) == {"secret": "geheim"}
    assert "geheim" not in text
    assert SEAL.close("issuer", {"secret": "geheim"}) != text, "the same is never sealed to the same text"


def test_a_seal_is_for_one_purpose_one_thing_and_one_secret():
    text = SEAL.close("issuer", "value")
    for seal, about in (
        (Seal(SECRET, "other"), "issuer"),
        (Seal(SECRET + "!", "test"), "issuer"),
        (SEAL, "another issuer"),
    ):
        with pytest.raises(SealBroken):
            seal.open(about, text)


@pytest.mark.parametrize("text", ["", "a.b.c.d.e", "....", "é", "x" * 40_000])
def test_what_was_never_sealed(text: str):
    with pytest.raises(SealBroken):
        SEAL.open("issuer", text)


def test_every_changed_character_breaks_it():
    text = SEAL.close("issuer", "value")
    ends = {at - 1 for at in range(len(text) + 1) if at == len(text) or text[at] == "."}  # they have bits to spare
    for place in sorted(set(range(len(text))) - ends):
        if text[place] != ".":
            changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
            with pytest.raises(SealBroken):
                SEAL.open("issuer", changed)


def test_a_compressed_text_is_not_unpacked():
    key = OctKey.import_key(derive_key(SECRET, "seal/test"))
    header = {"alg": "dir", "enc": "A256GCM", "zip": "DEF"}
    text = jwe.encrypt_compact(header, b'["issuer",1]', key, algorithms=["dir", "A256GCM", "DEF"])
    with pytest.raises(SealBroken):
        SEAL.open("issuer", text)
