"""What one development store is told when it starts. Never reads the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DevStoreSettings:
    """The limits are S3's own; sizes are bytes. `allowed_origins` are browsers' origins, "*" allows all."""

    directory: Path
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    allowed_origins: tuple[str, ...] = ()
    max_object_bytes: int = 5 * 1024 * MEBIBYTE
    min_part_bytes: int = 5 * MEBIBYTE
    max_document_bytes: int = 2 * MEBIBYTE
    max_metadata_bytes: int = 2048
    max_skew_s: int = 900
