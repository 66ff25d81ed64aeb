"""How Plein is a provider to other services: a part of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auth.provider.settings import ProviderSettings
from auth.session_limits import SessionLimits
from gateway.parsers import Variable, whole


@dataclass(frozen=True, slots=True)
class Providing:
    """Lifetimes of what clients get, the age at which keys are renewed, and how often one address may ask."""

    access_token_seconds: int
    refresh_token_days: int
    key_days: int
    rate: int


VARIABLES = (
    Variable("ACCESS_TOKEN_SECONDS", whole(60, 3600), 600, "How long an access token of the square is good."),
    Variable("REFRESH_TOKEN_DAYS", whole(1, 365), 30, "How many days a refresh token may lie unused."),
    Variable("KEY_DAYS", whole(1, 3650), 90, "The age in days at which the keys that sign tokens are renewed."),
    Variable(
        "RATE_TOKENS",
        whole(0, 1_000_000),
        3_000,
        "The most requests of one address in a minute to the endpoints for OAuth clients; a refused one counts as 20. "
        "`0` is no limit.",
    ),
)


def providing_from(values: Mapping[str, Any]) -> Providing:
    """The part of the settings, from parsed values."""
    return Providing(
        access_token_seconds=values["ACCESS_TOKEN_SECONDS"],
        refresh_token_days=values["REFRESH_TOKEN_DAYS"],
        key_days=values["KEY_DAYS"],
        rate=values["RATE_TOKENS"],
    )


def provider_settings(
    providing: Providing, sessions: SessionLimits, base_url: str, *, base_host: str, secret: str, is_production: bool
) -> ProviderSettings:
    """What the provider goes by."""
    return ProviderSettings(
        issuer=base_url,
        base_host=base_host,
        secret=secret,
        access_token_seconds=providing.access_token_seconds,
        refresh_token_days=providing.refresh_token_days,
        key_days=providing.key_days,
        is_production=is_production,
        sessions=sessions,
    )
