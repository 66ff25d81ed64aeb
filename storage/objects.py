"""What is said about objects: frozen shapes, free of boto3's dictionaries.

Promises: sizes in bytes, times in UTC, etags without quotes. Never holds bytes of an object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from storage.keys import ObjectKey, parse_key

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef, ObjectTypeDef


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object; type, checksum (base64) and metadata are known from `head` only, not from a listing."""

    key: ObjectKey
    size_bytes: int
    etag: str
    modified_at: datetime
    content_type: str | None = None
    checksum_sha256: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CompletedPart:
    """A part that was sent: its number and the etag the store answered with (quotes are removed)."""

    number: int
    etag: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "etag", self.etag.strip('"'))


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """A multipart upload that has begun and not ended."""

    key: ObjectKey
    upload_id: str
    created_at: datetime


def info_from_head(key: ObjectKey, answer: HeadObjectOutputTypeDef) -> ObjectInfo:
    """From boto3's answer to HeadObject."""
    return ObjectInfo(
        key=key,
        size_bytes=answer["ContentLength"],
        etag=answer["ETag"].strip('"'),
        modified_at=answer["LastModified"].astimezone(UTC),
        content_type=answer.get("ContentType"),
        checksum_sha256=answer.get("ChecksumSHA256"),
        metadata=answer.get("Metadata", {}),
    )


def info_from_list(tenant: UUID, entry: ObjectTypeDef) -> ObjectInfo:
    """From one entry of boto3's listing, which must be the tenant's."""
    return ObjectInfo(
        key=parse_key(tenant, entry["Key"]),
        size_bytes=entry["Size"],
        etag=entry["ETag"].strip('"'),
        modified_at=entry["LastModified"].astimezone(UTC),
    )
