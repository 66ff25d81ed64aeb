"""The one client of the object store: control calls and small bodies, by boto3 in a bounded thread pool.

Promises: one boto3 client made once; every call has timeouts and few retries; every error is one of
`storage.errors`; keys are `ObjectKey`s, so each call names its tenant. Large bodies do not pass here: browsers
send and fetch them by signed URLs. Never reads the environment or ~/.aws, whatever boto3 would like.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from storage.errors import (
    BucketMissing,
    ObjectTooLarge,
    StorageError,
    StoreUnavailable,
    UploadMissing,
)
from storage.keys import ObjectKey, listing_prefix, parse_key
from storage.objects import CompletedPart, ObjectInfo, OpenUpload, info_from_head, info_from_list
from storage.settings import StorageSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef, ListObjectsV2OutputTypeDef

R = TypeVar("R")
DEFAULT_MAX_BYTES = 16 * 1024 * 1024
LIST_PAGE = 1000  # the most S3 gives, and the most DeleteObjects takes


class ObjectStore:
    """One bucket of an S3-compatible store. Make it once, share it, close it at the end.

    The first call makes the client, in its thread: boto3 takes some 200 ms, which no start has to wait for.
    Every method raises StoreUnavailable (no answer, 5xx, too many calls waiting), StoreRefused (credentials),
    BucketMissing, or StorageError for answers nobody foresaw, besides what its own text names.
    """

    def __init__(self, settings: StorageSettings) -> None:
        self.settings = settings
        self._made: S3Client | None = None
        self._making = threading.Lock()
        self._threads = ThreadPoolExecutor(settings.max_connections, thread_name_prefix="object-store")
        self._under_way = 0

    async def close(self) -> None:
        """Wait for the calls under way (bounded by their timeouts) and close the connections."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        if self._made is not None:
            self._made.close()

    async def check(self) -> None:
        """Return if the bucket answers with our credentials; raise what is wrong otherwise. For health checks."""
        await self._run(lambda: self._client.head_bucket(Bucket=self.settings.bucket))

    async def ensure_bucket(self) -> bool:
        """Create the bucket unless it is there; True if it was created."""
        try:
            await self.check()
        except BucketMissing:
            return await self._run(self._create_bucket)
        return False

    async def put(
        self,
        key: ObjectKey,
        body: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        create_only: bool = False,
    ) -> str:
        """Write a small object whole and return its etag; with `create_only`, raise ObjectExists over another."""
        options = {"IfNoneMatch": "*"} if create_only else {}
        about: dict[str, Any] = {"ContentType": content_type, "Metadata": dict(metadata or {}), **options}
        put = await self._run(
            lambda: self._client.put_object(Bucket=self.settings.bucket, Key=key.text, Body=body, **about), key
        )
        return unquoted(put["ETag"])

    async def head(self, key: ObjectKey) -> ObjectInfo:
        """What is known about an object without reading it. Raises ObjectMissing."""

        def head() -> HeadObjectOutputTypeDef:
            return self._client.head_object(Bucket=self.settings.bucket, Key=key.text, ChecksumMode="ENABLED")

        return info_from_head(key, await self._run(head, key))

    async def get(self, key: ObjectKey, *, max_bytes: int = DEFAULT_MAX_BYTES) -> bytes:
        """The whole object. Raises ObjectMissing, or ObjectTooLarge before reading more than `max_bytes`."""

        def get() -> bytes:
            answer = self._client.get_object(Bucket=self.settings.bucket, Key=key.text)
            with answer["Body"] as body:
                if answer["ContentLength"] > max_bytes:
                    raise ObjectTooLarge(f"{answer['ContentLength']} bytes, more than the {max_bytes} allowed: {key}")
                return body.read()

        return await self._run(get, key)

    async def stream(self, key: ObjectKey, *, block_bytes: int = 1024 * 1024) -> AsyncIterator[bytes]:
        """The object block by block, for backups and scans. Raises ObjectMissing."""

        def open_object() -> tuple[Callable[[int], bytes], Callable[[], None]]:
            body = self._client.get_object(Bucket=self.settings.bucket, Key=key.text)["Body"]
            return body.read, body.close

        read, close = await self._run(open_object, key)
        try:
            while block := await self._run(functools.partial(read, block_bytes), key):
                yield block
        finally:
            close()

    async def delete(self, key: ObjectKey) -> None:
        """Delete an object; one that is not there is deleted already."""
        await self._run(lambda: self._client.delete_object(Bucket=self.settings.bucket, Key=key.text), key)

    async def delete_prefix(self, tenant: UUID, under: str = "", *, page_size: int = LIST_PAGE) -> int:
        """Delete all the tenant's objects (or those in one folder), end its open uploads; how many objects went."""
        async for upload in self.list_uploads(tenant, under):
            await self.abort_multipart(upload.key, upload.upload_id)
        count = 0
        async for infos in self._pages(tenant, under, page_size):
            await self._run(functools.partial(self._delete_many, [info.key for info in infos]))
            count += len(infos)
        return count

    async def list_objects(
        self, tenant: UUID, under: str = "", *, page_size: int = LIST_PAGE
    ) -> AsyncIterator[ObjectInfo]:
        """All the tenant's objects, or those in one folder, in order of key, page by page."""
        async for infos in self._pages(tenant, under, page_size):
            for info in infos:
                yield info

    async def list_page(
        self, tenant: UUID, under: str = "", token: str | None = None, *, page_size: int = LIST_PAGE
    ) -> tuple[list[ObjectInfo], str | None]:
        """One page of at most 1000 objects, and the token of the next page if there is one."""
        prefix = listing_prefix(tenant, under)

        def list_page() -> ListObjectsV2OutputTypeDef:
            bucket = self.settings.bucket
            if token is None:
                return self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=page_size)
            return self._client.list_objects_v2(
                Bucket=bucket, Prefix=prefix, MaxKeys=page_size, ContinuationToken=token
            )

        page = await self._run(list_page)
        return [info_from_list(tenant, entry) for entry in page.get("Contents", ())], page.get("NextContinuationToken")

    async def copy(self, source: ObjectKey, target: ObjectKey) -> None:
        """Copy an object inside the store (up to 5 GiB), headers and metadata included. Raises ObjectMissing."""
        bucket = self.settings.bucket
        await self._run(
            lambda: self._client.copy_object(
                Bucket=bucket, Key=target.text, CopySource={"Bucket": bucket, "Key": source.text}
            ),
            source,
        )

    async def create_multipart(
        self, key: ObjectKey, *, content_type: str, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Begin an upload in parts (signed by `Presigner.part_url`) and return its id."""
        about: dict[str, Any] = {"ContentType": content_type, "Metadata": dict(metadata or {})}
        created = await self._run(
            lambda: self._client.create_multipart_upload(Bucket=self.settings.bucket, Key=key.text, **about), key
        )
        return created["UploadId"]

    async def complete_multipart(
        self, key: ObjectKey, upload_id: str, parts: Sequence[CompletedPart], *, create_only: bool = False
    ) -> str:
        """Make one object of the parts; returns its etag. Raises UploadMissing, UploadRejected, ObjectExists."""
        about: dict[str, Any] = {
            "UploadId": upload_id,
            "MultipartUpload": {"Parts": [{"PartNumber": part.number, "ETag": f'"{part.etag}"'} for part in parts]},
            **({"IfNoneMatch": "*"} if create_only else {}),
        }
        completed = await self._run(
            lambda: self._client.complete_multipart_upload(Bucket=self.settings.bucket, Key=key.text, **about), key
        )
        return unquoted(completed["ETag"])

    async def abort_multipart(self, key: ObjectKey, upload_id: str) -> None:
        """End an upload and drop its parts; one that is not there has ended already."""
        try:
            await self._run(
                lambda: self._client.abort_multipart_upload(
                    Bucket=self.settings.bucket, Key=key.text, UploadId=upload_id
                ),
                key,
            )
        except UploadMissing:
            return

    async def list_uploads(self, tenant: UUID, under: str = "") -> AsyncIterator[OpenUpload]:
        """The tenant's multipart uploads that were begun and neither completed nor aborted."""
        prefix = listing_prefix(tenant, under)
        paginator = await self._run(lambda: self._client.get_paginator("list_multipart_uploads"))
        iterator = iter(paginator.paginate(Bucket=self.settings.bucket, Prefix=prefix))
        while page := await self._run(lambda: next(iterator, None)):
            for entry in page.get("Uploads", ()):
                yield OpenUpload(parse_key(tenant, entry["Key"]), entry["UploadId"], entry["Initiated"].astimezone(UTC))

    async def _pages(self, tenant: UUID, under: str, page_size: int) -> AsyncIterator[list[ObjectInfo]]:
        """The pages of a listing. A token is a position, so what is deleted behind it does not disturb it."""
        token: str | None = None
        while True:
            infos, token = await self.list_page(tenant, under, token, page_size=page_size)
            if infos:
                yield infos
            if token is None:
                return

    def _create_bucket(self) -> bool:
        bucket, region = self.settings.bucket, self.settings.region
        try:
            if region == "us-east-1":  # the one region that must not be named
                self._client.create_bucket(Bucket=bucket)
            else:
                self._client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})  # type: ignore[typeddict-item]
        except self._client.exceptions.BucketAlreadyOwnedByYou:
            return False
        return True

    def _delete_many(self, keys: Sequence[ObjectKey]) -> None:
        answer = self._client.delete_objects(
            Bucket=self.settings.bucket, Delete={"Objects": [{"Key": key.text} for key in keys], "Quiet": True}
        )
        if errors := answer.get("Errors"):
            first = errors[0]
            raise StorageError(f"{len(errors)} objects were not deleted, the first: {first.get('Code')}")

    @property
    def _client(self) -> S3Client:
        """For the threads of the pool only."""
        with self._making:
            if self._made is None:
                from storage.boto import make_client  # noqa: PLC0415 - boto3 takes a while

                self._made = make_client(self.settings)
            return self._made

    async def _run(self, call: Callable[[], R], key: ObjectKey | None = None) -> R:
        """Run a blocking call in the pool, bounded, with its errors translated."""
        limit = self.settings.max_connections + self.settings.max_waiting
        if self._under_way >= limit:
            raise StoreUnavailable(f"more than {limit} calls to the object store are waiting")
        self._under_way += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, call)
        future.add_done_callback(self._done)
        try:
            return await future
        except Exception as error:
            from storage.boto import error_of  # noqa: PLC0415 - it is there: the call was boto3's

            translated = error_of(error, key)
            if translated is None:
                raise
            raise translated from error

    def _done(self, _future: object) -> None:
        self._under_way -= 1


def unquoted(etag: str) -> str:
    """An etag without the quotes HTTP puts around it."""
    return etag.strip('"')
