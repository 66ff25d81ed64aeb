"""What the development store can do: one table, with the parameters and headers each operation understands.

Promises: a parameter or an x-amz-* header that is not in the table is answered 501 with its name, never ignored.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from storage.devstore import buckets, multipart, objects
from storage.devstore.call import METADATA_PREFIX, Call
from storage.devstore.checksums import HEADER_PREFIX
from storage.devstore.errors import S3Error
from storage.devstore.request import Request, Response

Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A handler, and the query parameters and x-amz-* headers (or prefixes of them, ending in "-") it reads."""

    handle: Handler
    query: frozenset[str] = frozenset()
    headers: frozenset[str] = frozenset()


# Parameters (and one header) that make another operation of the same method and path.
MARKERS = ("delete", "list-type", "partNumber", "uploadId", "uploads", "x-amz-copy-source")
COMMON_QUERY = frozenset({"x-id"})  # some clients name the operation in it
COMMON_HEADERS = frozenset({"x-amz-date", "x-amz-content-sha256", "x-amz-user-agent"})
FIXED_HEADERS = {"x-amz-acl": "private", "x-amz-storage-class": "STANDARD"}
BODY = frozenset({HEADER_PREFIX, "x-amz-decoded-content-length", "x-amz-trailer", "x-amz-sdk-checksum-algorithm"})
STORED = frozenset({METADATA_PREFIX, "x-amz-acl", "x-amz-storage-class"})
SOURCE = frozenset({"x-amz-copy-source", "x-amz-copy-source-if-", "x-amz-metadata-directive"})
CHECKSUM_MODE = frozenset({"x-amz-checksum-mode"})
LISTING = frozenset({"prefix", "delimiter", "max-keys", "continuation-token", "start-after", "encoding-type"})
UPLOADS = frozenset({"prefix", "max-uploads", "key-marker", "upload-id-marker", "encoding-type"})
PARTS = frozenset({"max-parts", "part-number-marker"})

OPERATIONS: dict[tuple[str, str, tuple[str, ...]], Operation] = {
    ("GET", "service", ()): Operation(buckets.list_buckets),
    ("PUT", "bucket", ()): Operation(buckets.create_bucket, headers=BODY | {"x-amz-acl"}),
    ("HEAD", "bucket", ()): Operation(buckets.head_bucket),
    ("DELETE", "bucket", ()): Operation(buckets.delete_bucket),
    ("GET", "bucket", ("list-type",)): Operation(buckets.list_objects, LISTING | {"fetch-owner"}),
    ("POST", "bucket", ("delete",)): Operation(objects.delete_objects, headers=BODY),
    ("GET", "bucket", ("uploads",)): Operation(multipart.list_uploads, UPLOADS),
    ("PUT", "object", ()): Operation(objects.put_object, headers=BODY | STORED),
    ("PUT", "object", ("x-amz-copy-source",)): Operation(objects.copy_object, headers=STORED | SOURCE),
    ("GET", "object", ()): Operation(objects.get_object, objects.OVERRIDES, CHECKSUM_MODE),
    ("HEAD", "object", ()): Operation(objects.head_object, objects.OVERRIDES, CHECKSUM_MODE),
    ("DELETE", "object", ()): Operation(objects.delete_object),
    ("POST", "object", ("uploads",)): Operation(multipart.create_upload, headers=STORED | {HEADER_PREFIX}),
    ("PUT", "object", ("partNumber", "uploadId")): Operation(multipart.put_part, headers=BODY),
    ("GET", "object", ("uploadId",)): Operation(multipart.list_parts, PARTS),
    ("POST", "object", ("uploadId",)): Operation(multipart.complete_upload, headers=BODY),
    ("DELETE", "object", ("uploadId",)): Operation(multipart.abort_upload),
}


def select(request: Request) -> Operation:
    """The operation a request asks for. Raises S3Error (501) with the reason if there is none."""
    level = "object" if request.key else "bucket" if request.bucket else "service"
    given = {*request.query, *(name for name in request.headers if name == "x-amz-copy-source")}
    markers = tuple(marker for marker in MARKERS if marker in given)
    operation = OPERATIONS.get((request.method, level, markers))
    if operation is None or request.query.get("list-type", "2") != "2":
        asked = f"{request.method} on {level}" + (f" with {', '.join(markers)}" if markers else "")
        hint = "; use list-type=2" if (request.method, level) == ("GET", "bucket") else ""
        raise _not_implemented(asked + hint)
    for name in request.query:
        if name not in operation.query | COMMON_QUERY and name not in markers and not name.startswith("X-Amz-"):
            raise _not_implemented(f"the parameter {name}")
    for name, value in request.headers.items():
        if name.startswith("x-amz-") and not _is_read(name, operation):
            raise _not_implemented(f"the header {name}")
        if FIXED_HEADERS.get(name) not in {None, value}:
            raise _not_implemented(f"{name}: {value}")
    return operation


def _is_read(name: str, operation: Operation) -> bool:
    if name in COMMON_HEADERS or name in operation.headers:
        return True
    return any(prefix.endswith("-") and name.startswith(prefix) for prefix in operation.headers)


def _not_implemented(what: str) -> S3Error:
    return S3Error("NotImplemented", f"The development store does not implement {what}")
