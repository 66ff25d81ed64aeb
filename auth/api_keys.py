"""API keys: how a machine shows who it works for, and the one who says so from the key alone.

A key is `plein_`, its id, a secret of 256 bits and a checksum, in letters and digits: whoever scans texts for leaked
secrets knows one at sight, and a text that is none costs no question to the database.
Promises: only a hash of the secret is kept; a key lets its bearer do what its account may do at that moment, and of
that only what its scopes and sites say; one that is past its end, revoked, or of a suspended account lets nobody in.
Never holds a key itself beyond the moment in which it is made or shown.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from time import time
from typing import Any
from uuid import UUID, uuid4
from zlib import crc32

from sqlalchemy import Select, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.accounts import ACCOUNT
from auth.errors import KeyExpired, Unauthenticated
from auth.remembered import Remembered
from auth.scopes import Scope, with_included
from auth.viewer import PlatformRole, Viewer
from tenants.access_tables import ApiKey
from tenants.tables import table_of

KEY = table_of(ApiKey)

PREFIX = "plein_"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_DIGITS, SECRET_DIGITS, CHECK_DIGITS = 22, 43, 6  # as many as 128, 256 and 32 bits need in 62 digits
SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{ID_DIGITS + SECRET_DIGITS + CHECK_DIGITS}}}")
START_DIGITS = 8
USE_SECONDS = 60  # a key's last use is written at most this often

KEY_SCOPES = frozenset({Scope.READ, Scope.WRITE, Scope.ADMIN, Scope.STATISTICS, Scope.PLATFORM})
"""What a key can be for. None is for the account itself: a key makes no keys and changes nothing of its account."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be. `tenant_ids` None: all sites that the account is on."""

    account_id: UUID
    name: str
    scopes: frozenset[str]
    tenant_ids: tuple[UUID, ...] | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is verified: what is known of it and of its account."""

    viewer: Viewer
    secret_hash: bytes


LoadKey = Callable[[UUID], Awaitable[StoredKey | None]]
"""From the id in a key to the key, or None: no such key, revoked, or of a suspended account."""


async def create_key(tx: AsyncConnection, new: NewKey) -> tuple[UUID, str]:
    """Write a key; gives its id and the key itself, which nobody can ever read again."""
    key_id = uuid4()  # no time in it, so that the first digits tell keys apart
    text, secret = _spell(key_id, secrets.randbits(256))
    row = {
        "id": key_id,
        "account_id": new.account_id,
        "name": new.name,
        "start": text[: len(PREFIX) + START_DIGITS],
        "secret_hash": _hash(secret),
        "scopes": sorted(new.scopes),
        "tenant_ids": None if new.tenant_ids is None else list(new.tenant_ids),
        "created_at": datetime.now(UTC),
        "expires_at": new.expires_at,
    }
    await tx.execute(insert(KEY).values(row))
    return key_id, text


async def count_keys(tx: AsyncConnection, account_id: UUID) -> int:
    """How many keys of an account let somebody in."""
    live = (KEY.c.account_id == account_id, KEY.c.revoked_at.is_(None), KEY.c.expires_at > func.now())
    return int(await tx.scalar(select(func.count()).select_from(KEY).where(*live)) or 0)


async def revoke_key(tx: AsyncConnection, account_id: UUID, key_id: UUID) -> bool | None:
    """Let a key of this account let nobody in any more; whether it did before. None: the account has no such key."""
    mine = (KEY.c.id == key_id, KEY.c.account_id == account_id)
    found = (await tx.execute(select(KEY.c.revoked_at).where(*mine).with_for_update())).first()
    if found is None:
        return None
    if found.revoked_at is not None:
        return False
    await tx.execute(update(KEY).where(*mine).values(revoked_at=datetime.now(UTC)))
    return True


async def load_key(tx: AsyncConnection, key_id: UUID) -> StoredKey | None:
    """Return the key with this id, if it is not revoked and its account not suspended."""
    row = (await tx.execute(_key().where(KEY.c.id == key_id))).first()
    return None if row is None else _stored(row)


async def note_use(tx: AsyncConnection, used: Iterable[UUID]) -> None:
    """Write that these keys were used now, but for those of which that was written a moment ago."""
    last = KEY.c.last_used_at
    now = datetime.now(UTC)
    long_ago = or_(last.is_(None), last < now - timedelta(seconds=USE_SECONDS))
    await tx.execute(update(KEY).where(KEY.c.id.in_(list(used)), long_ago).values(last_used_at=now))


class KeyVerifier:
    """Verifies API keys. One per process, on one event loop."""

    def __init__(self, load: LoadKey, *, clock: Callable[[], float] = time) -> None:
        """`clock` gives seconds since the epoch; tests move it."""
        self._load = load
        self._clock = clock
        self.memory = Remembered(clock)
        self.used: set[UUID] = set()
        """The keys that were shown since somebody emptied this."""

    async def verify(self, token: str) -> Viewer:
        """Return whom this key works for. Raises `Unauthenticated`, and whatever reading raises."""
        viewer = self.memory.find(token)
        if viewer is not None:
            return viewer
        forgotten = self.memory.forgotten
        key_id, secret = read_key(token)
        stored = await self._load(key_id)
        if stored is None or not compare_digest(stored.secret_hash, _hash(secret)):
            raise Unauthenticated(INVALID)
        ends_at = stored.viewer.expires_at or 0.0
        if ends_at <= self._clock():
            raise KeyExpired
        self.used.add(key_id)
        self.memory.keep(token, stored.viewer, ends_at, forgotten)
        return stored.viewer


INVALID = "The API key is not valid."


def read_key(text: str) -> tuple[UUID, str]:
    """Return the id and the secret in a key. Raises `Unauthenticated` for a text that was never one."""
    if not SHAPE.fullmatch(text) or checksum(text[:-CHECK_DIGITS]) != text[-CHECK_DIGITS:]:
        raise Unauthenticated(INVALID)
    digits = text[len(PREFIX) : len(PREFIX) + ID_DIGITS]
    number = 0
    for digit in digits:
        number = number * len(ALPHABET) + ALPHABET.index(digit)
    if number >= 1 << 128:
        raise Unauthenticated(INVALID)
    return UUID(int=number), text[len(PREFIX) + ID_DIGITS : -CHECK_DIGITS]


def _spell(key_id: UUID, number: int) -> tuple[str, str]:
    """The key with this id and this secret number, and the secret as it stands in it."""
    secret = _digits(number, SECRET_DIGITS)
    text = PREFIX + _digits(key_id.int, ID_DIGITS) + secret
    return text + checksum(text), secret


def _digits(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def checksum(text: str) -> str:
    """The digits that end a key that begins like this."""
    return _digits(crc32(text.encode()), CHECK_DIGITS)


def _hash(secret: str) -> bytes:
    """What a secret is recognised by. It is 256 random bits, so one round is enough: nobody guesses those."""
    return sha256(secret.encode()).digest()


def _key() -> Select[Any]:
    columns = (KEY.c.id, KEY.c.account_id, KEY.c.secret_hash, KEY.c.scopes, KEY.c.tenant_ids, KEY.c.expires_at)
    is_live = (KEY.c.revoked_at.is_(None), ACCOUNT.c.suspended_at.is_(None))
    joined = KEY.join(ACCOUNT, ACCOUNT.c.id == KEY.c.account_id)
    return select(*columns, ACCOUNT.c.role).select_from(joined).where(*is_live)


def _stored(row: Any) -> StoredKey:
    sites = None if row.tenant_ids is None else frozenset(row.tenant_ids)
    account = Viewer(row.account_id, PlatformRole(row.role), row.expires_at.timestamp(), key_id=row.id)
    return StoredKey(account.narrowed_to(with_included(row.scopes), sites), bytes(row.secret_hash))
