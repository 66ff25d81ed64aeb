"""What an issuer tells of a person, brought into the form that an account has.

Promises: whatever came in, what comes out is storable, of a sound length and of the right type, or it is not there.
Never takes an address for verified because it looks like one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

NAME_MAX = 200
EMAIL = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@(?=.{4,190}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+", re.IGNORECASE)
LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,4}")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Person:
    """A person by an issuer's words. `email_verified`: the issuer says so itself."""

    name: str | None
    email: str | None
    email_verified: bool
    language: str | None

    @property
    def lacks_something(self) -> bool:
        """Whether it is worth asking further."""
        return self.name is None or self.email is None

    def completed_by(self, claims: Mapping[str, Any]) -> Person:
        """With what these claims tell besides. An address and its being verified come from one place."""
        more = read_person(claims)
        person = replace(self, name=self.name or more.name, language=self.language or more.language)
        if person.email is None:
            person = replace(person, email=more.email, email_verified=more.email_verified)
        return person

    @property
    def domain(self) -> str:
        """What stands behind the @, in lower case."""
        return (self.email or "").rpartition("@")[2].lower()


def read_person(claims: Mapping[str, Any]) -> Person:
    """The person in these claims."""
    parts = [text for word in ("given_name", "family_name") if (text := _line(claims.get(word))) is not None]
    name = _line(claims.get("name")) or " ".join(parts)[:NAME_MAX] or _line(claims.get("preferred_username"))
    email = claims.get("email")
    is_address = isinstance(email, str) and email.isprintable() and EMAIL.fullmatch(email.strip()) is not None
    language = claims.get("locale")
    return Person(
        name=name,
        email=str(email).strip() if is_address else None,
        email_verified=is_address and claims.get("email_verified") is True,
        language=language.replace("_", "-")
        if isinstance(language, str) and LANGUAGE.fullmatch(language) is not None
        else None,
    )


def _line(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join(UNPRINTABLE.sub(" ", value).split())[:NAME_MAX].strip() or None
