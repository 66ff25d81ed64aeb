"""A signer for tests that can lie: botocore's own SigV4, with any clock, secret, payload claim and headers."""

from __future__ import annotations

import datetime
import hashlib
from typing import Any
from unittest import mock

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from storage.settings import StorageSettings


class _ClaimingAuth(S3SigV4Auth):
    """Signs whatever it is told the payload is."""

    claim = ""

    def payload(self, request: Any) -> str:
        return self.claim


def signed_headers(
    settings: StorageSettings,
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    claim: str | None = None,
    age_s: float = 0,
) -> dict[str, str]:
    """All headers of a request signed in its header, `age_s` seconds ago."""
    auth = _ClaimingAuth(Credentials(settings.access_key, settings.secret_key), "s3", settings.region)
    auth.claim = claim or hashlib.sha256(body).hexdigest()
    request = AWSRequest(method, url, headers=headers or {})
    moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=age_s)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        auth.add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}
