"""How people sign in and stay signed in: a part of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from auth.sessions import SessionLimits
from gateway.parsers import Variable, whole


@dataclass(frozen=True, slots=True)
class SigningIn:
    """Sessions."""

    sessions: SessionLimits


VARIABLES = (
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
    """The part of the settings, from parsed values."""
    idle, absolute = (timedelta(hours=values[name]) for name in ("SESSION_IDLE_HOURS", "SESSION_HOURS"))
    return SigningIn(SessionLimits(idle, absolute))
