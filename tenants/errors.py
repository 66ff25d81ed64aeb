"""What can go wrong on the ground floor, as types.

Promises: every error this floor raises on purpose is a `TenantsError`, and every read that fails gives a `ReadError`
that says whether the same read may be tried again. Never holds a word meant for the public: messages may quote the
server and are for logs.
"""

from __future__ import annotations

from typing import ClassVar


class TenantsError(Exception):
    """Base of every error raised by this floor."""


class ReadError(TenantsError):
    """A read gave no rows. `retryable`: the same read may well succeed in a moment."""

    retryable: ClassVar[bool] = False


class DatabaseUnavailable(ReadError):  # noqa: N818 - a state of the world, named as one
    """No connection to the database, or it was lost and a second try as well."""

    retryable = True


class ReaderBusy(ReadError):  # noqa: N818
    """More reads are waiting than the reader lets wait."""

    retryable = True


class StatementFailed(ReadError):  # noqa: N818
    """The server refused the statement: `sqlstate` (five characters) and the server's primary `message`."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(f"{sqlstate}: {message}")
        self.sqlstate = sqlstate
        self.message = message


class StatementTimeout(StatementFailed):
    """The statement took longer than `statement_timeout` and was cancelled (57014)."""


class LockTimeout(StatementFailed):
    """Somebody else held what the statement needed for longer than `lock_timeout` (55P03)."""


class SlugTaken(TenantsError):  # noqa: N818
    """Another site has this slug; the transaction is whole and may go on."""


class ScriptsInvalid(TenantsError):  # noqa: N818
    """The migration files are not in order: a fault of the program, not of the database."""


class MigrationsDiffer(TenantsError):  # noqa: N818
    """The database was migrated by other files than these: edited after they were applied, or newer."""


class NotMigrated(TenantsError):  # noqa: N818
    """The database has no square yet, or not all of it: run the migrations first."""
