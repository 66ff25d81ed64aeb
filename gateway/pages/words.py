"""The texts of the pages, in English and Dutch, by key.

Promises: every key has both languages with the same places to fill in (a test looks); a value that is filled in is
escaped by the template. A new group of pages is a file in `wording/` and a line here.
"""

from __future__ import annotations

from gateway.pages.wording import account, at_issuers, consent, faults, frame, letters, passwords, signing_in

GROUPS = (
    frame.WORDS,
    faults.WORDS,
    signing_in.WORDS,
    passwords.WORDS,
    account.WORDS,
    letters.WORDS,
    consent.WORDS,
    at_issuers.WORDS,
)
WORDS: dict[str, tuple[str, str]] = {key: texts for group in GROUPS for key, texts in group.items()}
"""By key: English, Dutch."""


def say(key: str, language: str, **values: object) -> str:
    """The text with this key in a language, with its places filled in. Raises KeyError."""
    english, dutch = WORDS[key]
    text = dutch if language == "nl" else english
    return text.format(**values) if values else text


def is_known(key: str) -> bool:
    """Whether there is such a text."""
    return key in WORDS
