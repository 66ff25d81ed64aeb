"""Addresses that a client registers: where people are sent with a code, after signing out, and where it is told things.

Promises: an address is https, or an app's own on the person's machine or phone (RFC 8252); it is whole, without a
fragment, a name before the host, or anything that two programs could read in two ways, as it is compared by letters.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LONGEST = 2_000
PRINTABLE = re.compile(r"[!-~]+")
AMBIGUOUS = re.compile(r"[\\#*<>\"`{}|^]|%(?![0-9A-Fa-f]{2})|/\.\.?(/|$|\?)")
OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/[^/].*|[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/")
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
OWN_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


class BadAddress(ValueError):  # noqa: N818 - a verdict on what was given
    """Why an address cannot be registered, as the end of a sentence."""


def check_redirect_uri(uri: str, *, is_public: bool) -> None:
    """Raise BadAddress unless people may be sent here. `is_public`: for a client without a secret, so maybe an app."""
    _check_form(uri)
    if uri.startswith(("https://", "http://")):
        _check_web(uri, own_machine=True)
    elif not OWN_SCHEME.fullmatch(uri):
        raise BadAddress("must be https, http on this machine itself, or an app's own scheme such as nl.example.app:/")
    elif not is_public:
        raise BadAddress("must be https: an app's own scheme is for clients without authentication")


def check_web_uri(uri: str, *, own_machine: bool = False) -> None:
    """Raise BadAddress unless this is an address on the web. `own_machine`: or on this machine itself."""
    _check_form(uri)
    _check_web(uri, own_machine=own_machine)


def check_origin(origin: str) -> None:
    """Raise BadAddress unless this is the origin of a page, as browsers write it."""
    _check_form(origin)
    _check_web(origin, own_machine=True)
    parts = urlsplit(origin)
    if origin != f"{parts.scheme}://{parts.netloc}":
        raise BadAddress("must be an origin, such as https://app.example.nl, without a path or a slash at the end")
    if parts.port == {"https": 443, "http": 80}[parts.scheme]:
        raise BadAddress("must be without the port that it has anyway, as browsers leave it out")


def _check_form(uri: str) -> None:
    if not PRINTABLE.fullmatch(uri):
        raise BadAddress("must be plain ASCII without spaces; percent-encode what is not")
    if len(uri) > LONGEST:
        raise BadAddress(f"must have at most {LONGEST} characters")
    if AMBIGUOUS.search(uri):
        raise BadAddress("must be without #, *, backslashes, dots as folders, and stray % signs")


def _check_web(uri: str, *, own_machine: bool) -> None:
    try:
        parts = urlsplit(uri)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise BadAddress("must have a host and a port that are in order") from None
    if parts.scheme not in {"https", "http"} or not host:
        raise BadAddress("must begin with https://")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise BadAddress("must be without a name or password before the host")
    if parts.netloc != parts.netloc.lower() or not (HOST.fullmatch(host) or host == "::1"):
        raise BadAddress("must have its host in lower case, in ASCII")
    if parts.netloc.endswith(":"):
        raise BadAddress("must have a host and a port that are in order")
    if parts.scheme == "http" and not (own_machine and host in OWN_MACHINE):
        raise BadAddress("must begin with https://; http is for this machine itself only")
