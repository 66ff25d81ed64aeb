"""The arithmetic of AWS Signature Version 4 that signing and verifying share.

Promises: pure functions, measured against botocore in the tests. Never reads a clock, never keeps a secret.
Source: "Authenticating Requests (AWS Signature Version 4)" in the Amazon S3 API reference.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
PROOF_HEADER = "x-plein-store-proof"
MAX_EXPIRES_S = 604_800  # a week, the protocol's limit


def signing_key(secret_key: str, date: str, region: str) -> bytes:
    """The key of one day (`date` is YYYYMMDD) and region: four HMACs, worth keeping for that day."""
    key = hmac.digest(b"AWS4" + secret_key.encode(), date.encode(), "sha256")
    for step in (region, "s3", "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


def credential_scope(date: str, region: str) -> str:
    """The scope a signature is valid in."""
    return f"{date}/{region}/s3/aws4_request"


def uri_encode(text: str, *, keep_slash: bool = False) -> str:
    """Percent-encode as the signature demands: all but unreserved characters, in upper-case hexadecimal."""
    return quote(text, safe="/" if keep_slash else "")


def sign_request(key: bytes, timestamp: str, scope: str, canonical_request: str) -> str:
    """The signature, in hexadecimal, of a canonical request. `timestamp` is YYYYMMDDTHHMMSSZ."""
    digest = hashlib.sha256(canonical_request.encode()).hexdigest()
    return hmac.digest(key, f"{ALGORITHM}\n{timestamp}\n{scope}\n{digest}".encode(), "sha256").hex()


def store_proof(key: bytes, signature: str) -> str:
    """What the bundled store answers to a signed HEAD: only who knows the secret too can say it.

    S3 itself never proves who it is; on loopback, without TLS, any program could sit on a remembered port.
    """
    return hmac.digest(key, f"store-proof\n{signature}".encode(), "sha256").hex()
