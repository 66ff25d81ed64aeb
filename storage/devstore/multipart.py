"""Operations on multipart uploads: begin, send parts, look, complete, abort."""

from __future__ import annotations

import base64
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from uuid import uuid4

from storage.devstore.blobs import Incoming
from storage.devstore.buckets import MAX_KEYS, XML, int_parameter, key_encoder
from storage.devstore.call import Call
from storage.devstore.checksums import HEADER_PREFIX, Checksum, new_checksum
from storage.devstore.conditions import write_condition
from storage.devstore.documents import Node, iso_time, parse, render, text_of
from storage.devstore.errors import S3Error
from storage.devstore.index import Entry, Part, Upload
from storage.devstore.objects import checksum_headers
from storage.devstore.payload import Payload
from storage.devstore.request import Response

MAX_PARTS = 10_000


async def create_upload(call: Call) -> Response:
    """POST /bucket/key?uploads."""
    request = call.request
    algorithm = request.headers.get("x-amz-checksum-algorithm", "").lower()
    kind = request.headers.get("x-amz-checksum-type", "COMPOSITE")
    if algorithm:
        new_checksum(algorithm)
    if kind not in {"COMPOSITE", "FULL_OBJECT"} or (kind == "FULL_OBJECT" and not algorithm.startswith("crc")):
        raise S3Error("InvalidRequest", "The checksum type is COMPOSITE, or FULL_OBJECT with a CRC")
    upload = Upload(uuid4().hex, request.bucket, request.key, call.now, call.stored_headers(), algorithm, kind)
    await call.run(call.index.create_upload, upload)
    headers = dict(XML)
    if algorithm:
        headers |= {f"{HEADER_PREFIX}algorithm": algorithm.upper(), f"{HEADER_PREFIX}type": kind}
    nodes: list[Node] = [("Bucket", upload.bucket), ("Key", upload.key), ("UploadId", upload.id)]
    return Response(200, headers, render(("InitiateMultipartUploadResult", nodes)))


async def put_part(call: Call) -> Response:
    """PUT /bucket/key?partNumber&uploadId."""
    request, upload_id = call.request, call.request.query["uploadId"]
    number = _part_number(request.query["partNumber"])
    payload = Payload(request, call.signed, call.settings.max_object_bytes)
    upload, _ = await call.run(call.index.load_upload, request.bucket, request.key, upload_id)
    if upload.algorithm and payload.algorithm not in {None, upload.algorithm}:
        raise S3Error("InvalidRequest", f"Checksum Type mismatch occurred, expected {upload.algorithm}")
    if upload.algorithm and payload.algorithm is None:
        payload.digests.add(upload.algorithm)
    blob = await call.receive_blob(payload)
    etag = payload.digests.digest("md5").hex()
    checksum = payload.digests.base64(upload.algorithm) if upload.algorithm else ""
    part = Part(number, blob, payload.size_bytes, etag, call.now, checksum)
    try:
        freed = await call.run(call.index.put_part, request.bucket, request.key, upload_id, part)
    except S3Error:
        await call.remove([blob])
        raise
    await call.remove(freed)
    headers = {f"{HEADER_PREFIX}{upload.algorithm}": checksum} if checksum else {}
    return Response(200, {"etag": f'"{etag}"', **headers})


async def list_parts(call: Call) -> Response:
    """GET /bucket/key?uploadId."""
    request = call.request
    upload, parts = await call.run(call.index.load_upload, request.bucket, request.key, request.query["uploadId"])
    limit = int_parameter(call, "max-parts", MAX_KEYS)
    marker = int_parameter(call, "part-number-marker", MAX_PARTS) if "part-number-marker" in request.query else 0
    rest = [part for part in parts if part.number > marker]
    page = rest[:limit]
    nodes: list[Node] = [("Bucket", upload.bucket), ("Key", upload.key), ("UploadId", upload.id)]
    nodes += [("PartNumberMarker", str(marker)), ("MaxParts", str(limit))]
    nodes += [("IsTruncated", str(len(rest) > len(page)).lower()), ("StorageClass", "STANDARD")]
    if page:
        nodes.append(("NextPartNumberMarker", str(page[-1].number)))
    nodes += [("Part", _part_node(part, upload.algorithm)) for part in page]
    return Response(200, XML, render(("ListPartsResult", nodes)))


