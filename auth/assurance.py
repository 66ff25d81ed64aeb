"""How sure it is who somebody is: who vouched for them, and whether with a second factor.

Promises: small, immutable, and sure of nothing unless it was told so. What a site demands is met by what is known, and
never by an absence. Never says who somebody is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenants.registry import Demand

MULTI_FACTOR = "mfa"
"""The word in `amr` (RFC 8176) that a second factor was used."""


@dataclass(frozen=True, slots=True)
class Assurance:
    """`issuer` is the address of who vouched. `is_admitted`: it was looked at before, for the one site in question."""

    issuer: str = ""
    has_second_factor: bool = False
    is_admitted: bool = False

    def meets(self, demand: Demand) -> bool:
        """Whether this is enough for a site with this demand."""
        if self.is_admitted:
            return True
        return (self.has_second_factor or not demand.second_factor) and (
            not demand.issuers or self.issuer in demand.issuers
        )


UNSURE = Assurance()
"""Of a credential that says nothing of how its account signed in."""

ADMITTED = Assurance(is_admitted=True)
"""Of a viewer who was let in on the one site that is asked."""


def assurance_of(issuer: str, amr: Sequence[str]) -> Assurance:
    """What a session's beginning makes sure of."""
    return Assurance(issuer, MULTI_FACTOR in amr)
