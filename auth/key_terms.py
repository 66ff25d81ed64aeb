"""For how long API keys are good and how many there may be, as the settings say it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """For how many days a key is good if nobody says so, and at the most; and how many an account may have."""

    days: int = 90
    days_most: int = 366
    keys_most: int = 100
