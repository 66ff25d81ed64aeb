"""Scopes: what a credential lets its bearer do, at most. What the account itself may do is decided elsewhere, as ever.

Promises: a scope only ever narrows. A credential without scopes (a session, a sign-in for development) may do all that
its account may; one with scopes may do what is in them and nothing else, so an unknown or empty set allows nothing.
Never says what an account may do.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Scope(StrEnum):
    """The words by which a credential is narrowed."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"
    STATISTICS = "statistics:read"
    PLATFORM = "platform:admin"
    ACCOUNT = "account"


INCLUDES: dict[Scope, tuple[Scope, ...]] = {
    Scope.WRITE: (Scope.READ,),
    Scope.ADMIN: (Scope.WRITE, Scope.READ),
}
"""Who writes on a site reads there, and who runs a site writes there: what is written is read back."""


SQUARE_WIDE = frozenset({Scope.STATISTICS, Scope.PLATFORM, Scope.ACCOUNT})
"""What is of no one site, so that a credential for some sites is never good for it."""


def with_included(scopes: Iterable[str]) -> frozenset[str]:
    """These scopes with those that they include. Words that Plein does not know stay, and allow nothing."""
    given = frozenset(scopes)
    included = {more for each, others in INCLUDES.items() if each in given for more in others}
    return given | {str(each) for each in included}
