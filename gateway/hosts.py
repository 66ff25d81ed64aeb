"""Which site a request is at, by the name it was sent to.

Promises: `<slug>.<base host>` gives the slug, the base host itself and bare addresses give None (the square), any other
name is given as it is, for a site may have a name of its own. Never asks whether there is such a site.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address


@lru_cache(maxsize=4096)
def site_here(host: bytes, base_host: str) -> str | None:
    """The slug or the own host name of the site that this `Host` header asks for; ports count for nothing."""
    name = _without_port(host.decode("latin-1").lower()).rstrip(".")
    base = _without_port(base_host)
    if name in {"", base, "localhost"} or _is_address(name):
        return None
    return name.removesuffix(f".{base}")


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
