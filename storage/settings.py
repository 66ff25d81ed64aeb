"""Where the object store is and how to speak to it.

Promises: frozen, complete, checked once when made. Never reads the environment: the gateway does that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from storage.errors import StoreMisconfigured

# The rules every S3 implementation shares: 3 to 63 lower-case letters, digits, dots and hyphens.
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """An S3-compatible store. Raises StoreMisconfigured when a value cannot be right.

    `public_endpoint_url` is the address browsers use, where it differs from the gateway's (a container
    network, a proxy); signed URLs are made for it. Times are milliseconds.
    """

    endpoint_url: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    path_style: bool = True
    public_endpoint_url: str = ""
    ca_bundle: str | None = None
    connect_timeout_ms: int = 2_000
    read_timeout_ms: int = 15_000
    max_attempts: int = 3
    max_connections: int = 16
    max_waiting: int = 512

    def __post_init__(self) -> None:
        for url in (self.endpoint_url, self.public_endpoint_url or self.endpoint_url):
            _require_origin(url)
        if not BUCKET_NAME.fullmatch(self.bucket):
            raise StoreMisconfigured(f"not a bucket name: {self.bucket!r}")
        if not (self.access_key and self.secret_key and self.region):
            raise StoreMisconfigured("access key, secret key and region must not be empty")
        bounds = (self.connect_timeout_ms, self.read_timeout_ms, self.max_attempts, self.max_connections)
        if min(bounds) < 1 or self.max_waiting < 0:
            raise StoreMisconfigured("timeouts, attempts and connections must be at least 1")

    @property
    def signing_endpoint_url(self) -> str:
        """The origin that signed URLs are made for, without a slash at its end."""
        return (self.public_endpoint_url or self.endpoint_url).rstrip("/")


def _require_origin(url: str) -> None:
    """An origin only: a path would be part of every signature, and S3 has no place for one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise StoreMisconfigured(f"not an endpoint: {url!r} ({error})") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise StoreMisconfigured(f"an endpoint looks like https://host:port, not {url!r}")
    if parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc:
        raise StoreMisconfigured(f"an endpoint has no path, query or user: {parts.scheme}://{parts.hostname}")
