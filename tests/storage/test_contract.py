"""The contract every store must keep, ours and others': one suite, parametrised by endpoint."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import httpx
import pytest
from botocore.exceptions import ClientError

from storage.client import ObjectStore
from storage.errors import (
    InvalidKey,
    ObjectExists,
    ObjectMissing,
    ObjectTooLarge,
    StoreUnsupported,
    UploadMissing,
    UploadRejected,
)
from storage.keys import object_key
from storage.objects import CompletedPart
from storage.presign import Presigner, content_disposition

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from tests.storage.conftest import Endpoint

FIVE_MIB = 5 * 1024 * 1024


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


async def test_bucket_is_created_once(store: ObjectStore) -> None:
    assert await store.ensure_bucket() is False
    await store.check()


@pytest.mark.parametrize("body", [b"", b"x", bytes(range(256)) * 5000], ids=["empty", "one byte", "1.3 MB"])
async def test_what_is_put_is_what_is_got(store: ObjectStore, tenant: UUID, body: bytes) -> None:
    key = object_key(tenant, "files", "a b", "é+%&?#=~'\"<>.bin")
    etag = await store.put(key, body, content_type="image/png", metadata={"origin": "test"})
    info = await store.head(key)
    assert etag == info.etag == hashlib.md5(body, usedforsecurity=False).hexdigest()
    assert (info.size_bytes, info.content_type, dict(info.metadata)) == (len(body), "image/png", {"origin": "test"})
    assert info.modified_at.utcoffset() is not None
    assert await store.get(key) == body
    assert b"".join([block async for block in store.stream(key, block_bytes=100_000)]) == body


async def test_missing_object(store: ObjectStore, tenant: UUID) -> None:
    key = object_key(tenant, "nothing")
    for call in (store.head, store.get):
        with pytest.raises(ObjectMissing):
            await call(key)
    with pytest.raises(ObjectMissing):
        await store.copy(key, object_key(tenant, "copy"))
    await store.delete(key)


async def test_get_refuses_more_than_it_may_hold(store: ObjectStore, tenant: UUID) -> None:
    key = object_key(tenant, "big")
    await store.put(key, b"x" * 1001)
    with pytest.raises(ObjectTooLarge):
        await store.get(key, max_bytes=1000)
    assert len(await store.get(key, max_bytes=1001)) == 1001


async def test_create_only_never_overwrites(store: ObjectStore, tenant: UUID) -> None:
    key = object_key(tenant, "once")
    await store.put(key, b"first", create_only=True)
    with pytest.raises(ObjectExists):
        await store.put(key, b"second", create_only=True)
    assert await store.get(key) == b"first"


async def test_one_of_many_creators_wins(store: ObjectStore, endpoint: Endpoint, tenant: UUID) -> None:
    endpoint.skip_if("moto", "its check and its write are not one step")
    key = object_key(tenant, "race")
    bodies = [f"writer {number}".encode() for number in range(12)]
    results = await asyncio.gather(*(store.put(key, body, create_only=True) for body in bodies), return_exceptions=True)
    winners = [body for body, result in zip(bodies, results, strict=True) if isinstance(result, str)]
    assert len(winners) == 1
    assert all(isinstance(result, str | ObjectExists) for result in results)
    assert await store.get(key) == winners[0]


async def test_replace_only_what_was_seen(raw: S3Client, endpoint: Endpoint, store: ObjectStore, tenant: UUID) -> None:
    endpoint.skip_if("moto", "ignores If-Match on a write")
    key, bucket = object_key(tenant, "seen"), endpoint.settings.bucket
    etag = await store.put(key, b"first")
    raw.put_object(Bucket=bucket, Key=key.text, Body=b"second", IfMatch=f'"{etag}"')
    with pytest.raises(ClientError) as error:
        raw.put_object(Bucket=bucket, Key=key.text, Body=b"third", IfMatch=f'"{etag}"')
    assert code_of(error) == "PreconditionFailed"
    assert await store.get(key) == b"second"


async def test_overwrite_changes_type_and_metadata_too(store: ObjectStore, tenant: UUID) -> None:
    key = object_key(tenant, "again")
    await store.put(key, b"a" * 100, content_type="text/plain", metadata={"version": "1"})
    await store.put(key, b"b", content_type="text/css")
    info = await store.head(key)
    assert (info.size_bytes, info.content_type, dict(info.metadata)) == (1, "text/css", {})


@pytest.mark.parametrize(
    ("header", "status", "body", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=9-9", 206, b"9", "bytes 9-9/10"),
        ("bytes=10-", 416, None, None),
    ],
)
async def test_ranges(  # noqa: PLR0917 - four of them are the case
    store: ObjectStore, presigner: Presigner, http: httpx.AsyncClient, endpoint: Endpoint, tenant: UUID,
    header: str, status: int, body: bytes | None, content_range: str | None,
) -> None:  # fmt: skip
    if header == "bytes=-99":
        endpoint.skip_if("moto", "refuses a suffix longer than the object")
    key = object_key(tenant, "ten")
    await store.put(key, b"0123456789")
    answer = await http.get(presigner.get_url(key), headers={"range": header})
    assert answer.status_code == status
    if body is not None:
        assert answer.content == body
        assert answer.headers["content-range"] == content_range


async def test_conditional_reads(raw: S3Client, endpoint: Endpoint, store: ObjectStore, tenant: UUID) -> None:
    key, bucket = object_key(tenant, "conditional"), endpoint.settings.bucket
    etag = await store.put(key, b"x")
    modified_at = (await store.head(key)).modified_at
    assert raw.get_object(Bucket=bucket, Key=key.text, IfMatch=f'"{etag}"')["Body"].read() == b"x"
    refused = [
        ({"IfMatch": '"other"'}, 412),
        ({"IfNoneMatch": f'"{etag}"'}, 304),
        ({"IfModifiedSince": modified_at}, 304),
    ]
    for condition, status in refused:
        for call in (raw.get_object, raw.head_object):
            with pytest.raises(ClientError) as error:
                call(Bucket=bucket, Key=key.text, **condition)  # type: ignore[operator]
            assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status, (condition, call)


async def test_listing_pages_in_order_and_stays_inside_the_tenant(store: ObjectStore, tenant: UUID) -> None:
    names = [f"{number:04d}" for number in range(25)]
    await asyncio.gather(*(store.put(object_key(tenant, "many", name), b"") for name in reversed(names)))
    await store.put(object_key(tenant, "many-not", "x"), b"")
    stranger = uuid4()
    await store.put(object_key(stranger, "many", "y"), b"")
    assert [info.key.path async for info in store.list_objects(tenant, "many")] == [f"many/{name}" for name in names]
    assert len([info async for info in store.list_objects(tenant)]) == 26
    with pytest.raises(InvalidKey):
        await store.list_page(tenant, "../many")
    assert await store.delete_prefix(tenant, "many") == 25
    assert [info.key.path async for info in store.list_objects(tenant)] == ["many-not/x"]
    assert await store.delete_prefix(stranger) == 1


async def test_listing_with_delimiter_and_small_pages(
    raw: S3Client, endpoint: Endpoint, store: ObjectStore, tenant: UUID
) -> None:
    paths = ["a", "b/1", "b/2", "b/c/3", "d é/4", "e", "f/5"]
    await asyncio.gather(*(store.put(object_key(tenant, *path.split("/")), b"z") for path in paths))
    prefix = object_key(tenant, "x").text[:-1]
    found: list[str] = []
    pages = raw.get_paginator("list_objects_v2").paginate(
        Bucket=endpoint.settings.bucket, Prefix=prefix, Delimiter="/", PaginationConfig={"PageSize": 2}
    )
    for page in pages:
        assert page["KeyCount"] <= 2
        found += [entry["Key"] for entry in page.get("Contents", ())]
        found += [entry["Prefix"] for entry in page.get("CommonPrefixes", ())]
    assert sorted(found) == [prefix + name for name in ("a", "b/", "d é/", "e", "f/")]


async def test_deleting_and_listing_take_several_pages(store: ObjectStore, tenant: UUID) -> None:
    await asyncio.gather(*(store.put(object_key(tenant, f"{number}"), b"") for number in range(30)))
    other = object_key(uuid4(), "keep")
    await store.put(other, b"kept")
    assert len([info async for info in store.list_objects(tenant, page_size=7)]) == 30
    assert await store.delete_prefix(tenant, page_size=7) == 30
    assert await store.delete_prefix(tenant) == 0
    assert await store.get(other) == b"kept"
    await store.delete(other)


async def test_copy_keeps_bytes_type_and_metadata(store: ObjectStore, tenant: UUID) -> None:
    source, target = object_key(tenant, "source é"), object_key(uuid4(), "target")
    await store.put(source, b"bytes", content_type="text/x-test", metadata={"a": "b"})
    await store.copy(source, target)
    await store.put(source, b"changed")
    await store.delete(source)
    info = await store.head(target)
    assert (info.content_type, dict(info.metadata)) == ("text/x-test", {"a": "b"})
    assert await store.get(target) == b"bytes"
    assert await store.delete_prefix(target.tenant) == 1


async def test_signed_upload_and_download(
    store: ObjectStore, presigner: Presigner, http: httpx.AsyncClient, endpoint: Endpoint, tenant: UUID
) -> None:
    key, body = object_key(tenant, "files", "jaarverslag é.pdf"), b"%PDF" * 1000
    sha256 = base64.b64encode(hashlib.sha256(body).digest()).decode()
    upload = presigner.put_url(
        key, size_bytes=len(body), content_type="application/pdf", sha256=sha256, create_only=True
    )
    assert (await http.put(upload.url, content=body, headers=upload.headers)).status_code == 200
    assert (await http.put(upload.url, content=body, headers=upload.headers)).status_code == 412
    info = await store.head(key)
    assert (info.size_bytes, info.content_type) == (len(body), "application/pdf")
    if endpoint.name != "moto":  # which keeps a checksum only if a second header names it
        assert info.checksum_sha256 == sha256
    disposition = content_disposition('verslag "é".pdf')
    answer = await http.get(presigner.get_url(key, content_type="text/plain", content_disposition=disposition))
    assert answer.content == body
    assert (answer.headers["content-type"], answer.headers["content-disposition"]) == ("text/plain", disposition)


async def test_wrong_bytes_are_refused(
    store: ObjectStore, presigner: Presigner, http: httpx.AsyncClient, endpoint: Endpoint, tenant: UUID
) -> None:
    endpoint.skip_if("moto", "believes every checksum")
    key = object_key(tenant, "wrong")
    sha256 = base64.b64encode(hashlib.sha256(b"right").digest()).decode()
    upload = presigner.put_url(key, size_bytes=5, content_type="text/plain", sha256=sha256)
    answer = await http.put(upload.url, content=b"wrong", headers=upload.headers)
    assert (answer.status_code, "BadDigest" in answer.text) == (400, True)
    with pytest.raises(ObjectMissing):
        await store.head(key)


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
async def test_checksums_come_back(raw: S3Client, endpoint: Endpoint, tenant: UUID, algorithm: str) -> None:
    where = {"Bucket": endpoint.settings.bucket, "Key": object_key(tenant, algorithm).text}
    put = raw.put_object(**where, Body=io.BytesIO(b"abc" * 1000), ChecksumAlgorithm=algorithm)  # type: ignore[arg-type]
    head = raw.head_object(**where, ChecksumMode="ENABLED")
    name = f"Checksum{algorithm}"
    assert head[name] == put[name]  # type: ignore[literal-required]
    assert raw.get_object(**where, ChecksumMode="ENABLED")["Body"].read() == b"abc" * 1000


async def test_multipart(store: ObjectStore, presigner: Presigner, http: httpx.AsyncClient, tenant: UUID) -> None:
    key = object_key(tenant, "video.mp4")
    bodies = [b"a" * FIVE_MIB, b"b" * FIVE_MIB, b"end"]
    upload_id = await store.create_multipart(key, content_type="video/mp4", metadata={"a": "b"})
    assert [upload.upload_id async for upload in store.list_uploads(tenant)] == [upload_id]
    parts = []
    for number, body in reversed(list(enumerate(bodies, start=1))):
        signed = presigner.part_url(key, upload_id, number, size_bytes=len(body))
        answer = await http.put(signed.url, content=body)
        assert answer.status_code == 200, answer.text
        parts.append(CompletedPart(number, answer.headers["etag"]))
    with pytest.raises(ObjectMissing):
        await store.head(key)
    etag = await store.complete_multipart(key, upload_id, parts[::-1])
    info = await store.head(key)
    joined = hashlib.md5(b"".join(hashlib.md5(body).digest() for body in bodies)).hexdigest()
    assert etag == info.etag == f"{joined}-3"
    assert (info.size_bytes, info.content_type, dict(info.metadata)) == (2 * FIVE_MIB + 3, "video/mp4", {"a": "b"})
    assert await store.get(key) == b"".join(bodies)
    assert [upload async for upload in store.list_uploads(tenant)] == []


async def test_multipart_is_refused_when_parts_are_wrong(
    store: ObjectStore, presigner: Presigner, http: httpx.AsyncClient, endpoint: Endpoint, tenant: UUID
) -> None:
    key = object_key(tenant, "refused")
    upload_id = await store.create_multipart(key, content_type="text/plain")
    etags = []
    for number in (1, 2):
        signed = presigner.part_url(key, upload_id, number, size_bytes=5)
        etags.append((await http.put(signed.url, content=b"small")).headers["etag"])
    right = [CompletedPart(1, etags[0]), CompletedPart(2, etags[1])]
    for parts in (right, right[::-1], [CompletedPart(1, "0" * 32)], [CompletedPart(9, etags[0])]):
        with pytest.raises(UploadRejected):
            await store.complete_multipart(key, upload_id, parts)
    await store.abort_multipart(key, upload_id)
    await store.abort_multipart(key, upload_id)
    endpoint.skip_if("moto", "answers 500 for an upload that has ended")
    with pytest.raises(UploadMissing):
        await store.complete_multipart(key, upload_id, right[:1])


async def test_multipart_by_boto3_itself(raw: S3Client, endpoint: Endpoint, store: ObjectStore, tenant: UUID) -> None:
    """s3transfer sends parts in parallel with a CRC32 each, and checks the whole as it reads."""
    body = bytes(range(256)) * 70_000
    key = object_key(tenant, "transfer")
    raw.upload_fileobj(io.BytesIO(body), endpoint.settings.bucket, key.text)
    target = io.BytesIO()
    raw.download_fileobj(endpoint.settings.bucket, key.text, target)
    assert target.getvalue() == body
    assert (await store.head(key)).etag.endswith("-3")


async def test_parts_are_listed(raw: S3Client, endpoint: Endpoint, store: ObjectStore, tenant: UUID) -> None:
    key = object_key(tenant, "parts")
    upload_id = await store.create_multipart(key, content_type="text/plain")
    where = {"Bucket": endpoint.settings.bucket, "Key": key.text, "UploadId": upload_id}
    for number in (3, 1, 2):
        raw.upload_part(**where, PartNumber=number, Body=b"x" * number)
    raw.upload_part(**where, PartNumber=2, Body=b"again")
    pages = raw.get_paginator("list_parts").paginate(**where, PaginationConfig={"PageSize": 2})
    sizes = {part["PartNumber"]: part["Size"] for page in pages for part in page.get("Parts", ())}
    assert sizes == {1: 1, 2: 5, 3: 3}
    assert await store.delete_prefix(tenant) == 0
    assert [upload async for upload in store.list_uploads(tenant)] == []


async def test_what_is_not_done_says_so(store: ObjectStore, endpoint: Endpoint, raw: S3Client, tenant: UUID) -> None:
    endpoint.skip_if("moto", "implements much more")
    endpoint.skip_if("s3", "implements much more")
    key = object_key(tenant, "x").text
    where = {"Bucket": endpoint.settings.bucket, "Key": key}
    calls = [
        lambda: raw.get_object_acl(**where),
        lambda: raw.put_object(**where, Body=b"", Tagging="a=b"),
        lambda: raw.put_object(**where, Body=b"", ACL="public-read"),
        lambda: raw.put_object(**where, Body=b"", ServerSideEncryption="AES256"),
        lambda: raw.list_objects(Bucket=endpoint.settings.bucket),
        lambda: raw.get_object(**where, VersionId="1"),
        lambda: raw.upload_part_copy(**where, PartNumber=1, UploadId="u", CopySource="a/b"),
    ]
    for call in calls:
        with pytest.raises(ClientError) as error:
            call()
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    with pytest.raises(StoreUnsupported, match="the parameter acl"):
        await store._run(calls[0])
