"""Keys: what is built is parsed, what is bad is refused, and no key leaves its tenant."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import InvalidKey
from storage.keys import ObjectKey, belongs_to, listing_prefix, object_key, parse_key, tenant_prefix

TENANT = UUID(int=1)
OTHER = UUID(int=2)
SEGMENTS = st.lists(
    st.text(
        st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="/\\"), min_size=1, max_size=40
    ).filter(lambda segment: segment not in {".", ".."}),
    min_size=1,
    max_size=5,
)


@given(st.uuids(), SEGMENTS)
def test_built_keys_are_parsed_back(tenant: UUID, segments: list[str]) -> None:
    key = object_key(tenant, *segments)
    assert key.text == f"sites/{tenant.hex}/" + "/".join(segments)
    assert parse_key(tenant, key.text) == key
    assert belongs_to(tenant, key.text)


@given(st.uuids(), st.uuids(), SEGMENTS)
def test_a_key_belongs_to_one_tenant(tenant: UUID, other: UUID, segments: list[str]) -> None:
    text = object_key(tenant, *segments).text
    assert belongs_to(other, text) is (tenant == other)


@given(st.text())
def test_any_text_is_refused_or_lies_under_the_prefix(text: str) -> None:
    for candidate in (text, tenant_prefix(TENANT) + text):
        try:
            key = parse_key(TENANT, candidate)
        except InvalidKey:
            continue
        assert key.text.startswith(tenant_prefix(TENANT))
        assert not {"", ".", ".."} & set(key.text.split("/"))
        assert len(key.text.encode()) <= 1024


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "empty"),
        ("/", "empty segment"),
        ("/etc", "empty segment"),
        ("a//b", "empty segment"),
        ("a/", "empty segment"),
        ("..", "dots"),
        ("a/../b", "dots"),
        ("./a", "dots"),
        ("a\\b", "backslash"),
        ("a\nb", "control"),
        ("a\x00", "control"),
        ("a\x7f", "control"),
        ("a\u2028b", "control"),
        ("a\ud800", "control"),
        ("x" * 986, "longer than 1024"),
        ("é" * 493, "longer than 1024"),
    ],
)
def test_bad_paths_are_refused_with_the_reason(path: str, reason: str) -> None:
    with pytest.raises(InvalidKey, match=reason):
        ObjectKey(TENANT, path)
    assert not belongs_to(TENANT, tenant_prefix(TENANT) + path)


def test_the_longest_key() -> None:
    assert len(ObjectKey(TENANT, "x" * 985).text.encode()) == 1024


@pytest.mark.parametrize(
    "text",
    [
        tenant_prefix(OTHER) + "files/a",
        f"sites/{TENANT}/files/a",
        f"sites/{TENANT.hex}",
        f"sites/{TENANT.hex}x/files/a",
        f"/sites/{TENANT.hex}/files/a",
        f"Sites/{TENANT.hex}/files/a",
        f"sites/{TENANT.hex}/../{OTHER.hex}/files/a",
        "files/a",
        "",
    ],
)
def test_foreign_prefixes_are_refused(text: str) -> None:
    with pytest.raises(InvalidKey):
        parse_key(TENANT, text)


def test_segments_hold_no_slash() -> None:
    with pytest.raises(InvalidKey, match="slash"):
        object_key(TENANT, "files", "a/b")


def test_listing_prefix_ends_at_a_folder() -> None:
    assert listing_prefix(TENANT) == f"sites/{TENANT.hex}/"
    assert listing_prefix(TENANT, "files") == listing_prefix(TENANT, "files/") == f"sites/{TENANT.hex}/files/"
    with pytest.raises(InvalidKey):
        listing_prefix(TENANT, "../" + OTHER.hex)
