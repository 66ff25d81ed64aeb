"""How people sign in and stay signed in: a part of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auth.session_limits import SessionLimits
from gateway.issuers_file import load_issuers
from gateway.parsers import Variable, whole

if TYPE_CHECKING:
    from auth.relying.issuers import Issuer


@dataclass(frozen=True, slots=True)
class SigningIn:
    """Sessions, and the issuers of the file."""

    sessions: SessionLimits
    issuers: tuple[Issuer, ...] = ()


VARIABLES = (
    Variable(
        "ISSUERS",
        Path,
        None,
        "A file of OpenID Connect issuers that people sign in with, in TOML or JSON: [issuers.md](issuers.md).",
        "none",
    ),
    Variable(
        "SESSION_IDLE_HOURS",
        whole(1, 8_760),
        168,
        "A session ends when it was not used for so many hours.",
    ),
    Variable(
        "SESSION_HOURS",
        whole(1, 8_760),
        720,
        "A session ends so many hours after signing in, used or not.",
    ),
)


def signing_in_from(values: Mapping[str, Any]) -> SigningIn:
    """The part of the settings, from parsed values. Raises IssuersFileError."""
    idle, absolute = (timedelta(hours=values[name]) for name in ("SESSION_IDLE_HOURS", "SESSION_HOURS"))
    issuers = () if values["ISSUERS"] is None else load_issuers(values["ISSUERS"])
    return SigningIn(SessionLimits(idle, absolute), issuers)
