"""Which passwords are good enough, after NIST SP 800-63B: long, and not what everybody tries first.

Promises: no rules about capitals, digits or signs, and no date on which it must change. What is refused is short, or
made of one thing over and over, a row of the keyboard or the alphabet, words that stand in every list, or of one's own
name, address or this service. Never refuses for a reason that is not told.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from auth.local.easy_words import EASY_WORDS
from auth.local.passwords import LONGEST

SHORTEST = 12
LEAST_DIFFERENT = 5
LEAST_OF_OWN = 4  # letters of a name or an address that count as being it
ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qwertzuiop")
LONGEST_ROW = 5
LEET = str.maketrans("013457@$!€", "oieastasie")


def fault_of(password: str, own: Iterable[str] = ()) -> str | None:
    """Why this password will not do: `short`, `long`, `repeated`, `row`, `easy` or `own`; None where it will.

    `own` are the person's name, address and the names of this service.
    """
    plain = unicodedata.normalize("NFKC", password)
    if len(plain) < SHORTEST:
        return "short"
    if len(plain) > LONGEST:
        return "long"
    low = plain.casefold()
    if len(set(low)) < LEAST_DIFFERENT or _is_repeated(low):
        return "repeated"
    left, had_row = _without_rows(low)
    if had_row and len(left) < SHORTEST // 2:
        return "row"
    return _fault_of_words(low, _parts(own))


def _fault_of_words(text: str, own: frozenset[str]) -> str | None:
    for each in (text, text.translate(LEET)):
        if _is_made_of(each, own):
            return "own"
        if _is_made_of(each, EASY_WORDS | own):
            return "easy"
    return None


def _is_repeated(text: str) -> bool:
    """Whether a text is a shorter one, several times."""
    return re.fullmatch(r"(.{1,6}?)\1+.{0,3}", text, re.DOTALL) is not None


def _without_rows(text: str) -> tuple[str, bool]:
    """The text without runs of five or more along the keyboard or the alphabet, and whether there were any."""
    rows = [each for row in ROWS for each in (row, row[::-1])]
    left, at = "", 0
    while at < len(text):
        size = 0
        for row in rows:
            size = max(size, _shared(text, at, row))
        if size >= LONGEST_ROW:
            at += size
        else:
            left += text[at]
            at += 1
    return left, len(left) < len(text)


def _shared(text: str, at: int, row: str) -> int:
    """How far the text runs along a row from here."""
    start = row.find(text[at])
    if start < 0:
        return 0
    size = 0
    while at + size < len(text) and start + size < len(row) and text[at + size] == row[start + size]:
        size += 1
    return size


def _parts(own: Iterable[str]) -> frozenset[str]:
    words = (word for text in own for word in re.split(r"[^\w]+|_", text.casefold()))
    return frozenset(word for word in words if len(word) >= LEAST_OF_OWN)


def _is_made_of(text: str, words: Iterable[str]) -> bool:
    """Whether little is left of a text without these words, digits and signs."""
    letters = re.sub(r"[\W\d_]+", " ", text)
    rest = letters
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, " ")
    left = rest.replace(" ", "")
    return letters.strip() != "" and rest != letters and len(left) < LEAST_OF_OWN
