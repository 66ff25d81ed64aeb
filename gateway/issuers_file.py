"""The file of issuers that `PLEIN_ISSUERS` names: TOML or JSON, a table per issuer under `issuers`.

Promises: it is read once, at the start; what is not in order is one line that names the issuer and the word, and never
holds a secret.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auth.relying.issuers import Issuer

MOST = 200
LARGEST_BYTES = 1_000_000


class IssuersFileError(Exception):
    """The file cannot be right; the message is one line."""


def load_issuers(path: Path) -> tuple[Issuer, ...]:
    """The issuers in a file, in its order. Raises IssuersFileError."""
    from auth.relying.issuers import IssuerInvalid, issuer_from  # noqa: PLC0415 - keys and their library take a while

    tables = _tables(path)
    issuers = []
    for key, given in tables.items():
        if not isinstance(given, dict):
            raise IssuersFileError(f"{path}: issuers.{key} is no table")
        try:
            # Whoever writes this file runs the gateway, and may have an issuer in the same network.
            issuers.append(issuer_from(key, given, is_near=True))
        except IssuerInvalid as error:
            raise IssuersFileError(f"{path}: issuers.{key}.{error}") from None
    urls = [issuer.url for issuer in issuers]
    for issuer in issuers:
        if urls.count(issuer.url) > 1:
            raise IssuersFileError(f"{path}: {issuer.url} is there twice")
    return tuple(issuers)


def _tables(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise IssuersFileError(f"{path} is longer than {LARGEST_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise IssuersFileError(f"cannot read {path}: {getattr(error, 'strerror', None) or 'no UTF-8'}") from None
    try:
        content = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Only the place is told, and not the line: it may hold a secret.
        place = (
            f"line {error.lineno}"
            if isinstance(error, json.JSONDecodeError)
            else str(error).rpartition("(")[2].rstrip(")")
        )
        raise IssuersFileError(f"{path} is no {'JSON' if path.suffix == '.json' else 'TOML'}: {place}") from None
    tables = content.get("issuers") if isinstance(content, dict) else None
    if not isinstance(tables, dict) or set(content) != {"issuers"} or len(tables) > MOST:
        raise IssuersFileError(f"{path} must hold `issuers` and nothing else, a table for each, {MOST} at most")
    return tables
