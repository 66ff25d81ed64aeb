"""Who signed this request: AWS Signature Version 4 in the header and in the query, and of streamed chunks.

Promises: no request passes that was not signed with our secret, for this method, path, query, host and every
x-amz-* header, within its time. Never answers a difference between a wrong secret and a changed request.
Source: "Authenticating Requests (AWS Signature Version 4)" in the Amazon S3 API reference.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from storage.devstore.errors import S3Error
from storage.devstore.request import Request
from storage.devstore.settings import DevStoreSettings
from storage.sigv4 import (
    ALGORITHM,
    EMPTY_SHA256,
    MAX_EXPIRES_S,
    UNSIGNED_PAYLOAD,
    credential_scope,
    sign_request,
    signing_key,
    uri_encode,
)

STREAMING = frozenset(
    {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    }
)
AUTHORIZATION = re.compile(
    ALGORITHM + r" +Credential=(?P<credential>[^,\s]+), *SignedHeaders=(?P<headers>[^,\s]+),"
    r" *Signature=(?P<signature>[0-9a-f]{64})"
)
TIMESTAMP = re.compile(r"\d{8}T\d{6}Z")
SHA256_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Signed:
    """What a verified signature says: how the payload is vouched for, and what chunk signatures build on."""

    payload: str
    key: bytes
    scope: str
    timestamp: str
    signature: str

    @property
    def is_streaming(self) -> bool:
        """Whether the body is aws-chunked."""
        return self.payload in STREAMING

    @property
    def signs_chunks(self) -> bool:
        """Whether every chunk of the body carries a signature."""
        return self.payload.startswith("STREAMING-AWS4")


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a request claims about itself before anything is believed."""

    credential: str
    signed_headers: str
    signature: str
    timestamp: str
    payload: str
    expires_s: int | None


def verify(request: Request, settings: DevStoreSettings, now: datetime) -> Signed:
    """The verified signature of a request. Raises S3Error with the code S3 gives."""
    in_query = "X-Amz-Algorithm" in request.query or "X-Amz-Signature" in request.query
    in_header = "authorization" in request.headers
    if in_query and in_header:
        raise S3Error("InvalidArgument", "Only one auth mechanism allowed")
    if not (in_query or in_header):
        raise S3Error("AccessDenied", "Access Denied: the request is not signed")
    if "x-amz-security-token" in request.headers or "X-Amz-Security-Token" in request.query:
        raise S3Error("InvalidToken", "The development store has no session tokens")
    claim = _claim_of_query(request) if in_query else _claim_of_header(request)
    key, scope = _key_of(claim, settings, in_query=in_query)
    signed_names = claim.signed_headers.split(";")
    _require_headers_signed(request, signed_names)
    expected = sign_request(key, claim.timestamp, scope, _canonical(request, signed_names, claim.payload))
    if not hmac.compare_digest(expected, claim.signature):
        raise S3Error("SignatureDoesNotMatch", "The request signature we calculated does not match the one provided")
    _require_time(claim, now, settings.max_skew_s)
    return Signed(claim.payload, key, scope, claim.timestamp, claim.signature)


class ChunkSigner:
    """The chain of signatures over the chunks of one body; each builds on the one before."""

    def __init__(self, signed: Signed) -> None:
        self._signed = signed
        self._previous = signed.signature

    def require_chunk(self, signature: str, sha256: str) -> None:
        """Check the next chunk, by the SHA-256 of its bytes. Raises S3Error."""
        self._require(signature, f"{ALGORITHM}-PAYLOAD", f"{EMPTY_SHA256}\n{sha256}")

    def require_trailer(self, signature: str, lines: bytes) -> None:
        """Check the trailing headers, given as `name:value\\n` lines. Raises S3Error."""
        self._require(signature, f"{ALGORITHM}-TRAILER", hashlib.sha256(lines).hexdigest())

    def _require(self, signature: str, kind: str, rest: str) -> None:
        signed = self._signed
        text = f"{kind}\n{signed.timestamp}\n{signed.scope}\n{self._previous}\n{rest}"
        expected = hmac.digest(signed.key, text.encode(), "sha256").hex()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise S3Error("SignatureDoesNotMatch", "The signature of a chunk does not match")
        self._previous = expected


