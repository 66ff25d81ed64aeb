"""The keys that the provider signs with: made, rotated, published and retired.

Promises: the private part is encrypted with a key made from the platform's secret, which is not in the database; a key
that cannot be opened with it is neither used nor published. A new key is published for an hour before it signs, and an
old one for as long afterwards as anything it signed is good. Which key is current is told by the clock and the rows
alone, so several processes agree.
Never lets a token name its own algorithm: a key has one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.provider.settings import ProviderSettings
from auth.revocations import revoke_credentials
from auth.seal import Seal, SealBroken
from tenants.provider_tables import Client, SigningKey
from tenants.tables import table_of

SIGNING_KEY, CLIENT = table_of(SigningKey), table_of(Client)
ALGORITHMS = ("RS256", "ES256")
RSA_BITS = 2048  # what RFC 7518 demands; 3072 would make each signature three times as dear
PUBLISHED_AHEAD = timedelta(
    hours=1
)  # clients keep our keys for a quarter of an hour, and most ask again when one is new
OVERLAP = timedelta(hours=1)  # nothing that a key signs is good for longer: access tokens have an hour at most
LOCK = 0x706C65696E6B6579  # one maker of keys at a time, on all processes

ALL_KEYS = UUID("6c65696e-7379-4b65-8973-000000000000")
"""By this name it is told to every process that keys are to be read again at once."""

Key = RSAKey | ECKey


NOTHING: Mapping[str, Key] = MappingProxyType({})


class KeyState(StrEnum):
    """Where a key is in its life."""

    NEXT = "NEXT"
    CURRENT = "CURRENT"
    RETIRED = "RETIRED"


@dataclass(frozen=True, slots=True)
class Signer:
    """A key with its times: it signs from one to the next, and is published until the last."""

    id: str
    algorithm: str
    key: Key
    created_at: datetime
    signs_from: datetime
    signs_until: datetime | None
    published_until: datetime | None
    sealed: str = field(default="", repr=False)

    def state(self, now: datetime) -> KeyState | None:
        """What the key is at this time; None when it is past everything."""
        if self.published_until is not None and now >= self.published_until:
            return None
        if now < self.signs_from:
            return KeyState.NEXT
        return KeyState.CURRENT if self.signs_until is None or now < self.signs_until else KeyState.RETIRED

    @property
    def public(self) -> dict[str, Any]:
        """The key as it stands in the published set."""
        return {**self.key.as_dict(private=False), "kid": self.id, "use": "sig", "alg": self.algorithm}


def current_of(signers: Sequence[Signer], algorithm: str, now: datetime) -> Signer | None:
    """The key that signs now; of several the one that began last."""
    able = [each for each in signers if each.algorithm == algorithm and each.state(now) is KeyState.CURRENT]
    return max(able, key=lambda each: (each.signs_from, each.id), default=None)


async def load_signers(
    tx: AsyncConnection, settings: ProviderSettings, now: datetime, known: Mapping[str, Key] = NOTHING
) -> list[Signer]:
    """Every key that is published and that this process's secret opens, the newest first.

    `known` are keys that were opened before, by their sealed form: to open one takes some milliseconds.
    """
    published = or_(SIGNING_KEY.c.published_until.is_(None), SIGNING_KEY.c.published_until > now)
    rows = (await tx.execute(select(SIGNING_KEY).where(published).order_by(SIGNING_KEY.c.signs_from.desc()))).all()
    opened = await asyncio.to_thread(lambda: [_opened(row, settings, known) for row in rows])
    return [each for each in opened if each is not None]


async def keep_keys(tx: AsyncConnection, settings: ProviderSettings, now: datetime) -> None:
    """See to it that there is a key to sign with and, when that one grows old, the next. Removes what nobody needs."""
    await tx.execute(select(func.pg_advisory_xact_lock(LOCK)))
    signers = await load_signers(tx, settings, now)
    for algorithm in ALGORITHMS:
        current = current_of(signers, algorithm, now)
        has_next = any(each.algorithm == algorithm and each.state(now) is KeyState.NEXT for each in signers)
        if current is None:
            await _create(tx, settings, algorithm, now, signs_from=now)
        elif not has_next and now >= current.signs_from + timedelta(days=settings.key_days) - PUBLISHED_AHEAD:
            await _succeed(tx, settings, algorithm, now, now + PUBLISHED_AHEAD)
    await tx.execute(delete(SIGNING_KEY).where(SIGNING_KEY.c.published_until < now - OVERLAP))


async def rotate_keys(tx: AsyncConnection, settings: ProviderSettings, now: datetime, *, at_once: bool = False) -> None:
    """Make new keys. They sign in an hour, when every client has them; nobody notices.

    `at_once` is for keys that were stolen: the new ones sign now, and what the old ones signed is worth nothing from
    here on, and whoever came by it is sent away.
    """
    await tx.execute(select(func.pg_advisory_xact_lock(LOCK)))
    if at_once:
        clients = await tx.scalars(select(CLIENT.c.id))
        await revoke_credentials(tx, [ALL_KEYS, *clients])
        await tx.execute(
            update(SIGNING_KEY)
            .where(or_(SIGNING_KEY.c.published_until.is_(None), SIGNING_KEY.c.published_until > now))
            .values(signs_until=now, published_until=now)
        )
    for algorithm in ALGORITHMS:
        if at_once:
            await _create(tx, settings, algorithm, now, signs_from=now)
        else:
            await _succeed(tx, settings, algorithm, now, now + PUBLISHED_AHEAD)


async def _succeed(
    tx: AsyncConnection, settings: ProviderSettings, algorithm: str, now: datetime, signs_from: datetime
) -> None:
    """Make the key that signs from then, and let all others of its kind sign until then and no longer."""
    same = (
        SIGNING_KEY.c.algorithm == algorithm,
        or_(SIGNING_KEY.c.signs_until.is_(None), SIGNING_KEY.c.signs_until > signs_from),
    )
    await tx.execute(
        update(SIGNING_KEY).where(*same).values(signs_until=signs_from, published_until=signs_from + OVERLAP)
    )
    await _create(tx, settings, algorithm, now, signs_from=signs_from)


async def _create(
    tx: AsyncConnection, settings: ProviderSettings, algorithm: str, now: datetime, *, signs_from: datetime
) -> None:
    key = await asyncio.to_thread(_generate, algorithm)  # an RSA key takes a tenth of a second
    row = {
        "id": key.thumbprint(),
        "algorithm": algorithm,
        "sealed": _seal(settings).close(key.thumbprint(), key.as_dict(private=True)),
        "created_at": now,
        "signs_from": signs_from,
        "signs_until": None,
        "published_until": None,
    }
    await tx.execute(insert(SIGNING_KEY).values(row))


def _generate(algorithm: str) -> Key:
    return RSAKey.generate_key(RSA_BITS) if algorithm == "RS256" else ECKey.generate_key("P-256")


def _seal(settings: ProviderSettings) -> Seal:
    return Seal(settings.secret, "signing-keys")


def _opened(row: Any, settings: ProviderSettings, known: Mapping[str, Key]) -> Signer | None:
    """The key in a row; None where another secret sealed it, or where somebody put something else there."""
    kind: type[Key] = RSAKey if row.algorithm == "RS256" else ECKey
    try:
        key = known.get(row.sealed) or kind.import_key(_seal(settings).open(row.id, row.sealed))
    except (SealBroken, JoseError, ValueError, TypeError):
        return None
    if not isinstance(key, kind) or key.thumbprint() != row.id:
        return None
    times = (row.created_at, row.signs_from, row.signs_until, row.published_until)
    return Signer(row.id, row.algorithm, key, *times, row.sealed)


class KeyRing:
    """The keys as this process knows them: read once a minute, and again when a token names a key not seen yet."""

    STALE = timedelta(seconds=60)
    UNKNOWN = timedelta(seconds=5)  # how often at the most a token with an unknown key makes us look

    def __init__(
        self,
        settings: ProviderSettings,
        transaction: Callable[[], Any],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`transaction` opens one on the platform's tables."""
        self._settings = settings
        self._transaction = transaction
        self._clock = clock
        self._signers: list[Signer] = []
        self._read_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def current(self, algorithm: str) -> Signer:
        """The key to sign with now; the first is made when it is first asked for."""
        signers = await self._fresh(self.STALE)
        found = current_of(signers, algorithm, self._clock())
        if found is None:
            await self._read(make=True)
            found = current_of(self._signers, algorithm, self._clock())
        if found is None:
            raise RuntimeError("there is no key to sign with")
        return found

    async def by_id(self, key_id: str) -> Signer | None:
        """The published key with this id; None where there is none."""
        for age in (self.STALE, self.UNKNOWN):
            for each in await self._fresh(age):
                if each.id == key_id and each.state(self._clock()) is not None:
                    return each
        return None

    async def published(self) -> list[dict[str, Any]]:
        """The public keys, for everybody: those that sign, that signed, and that will."""
        for algorithm in ALGORITHMS:
            await self.current(algorithm)
        now = self._clock()
        return [each.public for each in self._signers if each.state(now) is not None]

    def forget(self) -> None:
        """Read the keys again before the next use."""
        self._read_at = None

    async def _fresh(self, most: timedelta) -> list[Signer]:
        if self._read_at is None or self._clock() - self._read_at > most:
            await self._read(make=False)
        return self._signers

    async def _read(self, *, make: bool) -> None:
        asked_at = self._clock()
        async with self._lock:
            if self._read_at is not None and self._read_at >= asked_at and not make:
                return  # another task read while this one waited
            async with self._transaction() as tx:
                if make:
                    await keep_keys(tx, self._settings, self._clock())
                known = {each.sealed: each.key for each in self._signers}
                self._signers = await load_signers(tx, self._settings, self._clock(), known)
            self._read_at = self._clock()
