"""Variables of the environment: what one is, and how its text becomes a value.

Promises: a parser raises ValueError with the end of a sentence, which never repeats what may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SECRET_MIN_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the environment. `shown` is its default as the documentation tells it."""

    name: str
    parse: Callable[[str], Any]
    default: Any
    meaning: str
    shown: str = ""


def secret(text: str) -> str:
    """A text of some length."""
    if len(text) < SECRET_MIN_CHARACTERS:
        raise ValueError(f"must have at least {SECRET_MIN_CHARACTERS} characters")
    return text


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number between these two."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not least <= int(text[:12]) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return parse


def one_of(choices: Mapping[str, Any]) -> Callable[[str], Any]:
    """What one of these words stands for, in any case."""

    def parse(text: str) -> Any:
        if text.lower() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {text!r}")
        return choices[text.lower()]

    return parse


def url(*schemes: str) -> Callable[[str], str]:
    """An address that begins with one of these schemes."""

    def parse(text: str) -> str:
        # The text may hold a password, so the message does not repeat it.
        if urlsplit(text).scheme not in schemes:
            raise ValueError(f"must be an address that begins with {' or '.join(f'{each}://' for each in schemes)}")
        return text

    return parse


def base_host(text: str) -> str:
    """A host name, with or without a port."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", text.lower()):
        raise ValueError(f"must be a host name with or without a port, not {text!r}")
    return text.lower()


def origins(text: str) -> frozenset[str]:
    """Origins of pages (`https://host:port`), separated by commas; `*` for all."""
    found = frozenset(each.strip().lower().rstrip("/") for each in text.split(",") if each.strip())
    for each in found - {"*"}:
        if not re.fullmatch(r"https?://[a-z0-9.\[\]:_-]+", each):
            raise ValueError(f"must be origins such as https://example.nl, or *, not {each!r}")
    return found
