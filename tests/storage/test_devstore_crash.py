"""kill -9 at any moment: what was acknowledged is there, what was not is whole or absent, nothing is left over."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from storage.boto import make_client
from storage.devstore.process import BundledStore
from storage.keys import object_key
from storage.presign import Presigner

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TENANT = UUID(int=5)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def running(directory: Path) -> Iterator[BundledStore]:
    store = BundledStore(directory)
    yield store
    store.stop()


def kill(store: BundledStore) -> None:
    assert store.pid is not None
    os.kill(store.pid, signal.SIGKILL)
    store.stop()


def files_of(directory: Path) -> set[str]:
    return {path.name for folder in ("blobs", "incoming") for path in (directory / folder).rglob("*") if path.is_file()}


def blobs_of(directory: Path) -> set[str]:
    with sqlite3.connect(directory / "index.sqlite3") as index:
        return {blob for (blob,) in index.execute("SELECT blob FROM object UNION ALL SELECT blob FROM part")}


def body_of(number: int) -> bytes:
    """A body that can be told from any other, whole or cut."""
    seed = hashlib.sha256(str(number).encode()).digest()
    return f"{number}:".encode() + seed * random.Random(number).randrange(1, 20_000)


class Writer(threading.Thread):
    """Overwrites one key again and again, and remembers what was sent and what was acknowledged."""

    def __init__(self, client: S3Client, bucket: str, name: str, first: int) -> None:
        super().__init__(daemon=True)
        self.key = object_key(TENANT, name)
        self.acknowledged = self.sent = first
        self._client = client
        self._bucket = bucket

    def run(self) -> None:
        """Write until the store is gone."""
        try:
            while True:
                self.sent += 1
                self._client.put_object(Bucket=self._bucket, Key=self.key.text, Body=body_of(self.sent))
                self.acknowledged = self.sent
        except (BotoCoreError, ClientError):
            return


def test_killed_while_many_write(running: BundledStore, directory: Path) -> None:
    settings = running.start()
    client = make_client(replace(settings, max_attempts=1))
    client.create_bucket(Bucket=settings.bucket)
    reached = {f"key-{number}": 0 for number in range(4)}
    for round_number in range(3):
        writers = [Writer(client, settings.bucket, name, first) for name, first in reached.items()]
        for writer in writers:
            writer.start()
        while any(writer.acknowledged == reached[writer.key.path] for writer in writers):
            time.sleep(0.01)
        time.sleep(random.Random(round_number).random() / 5)
        kill(running)
        settings = running.start()
        client = make_client(replace(settings, max_attempts=1))
        for writer in writers:
            writer.join(10)
            assert not writer.is_alive()
        assert files_of(directory) == blobs_of(directory)
        for writer in writers:
            body = client.get_object(Bucket=settings.bucket, Key=writer.key.text)["Body"].read()
            found = int(body.partition(b":")[0])
            assert body == body_of(found), "half an object"
            assert writer.acknowledged <= found <= writer.sent
            reached[writer.key.path] = writer.sent


def test_killed_in_the_middle_of_an_upload(running: BundledStore, directory: Path) -> None:
    settings = running.start()
    client = make_client(settings)
    client.create_bucket(Bucket=settings.bucket)
    old, new = object_key(TENANT, "old"), object_key(TENANT, "new")
    client.put_object(Bucket=settings.bucket, Key=old.text, Body=b"old")
    connections = []
    for key in (old, new):
        size = 8 * 1024 * 1024
        target = Presigner(settings).sign("PUT", key.text, headers={"content-length": str(size)})
        path = target.removeprefix(settings.endpoint_url)
        host = settings.endpoint_url.removeprefix("http://")
        connection = socket.create_connection(("127.0.0.1", int(host.partition(":")[2])))
        connection.sendall(f"PUT {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {size}\r\n\r\n".encode())
        connection.sendall(b"n" * (size // 2))
        connections.append(connection)
    deadline = time.monotonic() + 5
    while len(list((directory / "incoming").iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(list((directory / "incoming").iterdir())) == 2
    kill(running)
    for connection in connections:
        connection.close()
    client = make_client(running.start())
    assert client.get_object(Bucket=settings.bucket, Key=old.text)["Body"].read() == b"old"
    with pytest.raises(ClientError, match="404"):
        client.head_object(Bucket=settings.bucket, Key=new.text)
    assert files_of(directory) == blobs_of(directory)
    assert len(files_of(directory)) == 1


def test_an_upload_that_is_given_up_leaves_nothing(running: BundledStore, directory: Path) -> None:
    settings = running.start()
    make_client(settings).create_bucket(Bucket=settings.bucket)
    target = Presigner(settings).sign("PUT", object_key(TENANT, "x").text, headers={"content-length": "100"})
    host = settings.endpoint_url.removeprefix("http://")
    with socket.create_connection(("127.0.0.1", int(host.partition(":")[2]))) as connection:
        path = target.removeprefix(settings.endpoint_url)
        connection.sendall(f"PUT {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 100\r\n\r\nhalf".encode())
    deadline = time.monotonic() + 5
    while files_of(directory) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert files_of(directory) == set()


def test_a_multipart_upload_survives_kill(running: BundledStore, directory: Path) -> None:
    settings = running.start()
    client = make_client(settings)
    client.create_bucket(Bucket=settings.bucket)
    where = {"Bucket": settings.bucket, "Key": object_key(TENANT, "parts").text}
    upload_id = client.create_multipart_upload(**where)["UploadId"]
    etag = client.upload_part(**where, UploadId=upload_id, PartNumber=1, Body=b"part")["ETag"]
    kill(running)
    client = make_client(running.start())
    parts = [{"PartNumber": 1, "ETag": etag}]
    client.complete_multipart_upload(**where, UploadId=upload_id, MultipartUpload={"Parts": parts})  # type: ignore[typeddict-item]
    assert client.get_object(**where)["Body"].read() == b"part"
    assert files_of(directory) == blobs_of(directory)


def test_readers_finish_what_they_began(running: BundledStore) -> None:
    settings = running.start()
    client = make_client(settings)
    client.create_bucket(Bucket=settings.bucket)
    where = {"Bucket": settings.bucket, "Key": object_key(TENANT, "read").text}
    body = os.urandom(20 * 1024 * 1024)
    client.put_object(**where, Body=body)
    reading = client.get_object(**where)["Body"]
    first = reading.read(1024)
    client.put_object(**where, Body=b"new")
    client.delete_object(**where)
    assert first + reading.read() == body
