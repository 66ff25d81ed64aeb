"""How long sessions last, as the settings say it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts: without being used, and at all."""

    idle: timedelta = timedelta(days=7)
    absolute: timedelta = timedelta(days=30)
