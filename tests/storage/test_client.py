"""The client's own promises: errors in our words, bounds, and no ear for the environment."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from storage.client import ObjectStore
from storage.errors import BucketMissing, StoreRefused, StoreUnavailable
from storage.keys import object_key
from storage.settings import StorageSettings

ROOT = Path(__file__).parents[2]


@contextmanager
def silent_server() -> Iterator[str]:
    """A port that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


async def test_nobody_there(bundled_settings: StorageSettings) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    store = ObjectStore(replace(bundled_settings, endpoint_url=url, max_attempts=1))
    with pytest.raises(StoreUnavailable, match="EndpointConnectionError"):
        await store.check()
    await store.close()


async def test_no_answer_in_time(bundled_settings: StorageSettings) -> None:
    with silent_server() as url:
        store = ObjectStore(replace(bundled_settings, endpoint_url=url, max_attempts=1, read_timeout_ms=200))
        with pytest.raises(StoreUnavailable, match="ReadTimeout"):
            await asyncio.wait_for(store.get(object_key(uuid4(), "x")), 5)
        await store.close()


async def test_no_more_calls_wait_than_allowed(bundled_settings: StorageSettings) -> None:
    with silent_server() as url:
        settings = replace(
            bundled_settings, endpoint_url=url, max_attempts=1, read_timeout_ms=300, max_connections=1, max_waiting=2
        )
        store = ObjectStore(settings)
        results = await asyncio.gather(*(store.check() for _ in range(5)), return_exceptions=True)
        assert all(isinstance(result, StoreUnavailable) for result in results)
        assert ["more than 3 calls" in str(result) for result in results] == [False, False, False, True, True]
        with pytest.raises(StoreUnavailable, match="ReadTimeout"):
            await store.check()
        await store.close()


async def test_wrong_secret_and_missing_bucket(bundled_settings: StorageSettings) -> None:
    wrong = ObjectStore(replace(bundled_settings, secret_key="wrong" * 8))
    for call in (wrong.check(), wrong.put(object_key(uuid4(), "x"), b"")):
        with pytest.raises(StoreRefused) as error:
            await call
        assert "wrongwrong" not in str(error.value)
    await wrong.close()
    elsewhere = ObjectStore(replace(bundled_settings, bucket="not-there"))
    with pytest.raises(BucketMissing):
        await elsewhere.check()
    with pytest.raises(BucketMissing):
        await elsewhere.put(object_key(uuid4(), "x"), b"")
    await elsewhere.close()


async def test_a_large_body_is_refused_before_it_is_sent_whole(bundled_settings: StorageSettings) -> None:
    """The refusal is what the caller hears, not a broken connection."""
    body = bytes(8 * 1024 * 1024)
    for change, error in (({"secret_key": "wrong" * 8}, StoreRefused), ({"bucket": "not-there"}, BucketMissing)):
        store = ObjectStore(replace(bundled_settings, max_attempts=1, **change))
        for _ in range(3):
            with pytest.raises(error):
                await store.put(object_key(uuid4(), "x"), body)
        await store.close()


async def test_a_fresh_bucket_is_created_once(bundled: ObjectStore) -> None:
    store = ObjectStore(replace(bundled.settings, bucket="fresh-bucket"))
    assert await store.ensure_bucket() is True
    assert await store.ensure_bucket() is False
    await store.close()


def test_the_environment_is_not_asked(bundled_settings: StorageSettings, tmp_path: Path) -> None:
    """boto3 would follow all of these; a gateway must follow its own settings only."""
    hostile = {
        "AWS_PROFILE": "missing",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "other",
        "AWS_SECRET_ACCESS_KEY": "other",
        "AWS_SESSION_TOKEN": "other",
        "AWS_REGION": "xx-nowhere-1",
        "AWS_DEFAULT_REGION": "xx-nowhere-1",
        "AWS_CA_BUNDLE": str(tmp_path / "missing.pem"),
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_USE_DUALSTACK_ENDPOINT": "true",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "HOME": str(tmp_path),
    }
    (tmp_path / "config").write_text("[default]\nregion = xx-nowhere-1\ns3 =\n  addressing_style = virtual\n")
    program = f"""
import asyncio
from storage.client import ObjectStore
from storage.settings import StorageSettings
async def main():
    store = ObjectStore(StorageSettings({bundled_settings.endpoint_url!r}, {bundled_settings.bucket!r},
        {bundled_settings.access_key!r}, {bundled_settings.secret_key!r}))
    await store.ensure_bucket()
    await store.check()
    await store.close()
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=hostile, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


async def test_a_cancelled_call_harms_no_other(bundled: ObjectStore) -> None:
    tenant: UUID = uuid4()
    keys = [object_key(tenant, str(number)) for number in range(20)]
    tasks = [asyncio.create_task(bundled.put(key, key.text.encode())) for key in keys]
    await asyncio.sleep(0.01)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for key in keys[1::2]:
        assert await bundled.get(key) == key.text.encode()
    await bundled.delete_prefix(tenant)
