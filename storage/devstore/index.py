"""The index: which buckets, objects, uploads and parts there are, and in which blob their bytes lie.

Promises: every method is one transaction, durable when it returns (WAL, synchronous FULL), and safe to call
from many threads. Whatever frees a blob returns its name, to be removed after the commit, never before.
SQL is written as text here: this file is SQLite of the standard library, and no part of Plein's database.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage.devstore.errors import S3Error

# Raises S3Error unless an object with this etag (None: no object) may be replaced or deleted.
Condition = Callable[[str | None], None]

SCHEMA = """
CREATE TABLE bucket (name TEXT PRIMARY KEY, created_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE object (
    bucket TEXT NOT NULL REFERENCES bucket, key BLOB NOT NULL, blob TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    etag TEXT NOT NULL, modified_at REAL NOT NULL, headers TEXT NOT NULL, checksum TEXT NOT NULL,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE upload (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL REFERENCES bucket, key BLOB NOT NULL, created_at REAL NOT NULL,
    headers TEXT NOT NULL, algorithm TEXT NOT NULL, checksum_type TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX upload_by_key ON upload (bucket, key, id);
CREATE TABLE part (
    upload TEXT NOT NULL REFERENCES upload ON DELETE CASCADE, number INTEGER NOT NULL, blob TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, etag TEXT NOT NULL, modified_at REAL NOT NULL, checksum TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An object. `headers` are those it is served with; `checksum` has algorithm, value and type, or is empty."""

    key: str
    blob: str
    size_bytes: int
    etag: str
    modified_at: float
    headers: Mapping[str, str] = field(default_factory=dict)
    checksum: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload that has begun."""

    id: str
    bucket: str
    key: str
    created_at: float
    headers: Mapping[str, str]
    algorithm: str
    checksum_type: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part that has come in; `checksum` is base64 in the upload's algorithm, or empty."""

    number: int
    blob: str
    size_bytes: int
    etag: str
    modified_at: float
    checksum: str


class Index:
    """The SQLite file of one store directory: one connection, one lock."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._connection.executescript("BEGIN;" + SCHEMA + "COMMIT;")
        elif version != 1:
            raise RuntimeError(f"the index at {path} was written by a newer version ({version})")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    # Buckets

    def create_bucket(self, name: str, now: float) -> None:
        """Raises S3Error if it exists."""
        with self._write() as sql:
            if sql("INSERT INTO bucket VALUES (?, ?) ON CONFLICT DO NOTHING", name, now).rowcount == 0:
                raise S3Error("BucketAlreadyOwnedByYou", "The bucket exists, and you own it")

    def delete_bucket(self, name: str) -> None:
        """Raises S3Error if it does not exist or is not empty."""
        with self._write() as sql:
            _require_bucket(sql, name)
            for table in ("object", "upload"):
                if sql(f"SELECT 1 FROM {table} WHERE bucket = ? LIMIT 1", name).fetchone():  # noqa: S608 - two constants
                    raise S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty")
            sql("DELETE FROM bucket WHERE name = ?", name)

    def buckets(self) -> list[tuple[str, float]]:
        """Names and times of creation."""
        with self._read() as sql:
            return sql("SELECT name, created_at FROM bucket ORDER BY name").fetchall()

    def require_bucket(self, name: str) -> None:
        """Raises S3Error if it does not exist."""
        with self._read() as sql:
            _require_bucket(sql, name)

    # Objects

    def load(self, bucket: str, key: str) -> Entry:
        """Raises S3Error if there is no such bucket or object."""
        with self._read() as sql:
            _require_bucket(sql, bucket)
            row = sql(f"{SELECT_OBJECT} AND key = ?", bucket, key.encode()).fetchone()
        if row is None:
            raise S3Error("NoSuchKey", "The specified key does not exist")
        return _entry(row)

    def put(self, bucket: str, entry: Entry, condition: Condition) -> list[str]:
        """Set an object; returns the blobs that were freed."""
        with self._write() as sql:
            _require_bucket(sql, bucket)
            return _put(sql, bucket, entry, condition)

    def delete(self, bucket: str, keys: Sequence[str], condition: Condition) -> list[str]:
        """Delete objects, those that exist; returns the blobs that were freed."""
        freed: list[str] = []
        with self._write() as sql:
            _require_bucket(sql, bucket)
            for key in keys:
                old = sql("SELECT blob, etag FROM object WHERE bucket = ? AND key = ?", bucket, key.encode()).fetchone()
                condition(old[1] if old else None)
                if old:
                    sql("DELETE FROM object WHERE bucket = ? AND key = ?", bucket, key.encode())
                    freed.append(old[0])
        return freed

    def walk(self, bucket: str, first: bytes, end: bytes | None, limit: int) -> list[Entry]:
        """Objects from the key `first` (included) to `end` (excluded), in order of the bytes of their keys."""
        with self._read() as sql:
            _require_bucket(sql, bucket)
            rows = sql(
                f"{SELECT_OBJECT} AND key >= ? AND (? IS NULL OR key < ?) ORDER BY key LIMIT ?",
                bucket, first, end, end, limit,
            )  # fmt: skip
            return [_entry(row) for row in rows]

    # Multipart uploads

    def create_upload(self, upload: Upload) -> None:
        """Begin an upload."""
        with self._write() as sql:
            _require_bucket(sql, upload.bucket)
            sql(
                "INSERT INTO upload VALUES (?, ?, ?, ?, ?, ?, ?)",
                upload.id, upload.bucket, upload.key.encode(), upload.created_at, json.dumps(dict(upload.headers)),
                upload.algorithm, upload.checksum_type,
            )  # fmt: skip

    def load_upload(self, bucket: str, key: str, upload_id: str) -> tuple[Upload, list[Part]]:
        """An upload and its parts in order. Raises S3Error."""
        with self._read() as sql:
            upload = _require_upload(sql, bucket, key, upload_id)
            rows = sql(f"{SELECT_PART} WHERE upload = ? ORDER BY number", upload_id)
            return upload, [Part(*row) for row in rows]

    def uploads(self, bucket: str, prefix: bytes, after: tuple[bytes, str], limit: int) -> list[Upload]:
        """Open uploads whose key begins so, by key and id, behind `after`."""
        with self._read() as sql:
            _require_bucket(sql, bucket)
            rows = sql(
                f"{SELECT_UPLOAD} WHERE bucket = ? AND substr(key, 1, ?) = ? AND (key, id) > (?, ?) "
                "ORDER BY key, id LIMIT ?",
                bucket, len(prefix), prefix, *after, limit,
            )  # fmt: skip
            return [_upload(row) for row in rows]

    def put_part(self, bucket: str, key: str, upload_id: str, part: Part) -> list[str]:
        """Set a part; returns the blobs that were freed."""
        with self._write() as sql:
            _require_upload(sql, bucket, key, upload_id)
            freed = sql("SELECT blob FROM part WHERE upload = ? AND number = ?", upload_id, part.number).fetchall()
            sql(
                "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?, ?)",
                upload_id, part.number, part.blob, part.size_bytes, part.etag, part.modified_at, part.checksum,
            )  # fmt: skip
            return [blob for (blob,) in freed]

    def complete(self, upload: Upload, parts: Sequence[Part], entry: Entry, condition: Condition) -> list[str]:
        """Replace an upload by the object made of these parts, if they are still what they were."""
        with self._write() as sql:
            _require_upload(sql, upload.bucket, upload.key, upload.id)
            blobs = {blob for (blob,) in sql("SELECT blob FROM part WHERE upload = ?", upload.id)}
            if not {part.blob for part in parts} <= blobs:
                raise S3Error("InvalidPart", "A part was replaced while the upload was being completed")
            freed = _put(sql, upload.bucket, entry, condition)
            sql("DELETE FROM upload WHERE id = ?", upload.id)
            return [*freed, *blobs]

    def abort(self, bucket: str, key: str, upload_id: str) -> list[str]:
        """End an upload; returns the blobs that were freed."""
        with self._write() as sql:
            _require_upload(sql, bucket, key, upload_id)
            blobs = [blob for (blob,) in sql("SELECT blob FROM part WHERE upload = ?", upload_id)]
            sql("DELETE FROM upload WHERE id = ?", upload_id)
            return blobs

    def blobs(self) -> set[str]:
        """All blobs the index names."""
        with self._read() as sql:
            return {blob for (blob,) in sql("SELECT blob FROM object UNION ALL SELECT blob FROM part")}

    @contextmanager
    def _read(self) -> Iterator[Sql]:
        with self._lock:
            yield self._sql

    @contextmanager
    def _write(self) -> Iterator[Sql]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._sql
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _sql(self, text: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(text, values)


Sql = Callable[..., sqlite3.Cursor]

SELECT_OBJECT = "SELECT key, blob, size_bytes, etag, modified_at, headers, checksum FROM object WHERE bucket = ?"
SELECT_UPLOAD = "SELECT id, bucket, key, created_at, headers, algorithm, checksum_type FROM upload"
SELECT_PART = "SELECT number, blob, size_bytes, etag, modified_at, checksum FROM part"


def _require_bucket(sql: Sql, name: str) -> None:
    if sql("SELECT 1 FROM bucket WHERE name = ?", name).fetchone() is None:
        raise S3Error("NoSuchBucket", "The specified bucket does not exist")


def _require_upload(sql: Sql, bucket: str, key: str, upload_id: str) -> Upload:
    _require_bucket(sql, bucket)
    row = sql(f"{SELECT_UPLOAD} WHERE id = ? AND bucket = ? AND key = ?", upload_id, bucket, key.encode()).fetchone()
    if row is None:
        raise S3Error("NoSuchUpload", "The specified upload does not exist; it may have been aborted or completed")
    return _upload(row)


def _put(sql: Sql, bucket: str, entry: Entry, condition: Condition) -> list[str]:
    key = entry.key.encode()
    old = sql("SELECT blob, etag FROM object WHERE bucket = ? AND key = ?", bucket, key).fetchone()
    condition(old[1] if old else None)
    sql(
        "INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        bucket, key, entry.blob, entry.size_bytes, entry.etag, entry.modified_at,
        json.dumps(dict(entry.headers)), json.dumps(dict(entry.checksum)),
    )  # fmt: skip
    return [old[0]] if old else []


def _entry(row: Sequence[Any]) -> Entry:
    key, blob, size_bytes, etag, modified_at, headers, checksum = row
    return Entry(key.decode(), blob, size_bytes, etag, modified_at, json.loads(headers), json.loads(checksum))


def _upload(row: Sequence[Any]) -> Upload:
    upload_id, bucket, key, created_at, headers, algorithm, checksum_type = row
    return Upload(upload_id, bucket, key.decode(), created_at, json.loads(headers), algorithm, checksum_type)
