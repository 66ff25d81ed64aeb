"""What the ground floor can be told: where Postgres is, and every bound on using it.

Promises: frozen; units stand in the names. Never reads the environment: whoever starts the process does, once.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """The writing side and the migrations. `url` is whatever libpq takes: an address or `key=value` pairs.

    The role in it owns everything. It needs CREATE on the database and CREATEROLE, and is no superuser.
    """

    url: str
    pool_size: int = 6  # ordinary connections, opened when first needed; never more
    pool_timeout_s: float = 3.0  # how long a request waits for a free one
    connect_timeout_s: int = 2  # the least that libpq takes
    connection_lifetime_s: int = 1800  # every site touched leaves catalogue cache behind in a connection
    statement_timeout_ms: int = 5000
    lock_timeout_ms: int = 2000
    idle_in_transaction_timeout_ms: int = 10_000
    migration_timeout_ms: int = 600_000  # one script on one site; its locks still wait `lock_timeout_ms` at most
    application_name: str = "plein"
