"""Operations on single objects, and the deletion of many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from storage.devstore.buckets import XML
from storage.devstore.call import STORED_HEADERS, Call
from storage.devstore.checksums import HEADER_PREFIX
from storage.devstore.conditions import parse_range, require_read, write_condition
from storage.devstore.documents import Node, iso_time, parse, render, text_of
from storage.devstore.errors import S3Error
from storage.devstore.index import Entry
from storage.devstore.payload import Payload
from storage.devstore.request import FileSlice, Response

R = TypeVar("R")
OVERRIDES = frozenset(f"response-{name}" for name in STORED_HEADERS)
ATTEMPTS = 5  # a reader may find its blob replaced between index and file; each time means a newer object


async def put_object(call: Call) -> Response:
    """PUT /bucket/key."""
    request = call.request
    condition = write_condition(request.headers)
    headers = call.stored_headers()
    payload = Payload(request, call.signed, call.settings.max_object_bytes)
    await call.run(call.index.require_bucket, request.bucket)
    blob = await call.receive_blob(payload)
    etag = payload.digests.digest("md5").hex()
    checksum = checksum_of(payload)
    entry = Entry(request.key, blob, payload.size_bytes, etag, call.now, headers, checksum)
    try:
        freed = await call.run(call.index.put, request.bucket, entry, condition)
    except S3Error:
        await call.remove([blob])
        raise
    await call.remove(freed)
    return Response(200, {"etag": f'"{etag}"', **checksum_headers(checksum)})


async def get_object(call: Call) -> Response:
    """GET /bucket/key, whole or one range."""
    entry, file = await call.run(_with_blob, call, lambda entry: call.blobs.open(entry.blob))
    try:
        require_read(entry, call.request.headers)
        headers = _headers_of(call, entry)
        part = parse_range(call.request.headers, entry)
    except S3Error:
        file.close()
        raise
    if part is None:
        return Response(200, headers, FileSlice(file, 0, entry.size_bytes))
    start, length = part
    headers["content-range"] = f"bytes {start}-{start + length - 1}/{entry.size_bytes}"
    for name in [name for name in headers if name.startswith(HEADER_PREFIX)]:
        del headers[name]  # it is of the whole object
    return Response(206, headers, FileSlice(file, start, length))


async def head_object(call: Call) -> Response:
    """HEAD /bucket/key."""
    entry = await call.run(call.index.load, call.request.bucket, call.request.key)
    require_read(entry, call.request.headers)
    headers = _headers_of(call, entry)
    part = parse_range(call.request.headers, entry)
    if part is None:
        return Response(200, {**headers, "content-length": str(entry.size_bytes)})
    start, length = part
    headers["content-range"] = f"bytes {start}-{start + length - 1}/{entry.size_bytes}"
    return Response(206, {**headers, "content-length": str(length)})


async def delete_object(call: Call) -> Response:
    """DELETE /bucket/key; what is not there is deleted already."""
    condition = write_condition(call.request.headers)
    await call.remove(await call.run(call.index.delete, call.request.bucket, [call.request.key], condition))
    return Response(204)


async def delete_objects(call: Call) -> Response:
    """POST /bucket?delete : up to 1000 keys."""
    if "content-md5" not in call.request.headers and not _names_checksum(call.request.headers):
        raise S3Error("InvalidRequest", "Missing required header for this request: Content-MD5 or x-amz-checksum-…")
    children = parse(await call.document(), "Delete")
    keys = []
    for child in children:
        if child[0] != "Object":
            continue
        key = text_of(child, "Key")
        if not key:
            raise S3Error("MalformedXML", "An Object needs a Key")
        if isinstance(child[1], str) or len(child[1]) != 1:
            raise S3Error("NotImplemented", "DeleteObjects by version, etag, size or time is not implemented")
        keys.append(key)
    if not 1 <= len(keys) <= 1000:
        raise S3Error("MalformedXML", "Between 1 and 1000 objects must be named")
    await call.remove(await call.run(call.index.delete, call.request.bucket, keys, lambda _etag: None))
    is_quiet = text_of(("", children), "Quiet") == "true"
    deleted: list[Node] = [] if is_quiet else [("Deleted", [("Key", key)]) for key in keys]
    return Response(200, XML, render(("DeleteResult", deleted)))


async def copy_object(call: Call) -> Response:
    """PUT /bucket/key with x-amz-copy-source, by a second name for the same bytes."""
    request = call.request
    bucket, key = _copy_source(request.headers["x-amz-copy-source"])
    directive = request.headers.get("x-amz-metadata-directive", "COPY")
    if directive not in {"COPY", "REPLACE"}:
        raise S3Error("InvalidArgument", "Unknown metadata directive")
    if directive == "COPY" and (bucket, key) == (request.bucket, request.key):
        raise S3Error("InvalidRequest", "This copy request is illegal: it changes nothing")
    condition = write_condition(request.headers)

    def duplicate(source: Entry) -> str:
        require_read(source, request.headers, prefix="x-amz-copy-source-")
        return call.blobs.duplicate(source.blob)

    source, blob = await call.run(_with_blob, call, duplicate, bucket, key)
    headers = source.headers if directive == "COPY" else call.stored_headers()
    entry = Entry(request.key, blob, source.size_bytes, source.etag, call.now, headers, source.checksum)
    try:
        freed = await call.run(call.index.put, request.bucket, entry, condition)
    except S3Error:
        await call.remove([blob])
        raise
    await call.remove(freed)
    result: list[Node] = [("LastModified", iso_time(call.now)), ("ETag", f'"{source.etag}"')]
    return Response(200, XML, render(("CopyObjectResult", result)))


def checksum_of(payload: Payload) -> dict[str, str]:
    """The verified checksum of a body, if the client gave one."""
    if payload.algorithm is None:
        return {}
    return {
        "algorithm": payload.algorithm,
        "value": payload.digests.base64(payload.algorithm),
        "type": "FULL_OBJECT",
    }


def checksum_headers(checksum: Mapping[str, str]) -> dict[str, str]:
    """How a stored checksum is answered."""
    if not checksum:
        return {}
    return {f"{HEADER_PREFIX}{checksum['algorithm']}": checksum["value"], f"{HEADER_PREFIX}type": checksum["type"]}


def _with_blob(
    call: Call, use: Callable[[Entry], R], bucket: str | None = None, key: str | None = None
) -> tuple[Entry, R]:
    """Look an object up and use its blob, again if it was replaced in between."""
    for _ in range(ATTEMPTS):
        entry = call.index.load(bucket or call.request.bucket, key or call.request.key)
        try:
            return entry, use(entry)
        except FileNotFoundError:
            continue
    raise S3Error("InternalError", "The object changed too often while it was being read")


def _headers_of(call: Call, entry: Entry) -> dict[str, str]:
    query = call.request.query
    headers = {
        **entry.headers,
        "etag": f'"{entry.etag}"',
        "last-modified": formatdate(int(entry.modified_at), usegmt=True),
        "accept-ranges": "bytes",
    }
    for name in OVERRIDES & query.keys():
        value = query[name]
        if not value.isprintable() or not all(ord(letter) < 256 for letter in value):
            raise S3Error("InvalidArgument", f"Header value cannot be represented using ISO-8859-1: {name}")
        headers[name.removeprefix("response-")] = value
    if call.request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers.update(checksum_headers(entry.checksum))
    return headers


def _names_checksum(headers: Mapping[str, str]) -> bool:
    return any(name.startswith(HEADER_PREFIX) for name in headers) or "x-amz-trailer" in headers


def _copy_source(header: str) -> tuple[str, str]:
    path, _, version = header.partition("?")
    if version:
        raise S3Error("NotImplemented", "Versions are not implemented")
    try:
        bucket, _, key = unquote_to_bytes(path.removeprefix("/")).decode().partition("/")
    except UnicodeDecodeError as error:
        raise S3Error("InvalidArgument", "The copy source is not UTF-8") from error
    if not (bucket and key):
        raise S3Error("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    return bucket, key
