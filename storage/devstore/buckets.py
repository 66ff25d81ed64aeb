"""Operations on buckets and listings of objects."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from storage.devstore.call import Call
from storage.devstore.documents import Node, iso_time, parse, render, text_of
from storage.devstore.errors import S3Error
from storage.devstore.index import Entry, Index
from storage.devstore.request import Response
from storage.settings import BUCKET_NAME
from storage.sigv4 import PROOF_HEADER, store_proof

MAX_KEYS = 1000
XML = {"content-type": "application/xml"}


async def list_buckets(call: Call) -> Response:
    """GET / : all buckets."""
    buckets: list[Node] = [
        ("Bucket", [("Name", name), ("CreationDate", iso_time(created_at))])
        for name, created_at in await call.run(call.index.buckets)
    ]
    owner: Node = ("Owner", [("ID", "development")])
    return Response(200, XML, render(("ListAllMyBucketsResult", [owner, ("Buckets", buckets)])))


async def create_bucket(call: Call) -> Response:
    """PUT /bucket."""
    name = call.request.bucket
    if not BUCKET_NAME.fullmatch(name):
        raise S3Error("InvalidBucketName", "The specified bucket is not valid")
    if document := await call.document():
        children = parse(document, "CreateBucketConfiguration")
        place = text_of(("", children), "LocationConstraint")
        if place != call.settings.region or len(children) != 1:
            raise S3Error("IllegalLocationConstraintException", f"This store is in {call.settings.region}")
    await call.run(call.index.create_bucket, name, call.now)
    return Response(200, {"location": f"/{name}"})


async def head_bucket(call: Call) -> Response:
    """HEAD /bucket. The answer proves that this store knows the secret too, whether or not the bucket exists."""
    proof = {PROOF_HEADER: store_proof(call.signed.key, call.signed.signature)}
    try:
        await call.run(call.index.require_bucket, call.request.bucket)
    except S3Error as error:
        raise S3Error(error.code, error.message, proof) from error
    return Response(200, {"x-amz-bucket-region": call.settings.region, **proof})


async def delete_bucket(call: Call) -> Response:
    """DELETE /bucket, which must be empty."""
    await call.run(call.index.delete_bucket, call.request.bucket)
    return Response(204)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a listing asks for; `first` is the first key that may appear."""

    prefix: bytes
    delimiter: bytes
    first: bytes
    limit: int


@dataclass(slots=True)
class Found:
    """What a listing found; `next_first` continues it, if there is more."""

    entries: list[Entry] = field(default_factory=list)
    common_prefixes: list[bytes] = field(default_factory=list)
    next_first: bytes | None = None

    def count(self) -> int:
        """Keys and common prefixes count alike."""
        return len(self.entries) + len(self.common_prefixes)


async def list_objects(call: Call) -> Response:
    """GET /bucket?list-type=2."""
    query = call.request.query
    limit = int_parameter(call, "max-keys", MAX_KEYS)
    prefix = query.get("prefix", "").encode()
    first = max(prefix, after(query["start-after"].encode()) if query.get("start-after") else b"")
    if "continuation-token" in query:
        first = max(prefix, _position(query["continuation-token"]))
    listing = Listing(prefix, query.get("delimiter", "").encode(), first, limit)
    found = await call.run(find, call.index, call.request.bucket, listing)
    encode = key_encoder(call)
    nodes: list[Node] = [("Name", call.request.bucket), ("Prefix", encode(query.get("prefix", "")))]
    nodes += [(name, encode(query[key])) for key, name in ECHOED.items() if key in query]
    nodes += [("KeyCount", str(found.count())), ("MaxKeys", str(limit))]
    nodes += [("IsTruncated", str(found.next_first is not None).lower())]
    if found.next_first is not None:
        nodes.append(("NextContinuationToken", base64.urlsafe_b64encode(found.next_first).decode()))
    nodes += [("Contents", _entry_node(entry, encode(entry.key))) for entry in found.entries]
    nodes += [("CommonPrefixes", [("Prefix", encode(name.decode()))]) for name in found.common_prefixes]
    return Response(200, XML, render(("ListBucketResult", nodes)))


ECHOED = {
    "delimiter": "Delimiter",
    "start-after": "StartAfter",
    "continuation-token": "ContinuationToken",
    "encoding-type": "EncodingType",
}


def find(index: Index, bucket: str, listing: Listing) -> Found:
    """Walk the index in order; keys that share a prefix up to the delimiter are found once and jumped over."""
    found, first, end = Found(), listing.first, after_prefix(listing.prefix)
    if listing.limit == 0:
        index.require_bucket(bucket)
        return found
    while True:
        page = index.walk(bucket, first, end, MAX_KEYS)
        for entry in page:
            key = entry.key.encode()
            if key < first:
                continue  # jumped over
            if found.count() == listing.limit:
                found.next_first = first
                return found
            cut = key.find(listing.delimiter, len(listing.prefix)) if listing.delimiter else -1
            if cut >= 0:
                group = key[: cut + len(listing.delimiter)]
                found.common_prefixes.append(group)
                first = after_prefix(group) or after(key)
            else:
                found.entries.append(entry)
                first = after(key)
        if len(page) < MAX_KEYS:
            return found


def after(key: bytes) -> bytes:
    """The first key behind this one."""
    return key + b"\0"


def after_prefix(prefix: bytes) -> bytes | None:
    """The first key behind all that begin so; None if there is none. UTF-8 has no byte 0xff to carry over."""
    return prefix[:-1] + bytes([prefix[-1] + 1]) if prefix else None


def int_parameter(call: Call, name: str, highest: int) -> int:
    """A number from the query, between 0 and its highest value, which is also its default. Raises S3Error."""
    text = call.request.query.get(name, "")
    if not text:
        return highest
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise S3Error("InvalidArgument", f"{name} must be a number")
    return min(int(text), highest)


def key_encoder(call: Call) -> Callable[[str], str]:
    """How keys are written in this answer: as they are, or percent-encoded on request. Raises S3Error."""
    kind = call.request.query.get("encoding-type")
    if kind not in {None, "url"}:
        raise S3Error("InvalidArgument", "Invalid Encoding Method specified in Request")
    return quote if kind else str


def _entry_node(entry: Entry, key: str) -> list[Node]:
    return [
        ("Key", key),
        ("LastModified", iso_time(entry.modified_at)),
        ("ETag", f'"{entry.etag}"'),
        ("Size", str(entry.size_bytes)),
        ("StorageClass", "STANDARD"),
    ]


def _position(token: str) -> bytes:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect") from error
