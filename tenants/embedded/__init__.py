"""The bundled PostgreSQL: a real server of our own for development and tests, beside the production one.

Promises a server that starts on a bare machine, as root or not, that survives kill -9 with its data, and that ends with
its owner. Never meant for production, and never open to anything but this machine.
"""

from tenants.embedded.binaries import PostgresBinaries, find_binaries
from tenants.embedded.errors import AlreadyRunningError, EmbeddedPostgresError
from tenants.embedded.postgres import EmbeddedPostgres

__all__ = ["AlreadyRunningError", "EmbeddedPostgres", "EmbeddedPostgresError", "PostgresBinaries", "find_binaries"]
