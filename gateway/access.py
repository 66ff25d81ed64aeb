"""For how long keys and the audit are good: a part of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from auth.key_terms import KeyTerms
from gateway.parsers import Variable, whole


@dataclass(frozen=True, slots=True)
class Access:
    """Keys, and how long the audit is kept (None: for ever)."""

    keys: KeyTerms = field(default_factory=KeyTerms)
    audit: timedelta | None = None


VARIABLES = (
    Variable(
        "API_KEY_DAYS",
        whole(1, 3_650),
        90,
        "For how many days an API key is good, if whoever makes it does not say.",
    ),
    Variable("API_KEY_DAYS_MOST", whole(1, 3_650), 366, "For how many days an API key is good at the most."),
    Variable("API_KEYS_MOST", whole(1, 10_000), 100, "How many good API keys an account may have."),
    Variable(
        "AUDIT_DAYS",
        whole(0, 36_500),
        1_826,
        "How many days the audit is kept: five years. `0` is for ever.",
    ),
)


def access_from(values: Mapping[str, Any]) -> Access:
    """The part of the settings, from parsed values."""
    days: int = values["AUDIT_DAYS"]
    terms = KeyTerms(values["API_KEY_DAYS"], values["API_KEY_DAYS_MOST"], values["API_KEYS_MOST"])
    return Access(terms, timedelta(days=days) if days else None)
