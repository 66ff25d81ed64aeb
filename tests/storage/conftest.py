"""The endpoints the contract runs against: the bundled store, moto, and any real S3 named by the environment.

S3_TEST_ENDPOINT, S3_TEST_ACCESS_KEY, S3_TEST_SECRET_KEY, and if need be S3_TEST_REGION and S3_TEST_PATH_STYLE=0
add a real one; it must allow the creation of buckets.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import httpx
import pytest
from moto.server import ThreadedMotoServer

from storage.boto import make_client
from storage.client import ObjectStore
from storage.devstore.process import BundledStore
from storage.presign import Presigner
from storage.settings import StorageSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ALLOWED_ORIGIN = "https://square.example"
ENDPOINTS = ["bundled", "moto", *(["s3"] if "S3_TEST_ENDPOINT" in os.environ else [])]


@dataclass(frozen=True)
class Endpoint:
    """One store under test."""

    name: str
    settings: StorageSettings

    def skip_if(self, name: str, reason: str) -> None:
        """Skip the test where this store is known not to keep the contract."""
        if self.name == name:
            pytest.skip(f"{name}: {reason}")


@pytest.fixture(scope="session")
def bundled_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageSettings]:
    directory: Path = tmp_path_factory.mktemp("store")
    with BundledStore(directory, bucket="bundled-bucket", allowed_origins=[ALLOWED_ORIGIN]) as settings:
        yield settings


@pytest.fixture(scope="session")
def moto_settings() -> Iterator[StorageSettings]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        port = server.get_host_and_port()[1]
        yield StorageSettings(f"http://127.0.0.1:{port}", "moto-bucket", "moto", "moto-secret")
    finally:
        server.stop()


@pytest.fixture(scope="session")
def s3_settings() -> StorageSettings:
    environ = os.environ
    return StorageSettings(
        environ["S3_TEST_ENDPOINT"],
        f"plein-contract-{uuid4().hex[:12]}",
        environ["S3_TEST_ACCESS_KEY"],
        environ["S3_TEST_SECRET_KEY"],
        region=environ.get("S3_TEST_REGION", "us-east-1"),
        path_style=environ.get("S3_TEST_PATH_STYLE", "1") != "0",
    )


@pytest.fixture(scope="session", params=ENDPOINTS)
async def endpoint(request: pytest.FixtureRequest) -> AsyncIterator[Endpoint]:
    settings = request.getfixturevalue(f"{request.param}_settings")
    store = ObjectStore(settings)
    await store.ensure_bucket()
    yield Endpoint(request.param, settings)
    await store.close()
    if request.param == "s3":
        make_client(settings).delete_bucket(Bucket=settings.bucket)


@pytest.fixture(scope="session")
async def store(endpoint: Endpoint) -> AsyncIterator[ObjectStore]:
    opened = ObjectStore(endpoint.settings)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def raw(endpoint: Endpoint) -> Iterator[S3Client]:
    """boto3 itself, for what the client of the product has no method for."""
    client = make_client(endpoint.settings)
    yield client
    client.close()


@pytest.fixture
async def tenant(store: ObjectStore) -> AsyncIterator[UUID]:
    fresh = uuid4()
    yield fresh
    await store.delete_prefix(fresh)


@pytest.fixture(scope="session")
def presigner(endpoint: Endpoint) -> Presigner:
    return Presigner(endpoint.settings)


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture(scope="session")
async def bundled(bundled_settings: StorageSettings) -> AsyncIterator[ObjectStore]:
    """The bundled store alone, with its bucket, for what only it is asked."""
    opened = ObjectStore(replace(bundled_settings, bucket="only-bundled"))
    await opened.ensure_bucket()
    yield opened
    await opened.close()
