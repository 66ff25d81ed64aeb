"""What can go wrong with the object store, in the words of the product.

Promises: callers of this floor meet these classes and no exception of boto3 or botocore.
Never holds a credential or a signed URL in its text.
"""
# ruff: noqa: N818 - these are states of the store ("object missing"), named as such

from __future__ import annotations


class StorageError(Exception):
    """The root of all errors of this floor; raised itself only for answers nobody foresaw."""


class StoreMisconfigured(StorageError):
    """The settings cannot be right: a malformed endpoint, bucket name or credential."""


class InvalidKey(StorageError):
    """A key that is malformed, too long, or belongs to another tenant."""


class StoreUnavailable(StorageError):
    """The store did not answer in time, answered 5xx, or too many calls wait for it. Worth a retry later."""


class StoreRefused(StorageError):
    """The store answered 401 or 403: our credentials or rights are wrong."""


class StoreUnsupported(StorageError):
    """The store answered 501: it does not do this."""


class BucketMissing(StorageError):
    """The configured bucket does not exist."""


class ObjectMissing(StorageError):
    """There is no object under this key."""


class ObjectExists(StorageError):
    """There is an object under this key already, and the call was to create one."""


class ObjectTooLarge(StorageError):
    """The object is larger than the caller is willing to hold in memory."""


class UploadMissing(StorageError):
    """There is no such multipart upload: never begun, completed or aborted."""


class UploadRejected(StorageError):
    """The bytes or the list of parts are not what was announced (checksum, size, order)."""


class StoreProcessFailed(StorageError):
    """The bundled development store could not be started."""
