"""What an issuer publishes of itself: where its endpoints are.

Promises: metadata is fetched from the one address that follows from the configured issuer, must name that issuer, and
is looked at word by word before it is used. It is remembered for an hour, and for a day while the issuer does not
answer. Never holds more than one document per configured issuer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from auth.relying.faults import SignInRefused, faulty
from auth.relying.issuers import Issuer, check_address
from auth.relying.outside import Outside

FRESH_SECONDS = 3_600.0
STALE_SECONDS = 86_400.0
RETRY_SECONDS = 30.0  # while it does not answer, the old one is used that long before it is asked again


@dataclass(frozen=True, slots=True)
class Metadata:
    """An issuer's endpoints. `names_itself`: its answers carry `iss` (RFC 9207), so one without it is not its own."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    names_itself: bool


def read_metadata(issuer: Issuer, document: Mapping[str, Any]) -> Metadata:
    """The metadata in a document. Raises ISSUER_FAULTY, naming the word that is wrong."""
    if document.get("issuer") != issuer.url:
        raise faulty("metadata: issuer is another")
    names_itself = document.get("authorization_response_iss_parameter_supported", False)
    if not isinstance(names_itself, bool):
        raise faulty("metadata: authorization_response_iss_parameter_supported")
    return Metadata(
        authorization_endpoint=_address(issuer, document, "authorization_endpoint"),
        token_endpoint=_address(issuer, document, "token_endpoint"),
        jwks_uri=_address(issuer, document, "jwks_uri"),
        userinfo_endpoint=_optional_address(issuer, document, "userinfo_endpoint"),
        end_session_endpoint=_optional_address(issuer, document, "end_session_endpoint"),
        names_itself=names_itself,
    )


class MetadataOfIssuer:
    """One issuer's metadata, fetched when it is needed; several who need it at once wait for one fetch."""

    def __init__(self, issuer: Issuer, outside: Outside, clock: Callable[[], float]) -> None:
        self._issuer = issuer
        self._outside = outside
        self._clock = clock
        self._lock = asyncio.Lock()
        self._found: Metadata | None = None
        self._fetched_at = 0.0
        self._tried_at = float("-inf")

    async def load(self) -> Metadata:
        """The metadata. Raises ISSUER_UNREACHABLE and ISSUER_FAULTY."""
        async with self._lock:
            now = self._clock()
            found, age = self._found, now - self._fetched_at
            if found is not None and (age < FRESH_SECONDS or now - self._tried_at < RETRY_SECONDS):
                return found
            self._tried_at = now
            try:
                self._found = await self._fetch()
            except SignInRefused:
                if found is None or age > STALE_SECONDS:
                    raise
                return found
            self._fetched_at = now
            return self._found

    async def _fetch(self) -> Metadata:
        answer = await self._outside.get(self._issuer.discovery_url, near=self._issuer.is_near)
        if answer.status != 200:
            raise faulty(f"metadata: status {answer.status}")
        return read_metadata(self._issuer, answer.json_object("metadata"))


def _address(issuer: Issuer, document: Mapping[str, Any], word: str) -> str:
    try:
        return check_address(document.get(word), is_near=issuer.is_near)
    except ValueError:
        raise faulty(f"metadata: {word}") from None


def _optional_address(issuer: Issuer, document: Mapping[str, Any], word: str) -> str | None:
    return None if document.get(word) is None else _address(issuer, document, word)
