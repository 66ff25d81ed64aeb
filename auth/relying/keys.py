"""The public keys of an issuer: fetched, remembered, and fetched again when a token names one that is not known.

Promises: only public RSA, EC and Ed25519 keys of a sound size, for signatures, count; what else is in the set is passed
over. A set is remembered for an hour. An unknown key makes it be fetched once more, and then not again for half a
minute, however many tokens name unknown keys. Never takes a key, or an address of keys, from a token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from auth.relying.faults import SignInFault, SignInRefused, faulty
from auth.relying.issuers import Issuer
from auth.relying.metadata import MetadataOfIssuer
from auth.relying.outside import Outside

FRESH_SECONDS = 3_600.0
REFETCH_SECONDS = 30.0
MOST_KEYS = 100
LONGEST_KEY_ID = 500
RSA_BITS = (2_048, 8_192)
KINDS: dict[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}


class KeysOfIssuer:
    """One issuer's keys."""

    def __init__(
        self, issuer: Issuer, metadata: MetadataOfIssuer, outside: Outside, clock: Callable[[], float]
    ) -> None:
        self._issuer = issuer
        self._metadata = metadata
        self._outside = outside
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keys: tuple[Key, ...] = ()
        self._fetched_at = float("-inf")
        self._refetched_at = float("-inf")

    async def find(self, key_id: object, algorithm: str) -> Key:
        """The key that a token names, for this algorithm. Raises ID_TOKEN_INVALID where there is none to be had."""
        if key_id is not None and not (isinstance(key_id, str) and len(key_id) <= LONGEST_KEY_ID):
            raise SignInRefused(SignInFault.ID_TOKEN_INVALID, "kid")
        async with self._lock:
            if self._clock() - self._fetched_at >= FRESH_SECONDS:
                await self._fetch()
            key = choose(self._keys, key_id, algorithm)
            if key is None and self._clock() - self._refetched_at >= REFETCH_SECONDS:
                self._refetched_at = self._clock()
                await self._fetch()
                key = choose(self._keys, key_id, algorithm)
        if key is None:
            raise SignInRefused(SignInFault.ID_TOKEN_INVALID, "unknown key")
        return key

    async def _fetch(self) -> None:
        metadata = await self._metadata.load()
        answer = await self._outside.get(metadata.jwks_uri, near=self._issuer.is_near)
        if answer.status != 200:
            raise faulty(f"keys: status {answer.status}")
        self._keys = read_keys(answer.json_object("keys"))
        self._fetched_at = self._clock()


def read_keys(document: Mapping[str, Any]) -> tuple[Key, ...]:
    """The keys in a JWK set that can count. Raises ISSUER_FAULTY where it is no set, or holds too many."""
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise faulty("keys: no set")
    return tuple(key for each in listed if (key := _read_key(each)) is not None)


def choose(keys: tuple[Key, ...], key_id: str | None, algorithm: str) -> Key | None:
    """The one key of this id that can make signatures of this kind; without an id only where there is one such key."""
    fitting = [key for key in keys if _fits(key, algorithm) and (key_id is None or key.get("kid") == key_id)]
    return fitting[0] if len(fitting) == 1 else None


def _read_key(given: object) -> Key | None:
    if not isinstance(given, dict) or not isinstance(given.get("kty"), str):
        return None
    kind = KINDS.get(given["kty"])
    # Only what a public key has: a set that tells private parts is a mistake, and no reason to hold them here.
    public = {name: given[name] for name in ("kty", "kid", "alg", "crv", "n", "e", "x", "y") if name in given}
    if kind is None or given.get("use", "sig") != "sig" or not all(isinstance(each, str) for each in public.values()):
        return None
    try:
        key: Key = kind.import_key(public)
        if isinstance(key, RSAKey) and not RSA_BITS[0] <= key.public_key.key_size <= RSA_BITS[1]:
            return None
    except (JoseError, ValueError, TypeError, KeyError, OverflowError):
        return None
    return key


def _fits(key: Key, algorithm: str) -> bool:
    declared = key.get("alg")
    if declared is not None and declared != algorithm:
        return False
    if algorithm[:2] in {"RS", "PS"}:
        return isinstance(key, RSAKey)
    return not isinstance(key, RSAKey) and key.get("crv") == CURVES.get(algorithm)
