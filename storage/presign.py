"""Signed URLs: a browser fetches or sends bytes at the store itself, for a short time.

Promises: the same signature botocore would make, at less than a tenth of its cost, because the signing key is kept for
the day. An upload is bound to the size, type and checksum that were announced. Never touches the network.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from storage.errors import InvalidKey, StorageError
from storage.keys import ObjectKey
from storage.settings import StorageSettings
from storage.sigv4 import (
    ALGORITHM,
    MAX_EXPIRES_S,
    UNSIGNED_PAYLOAD,
    credential_scope,
    sign_request,
    signing_key,
    uri_encode,
)

DEFAULT_EXPIRES_S = 300
MAX_PART_NUMBER = 10_000
MAX_PUT_BYTES = 5 * 1024**3  # of one PUT, so of one part too


@dataclass(frozen=True, slots=True)
class SignedUpload:
    """Where to PUT the bytes, and the headers that must come with them (content-length goes by itself)."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Day:
    """What stays the same for all signatures of one day."""

    date: str
    scope: str
    key: bytes
    query_start: str


class Presigner:
    """Makes signed URLs for one bucket. Safe to share between threads; `clock` gives seconds since 1970."""

    def __init__(self, settings: StorageSettings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._origin, self._host, self._path_start = _addressing(settings)
        self._day = self._make_day("")

    def get_url(
        self,
        key: ObjectKey,
        *,
        expires_s: int = DEFAULT_EXPIRES_S,
        content_type: str | None = None,
        content_disposition: str | None = None,
    ) -> str:
        """A URL that reads the object; the store will answer with the given type and disposition."""
        query = {}
        if content_disposition is not None:
            query["response-content-disposition"] = content_disposition
        if content_type is not None:
            query["response-content-type"] = content_type
        return self.sign("GET", key.text, query=query, expires_s=expires_s)

    def put_url(
        self,
        key: ObjectKey,
        *,
        size_bytes: int,
        content_type: str,
        sha256: str | None = None,
        create_only: bool = False,
        expires_s: int = DEFAULT_EXPIRES_S,
    ) -> SignedUpload:
        """A URL that writes exactly this object: size, type, and SHA-256 (base64) are part of the signature.

        With `create_only` the store refuses (412) to overwrite, however often the URL is used.
        """
        _require_size(size_bytes)
        headers = {"content-type": content_type}
        if sha256 is not None:
            headers["x-amz-checksum-sha256"] = sha256
        if create_only:
            headers["if-none-match"] = "*"
        signed = {"content-length": str(size_bytes), **headers}
        return SignedUpload(self.sign("PUT", key.text, headers=signed, expires_s=expires_s), headers)

    def part_url(
        self,
        key: ObjectKey,
        upload_id: str,
        part_number: int,
        *,
        size_bytes: int,
        expires_s: int = DEFAULT_EXPIRES_S,
    ) -> SignedUpload:
        """A URL that sends one part of a multipart upload; parts are numbered from 1."""
        if not 1 <= part_number <= MAX_PART_NUMBER:
            raise StorageError(f"a part number lies between 1 and {MAX_PART_NUMBER}, not {part_number}")
        _require_size(size_bytes)
        query = {"partNumber": str(part_number), "uploadId": upload_id}
        signed = {"content-length": str(size_bytes)}
        return SignedUpload(self.sign("PUT", key.text, query=query, headers=signed, expires_s=expires_s), {})

    def sign(
        self,
        method: str,
        key_text: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        expires_s: int = DEFAULT_EXPIRES_S,
    ) -> str:
        """Sign any method on a key of the bucket ("" is the bucket itself). Header names are lower case.

        Query names must begin with a lower-case letter, as all of S3's do: so they sort behind X-Amz-*.
        """
        if not 1 <= expires_s <= MAX_EXPIRES_S:
            raise StorageError(f"a signed URL lives 1 to {MAX_EXPIRES_S} seconds, not {expires_s}")
        timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        day = self._day
        if timestamp[:8] != day.date:
            day = self._day = self._make_day(timestamp[:8])
        if headers:
            pairs = sorted({**headers, "host": self._host}.items())
            names = ";".join([name for name, _ in pairs])
            lines = "".join([f"{name}:{' '.join(value.split())}\n" for name, value in pairs])
        else:
            names, lines = "host", f"host:{self._host}\n"
        canonical_query = (
            f"{day.query_start}{timestamp}&X-Amz-Expires={expires_s}&X-Amz-SignedHeaders={names.replace(';', '%3B')}"
        )
        for name, value in sorted(query.items()) if query else ():
            canonical_query += f"&{name}={uri_encode(value)}"
        path = self._path_start + uri_encode(key_text, keep_slash=True)
        request = f"{method}\n{path}\n{canonical_query}\n{lines}\n{names}\n{UNSIGNED_PAYLOAD}"
        signature = sign_request(day.key, timestamp, day.scope, request)
        return f"{self._origin}{path}?{canonical_query}&X-Amz-Signature={signature}"

    def _make_day(self, date: str) -> _Day:
        settings = self._settings
        scope = credential_scope(date, settings.region)
        credential = uri_encode(f"{settings.access_key}/{scope}")
        start = f"X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={credential}&X-Amz-Date="
        return _Day(date, scope, signing_key(settings.secret_key, date, settings.region), start)


def content_disposition(file_name: str, *, inline: bool = False) -> str:
    """The header that gives a download its name (RFC 6266): any name in, no header injection out."""
    name = "".join(letter for letter in file_name if letter.isprintable()).replace("/", "_").replace("\\", "_")
    if not name.strip(". "):
        raise InvalidKey("the file has no name")
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_").replace("%", "_")
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _require_size(size_bytes: int) -> None:
    if not 0 <= size_bytes <= MAX_PUT_BYTES:
        raise StorageError(f"one PUT carries 0 to {MAX_PUT_BYTES} bytes, not {size_bytes}")


def _addressing(settings: StorageSettings) -> tuple[str, str, str]:
    """Origin, value of the Host header, and start of the path, for path style or virtual hosts."""
    parts = urlsplit(settings.signing_endpoint_url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    if parts.port and parts.port != {"http": 80, "https": 443}[parts.scheme]:
        host = f"{host}:{parts.port}"
    if settings.path_style:
        return f"{parts.scheme}://{host}", host, f"/{settings.bucket}/"
    host = f"{settings.bucket}.{host}"
    return f"{parts.scheme}://{host}", host, "/"