async def list_uploads(call: Call) -> Response:
    """GET /bucket?uploads."""
    query = call.request.query
    limit = int_parameter(call, "max-uploads", MAX_KEYS)
    encode = key_encoder(call)
    key_marker, id_marker = query.get("key-marker", ""), query.get("upload-id-marker", "")
    # A marker without an id stands behind all uploads of its key: ids are hexadecimal, so "~" sorts behind them.
    after = (key_marker.encode(), id_marker or ("~" if key_marker else ""))
    found = await call.run(call.index.uploads, call.request.bucket, query.get("prefix", "").encode(), after, limit + 1)
    page = found[:limit]
    nodes: list[Node] = [("Bucket", call.request.bucket), ("KeyMarker", encode(key_marker))]
    nodes += [("UploadIdMarker", id_marker), ("MaxUploads", str(limit)), ("Prefix", encode(query.get("prefix", "")))]
    if "encoding-type" in query:
        nodes.append(("EncodingType", "url"))
    nodes.append(("IsTruncated", str(len(found) > limit).lower()))
    if page and len(found) > limit:
        nodes += [("NextKeyMarker", encode(page[-1].key)), ("NextUploadIdMarker", page[-1].id)]
    for upload in page:
        entry: list[Node] = [("Key", encode(upload.key)), ("UploadId", upload.id)]
        nodes.append(("Upload", [*entry, ("Initiated", iso_time(upload.created_at)), ("StorageClass", "STANDARD")]))
    return Response(200, XML, render(("ListMultipartUploadsResult", nodes)))


async def abort_upload(call: Call) -> Response:
    """DELETE /bucket/key?uploadId."""
    request = call.request
    blobs = await call.run(call.index.abort, request.bucket, request.key, request.query["uploadId"])
    await call.remove(blobs)
    return Response(204)


