"""Settings that cannot be right are refused when they are made, and none shows its secret."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.errors import StoreMisconfigured
from storage.settings import StorageSettings

GOOD = StorageSettings("https://s3.example:9000", "bucket", "access", "very-secret")


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint_url": "s3.example"},
        {"endpoint_url": "ftp://s3.example"},
        {"endpoint_url": "https://s3.example/path"},
        {"endpoint_url": "https://user:very-secret@s3.example"},
        {"endpoint_url": "https://s3.example:99999"},
        {"public_endpoint_url": "https://s3.example?x"},
        {"bucket": "Bucket"},
        {"bucket": "a/b"},
        {"bucket": ""},
        {"secret_key": ""},
        {"region": ""},
        {"max_connections": 0},
        {"read_timeout_ms": 0},
    ],
)
def test_refused(change: dict[str, str]) -> None:
    with pytest.raises(StoreMisconfigured) as error:
        replace(GOOD, **change)  # type: ignore[arg-type]
    assert "very-secret" not in str(error.value)


def test_the_secret_is_not_shown() -> None:
    assert "very-secret" not in repr(GOOD)
