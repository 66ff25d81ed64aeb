"""boto3, tamed: how its client is made and what its errors mean.

Promises: the client depends on our settings alone. botocore reads AWS_* variables, ~/.aws and proxy
variables by itself; here each of them is answered before it looks.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    ParamValidationError,
)

from storage.errors import (
    BucketMissing,
    ObjectExists,
    ObjectMissing,
    StorageError,
    StoreRefused,
    StoreUnavailable,
    StoreUnsupported,
    UploadMissing,
    UploadRejected,
)
from storage.settings import StorageSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from storage.keys import ObjectKey

MEANING: dict[str, type[StorageError]] = {
    "NoSuchBucket": BucketMissing,
    "NoSuchKey": ObjectMissing,
    "NoSuchUpload": UploadMissing,
    "PreconditionFailed": ObjectExists,
    "ConditionalRequestConflict": ObjectExists,
    "BadDigest": UploadRejected,
    "EntityTooLarge": UploadRejected,
    "EntityTooSmall": UploadRejected,
    "IncompleteBody": UploadRejected,
    "InvalidPart": UploadRejected,
    "InvalidPartOrder": UploadRejected,
    "MalformedXML": UploadRejected,
    "NotImplemented": StoreUnsupported,
    "RequestTimeout": StoreUnavailable,
    "SlowDown": StoreUnavailable,
}


def make_client(settings: StorageSettings) -> S3Client:
    """A boto3 client of these settings and nothing else."""
    core = botocore.session.Session(
        # logical name: (name in the config file, variable, default, conversion); no variable, so none is read
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
            "ca_bundle": (None, None, None, None),
        }
    )
    config = Config(
        region_name=settings.region,
        signature_version="s3v4",
        s3={"addressing_style": "path" if settings.path_style else "virtual"},
        connect_timeout=settings.connect_timeout_ms / 1000,
        read_timeout=settings.read_timeout_ms / 1000,
        retries={"mode": "standard", "total_max_attempts": settings.max_attempts},
        max_pool_connections=settings.max_connections,
        proxies={},
        tcp_keepalive=True,
        request_checksum_calculation="when_supported",
        response_checksum_validation="when_supported",
        user_agent="plein",
        use_fips_endpoint=False,
        use_dualstack_endpoint=False,
    )
    return boto3.session.Session(botocore_session=core).client(
        "s3",
        endpoint_url=settings.endpoint_url,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        verify=settings.ca_bundle or True,
        config=config,
    )


def error_of(error: Exception, key: ObjectKey | None) -> StorageError | None:
    """What boto3's error means in our words; None if it is not one of boto3's."""
    where = f" ({key})" if key is not None else ""
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        code = str(details.get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        kind = MEANING.get(code) or _by_status(status, on_object=key is not None)
        return kind(f"{error.operation_name}: {code} {details.get('Message', '')}".rstrip() + where)
    if isinstance(error, FlexibleChecksumError):
        return StorageError(f"the bytes read do not have the checksum that was stored{where}")
    if isinstance(error, ParamValidationError):
        return StorageError(f"not a valid call: {error}")
    if isinstance(error, BotoCoreError | HTTPClientError):
        # The class, not the text: the text of some holds the whole URL.
        return StoreUnavailable(f"no answer from the object store: {type(error).__name__}{where}")
    return None


def _by_status(status: int, *, on_object: bool) -> type[StorageError]:
    """HEAD has no body, so no code: only the status is left."""
    if status == 404:
        return ObjectMissing if on_object else BucketMissing
    if status in {401, 403}:
        return StoreRefused
    if status == 412:
        return ObjectExists
    return StoreUnavailable if status >= 500 else StorageError