def _claim_of_header(request: Request) -> _Claim:
    match = AUTHORIZATION.fullmatch(request.headers["authorization"].strip())
    if match is None:
        raise S3Error("AuthorizationHeaderMalformed", f"The authorization header must be {ALGORITHM} and complete")
    payload = request.headers.get("x-amz-content-sha256", "")
    _require_payload(payload)
    timestamp = request.headers.get("x-amz-date", "")
    if not TIMESTAMP.fullmatch(timestamp):
        raise S3Error("AccessDenied", "A valid x-amz-date header is required")
    return _Claim(match["credential"], match["headers"], match["signature"], timestamp, payload, None)


def _claim_of_query(request: Request) -> _Claim:
    values = []
    for name in ("Algorithm", "Credential", "SignedHeaders", "Signature", "Date", "Expires"):
        value = request.query.get(f"X-Amz-{name}", "")
        if not value:
            raise S3Error("AuthorizationQueryParametersError", f"X-Amz-{name} is missing")
        values.append(value)
    algorithm, credential, headers, signature, timestamp, expires = values
    if algorithm != ALGORITHM or not TIMESTAMP.fullmatch(timestamp) or not SHA256_HEX.fullmatch(signature):
        raise S3Error(
            "AuthorizationQueryParametersError", "X-Amz-Algorithm, X-Amz-Date or X-Amz-Signature is malformed"
        )
    if not re.fullmatch(r"[0-9]{1,6}", expires) or not 1 <= int(expires) <= MAX_EXPIRES_S:
        raise S3Error("AuthorizationQueryParametersError", f"X-Amz-Expires must lie between 1 and {MAX_EXPIRES_S}")
    payload = request.headers.get("x-amz-content-sha256", UNSIGNED_PAYLOAD)
    _require_payload(payload)
    return _Claim(credential, headers, signature, timestamp, payload, int(expires))


def _require_payload(payload: str) -> None:
    if payload != UNSIGNED_PAYLOAD and payload not in STREAMING and not SHA256_HEX.fullmatch(payload):
        reason = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-… (with HMAC-SHA256) or a SHA-256"
        raise S3Error("InvalidRequest" if not payload else "InvalidArgument", reason)


def _key_of(claim: _Claim, settings: DevStoreSettings, *, in_query: bool) -> tuple[bytes, str]:
    """The signing key and scope the claim asks for, if it asks for ours."""
    malformed = "AuthorizationQueryParametersError" if in_query else "AuthorizationHeaderMalformed"
    access_key, _, scope = claim.credential.partition("/")
    if not hmac.compare_digest(access_key.encode(), settings.access_key.encode()):
        raise S3Error("InvalidAccessKeyId", "The access key id you provided does not exist in our records")
    expected = credential_scope(claim.timestamp[:8], settings.region)
    if scope != expected:
        raise S3Error(malformed, f"The credential scope is wrong; expecting {expected}")
    return signing_key(settings.secret_key, claim.timestamp[:8], settings.region), scope


def _require_headers_signed(request: Request, names: Sequence[str]) -> None:
    """Host and all x-amz-* headers must be signed: an unsigned one could be added by anybody on the way."""
    if "host" not in names or list(names) != sorted(set(names)):
        raise S3Error("AccessDenied", "SignedHeaders must be sorted and hold host")
    for name in request.headers:
        if name.startswith("x-amz-") and name not in names:
            raise S3Error("AccessDenied", f"There were headers present in the request which were not signed: {name}")


def _canonical(request: Request, signed_names: Sequence[str], payload: str) -> str:
    pairs = sorted(
        (uri_encode(name), uri_encode(value)) for name, value in request.query.items() if name != "X-Amz-Signature"
    )
    # A header that is signed and absent counts as empty, which no client signs: the signature will differ.
    lines = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed_names)
    query = "&".join(f"{name}={value}" for name, value in pairs)
    path = quote(request.path, safe="/-_.~")
    return f"{request.method}\n{path}\n{query}\n{lines}\n{';'.join(signed_names)}\n{payload}"


def _require_time(claim: _Claim, now: datetime, max_skew_s: int) -> None:
    try:
        signed_at = datetime.strptime(claim.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise S3Error("AccessDenied", "The date of the signature does not exist") from error
    age_s = (now - signed_at).total_seconds()
    if claim.expires_s is None:
        if abs(age_s) > max_skew_s:
            raise S3Error("RequestTimeTooSkewed", "The difference between the request time and ours is too large")
    elif age_s > claim.expires_s:
        raise S3Error("AccessDenied", "Request has expired")
    elif age_s < -max_skew_s:
        raise S3Error("AccessDenied", "Request is not valid yet")