async def complete_upload(call: Call) -> Response:
    """POST /bucket/key?uploadId : make one object of the parts named."""
    request = call.request
    condition = write_condition(request.headers)
    wanted = _wanted_parts(parse(await _document_of(call), "CompleteMultipartUpload"))
    upload, parts = await call.run(call.index.load_upload, request.bucket, request.key, request.query["uploadId"])
    chosen = _choose(wanted, parts, upload.algorithm, call.settings.min_part_bytes)
    size = sum(part.size_bytes for part in chosen)
    blob, full_crc = await call.run(_join, call, chosen, upload)
    md5 = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in chosen), usedforsecurity=False)
    etag = f"{md5.hexdigest()}-{len(chosen)}"
    checksum = _checksum_of(upload, chosen, full_crc)
    entry = Entry(upload.key, blob, size, etag, call.now, upload.headers, checksum)
    try:
        _require_checksum(call, checksum)
        freed = await call.run(call.index.complete, upload, chosen, entry, condition)
    except S3Error:
        await call.remove([blob])
        raise
    await call.remove(freed)
    nodes: list[Node] = [("Bucket", upload.bucket), ("Key", upload.key), ("ETag", f'"{etag}"')]
    if checksum:
        nodes += [(f"Checksum{upload.algorithm.upper()}", checksum["value"]), ("ChecksumType", checksum["type"])]
    return Response(200, XML, render(("CompleteMultipartUploadResult", nodes)))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A part as the client lists it."""

    number: int
    etag: str
    checksums: dict[str, str]


def _wanted_parts(children: Sequence[Node]) -> list[_Wanted]:
    wanted = []
    for child in children:
        number, etag = text_of(child, "PartNumber"), text_of(child, "ETag")
        if child[0] != "Part" or isinstance(child[1], str) or number is None or etag is None:
            raise S3Error("MalformedXML", "A Part needs a PartNumber and an ETag")
        checksums = {
            name.removeprefix("Checksum").lower(): text
            for name, text in child[1]
            if isinstance(text, str) and name.startswith("Checksum")
        }
        wanted.append(_Wanted(_part_number(number), etag.strip('"'), checksums))
    if not 1 <= len(wanted) <= MAX_PARTS:
        raise S3Error("MalformedXML", "An upload has between 1 and 10000 parts")
    return wanted


def _choose(wanted: Sequence[_Wanted], parts: Sequence[Part], algorithm: str, min_bytes: int) -> list[Part]:
    """The stored parts the client lists, if they are the same. Raises S3Error."""
    if any(before.number >= behind.number for before, behind in pairwise(wanted)):
        raise S3Error("InvalidPartOrder", "The list of parts was not in ascending order")
    stored = {part.number: part for part in parts}
    chosen = []
    for want in wanted:
        part = stored.get(want.number)
        if part is None or (want.etag, want.checksums.get(algorithm, part.checksum)) != (part.etag, part.checksum):
            raise S3Error("InvalidPart", f"Part {want.number} was not found, or its ETag or checksum differs")
        chosen.append(part)
    if any(part.size_bytes < min_bytes for part in chosen[:-1]):
        raise S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    return chosen


def _join(call: Call, parts: Sequence[Part], upload: Upload) -> tuple[str, str]:
    """One blob of all parts, and the checksum over it if it is to be of the full object."""
    checksum = new_checksum(upload.algorithm) if upload.checksum_type == "FULL_OBJECT" else None
    incoming = call.blobs.receive()
    try:
        target = _Tee(incoming, checksum)
        for part in parts:
            with call.blobs.open(part.blob) as source:
                shutil.copyfileobj(source, target, 1024 * 1024)
        name = incoming.keep()
    except FileNotFoundError as error:
        raise S3Error("NoSuchUpload", "The upload was aborted or completed meanwhile") from error
    finally:
        incoming.drop()
    return name, base64.b64encode(checksum.digest()).decode() if checksum else ""


class _Tee:
    """Writes to a blob and to a checksum."""

    def __init__(self, incoming: Incoming, checksum: Checksum | None) -> None:
        self._incoming = incoming
        self._checksum = checksum

    def write(self, data: bytes) -> None:
        self._incoming.write(data)
        if self._checksum is not None:
            self._checksum.update(data)


def _checksum_of(upload: Upload, parts: Sequence[Part], full_crc: str) -> dict[str, str]:
    if not upload.algorithm:
        return {}
    value = full_crc
    if upload.checksum_type == "COMPOSITE":
        checksum = new_checksum(upload.algorithm)
        for part in parts:
            checksum.update(base64.b64decode(part.checksum))
        value = f"{base64.b64encode(checksum.digest()).decode()}-{len(parts)}"
    return {"algorithm": upload.algorithm, "value": value, "type": upload.checksum_type}


async def _document_of(call: Call) -> bytes:
    """The body; here alone a checksum header is not about the body, but about the object to be."""
    headers = {name: value for name, value in call.request.headers.items() if not name.startswith(HEADER_PREFIX)}
    return await replace(call, request=replace(call.request, headers=headers)).document()


def _require_checksum(call: Call, checksum: dict[str, str]) -> None:
    """The checksum of the whole object, if the client names one as it completes. Raises S3Error."""
    expected = checksum_headers(checksum)
    for name, value in call.request.headers.items():
        if name.startswith(HEADER_PREFIX) and expected.get(name) != value:
            raise S3Error("BadDigest", f"{name} is not what was calculated")


def _part_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= MAX_PARTS):
        raise S3Error("InvalidArgument", f"Part number must be an integer between 1 and {MAX_PARTS}")
    return int(text)


def _part_node(part: Part, algorithm: str) -> list[Node]:
    nodes: list[Node] = [("PartNumber", str(part.number)), ("LastModified", iso_time(part.modified_at))]
    nodes += [("ETag", f'"{part.etag}"'), ("Size", str(part.size_bytes))]
    if part.checksum:
        nodes.append((f"Checksum{algorithm.upper()}", part.checksum))
    return nodes
