"""What the provider tells clients of a person: claims, by the scopes and the names they were asked for.

Promises: nothing but what the scopes of the grant allow; a claim without a value is left out. `claims` (OpenID Connect
Core, section 5.5) asks for single claims by name, and each counts as asking for its scope.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.provider.errors import invalid_request
from auth.provider.scopes import CLAIMS_OF
from tenants.platform_tables import Account
from tenants.tables import table_of

ACCOUNT = table_of(Account)
SCOPE_OF = {claim: scope for scope, claims in CLAIMS_OF.items() for claim in claims}
LONGEST_CLAIMS = 4_096


@dataclass(frozen=True, slots=True)
class AskedClaims:
    """The claims that were asked for by name: in the ID token, and at the userinfo endpoint."""

    id_token: tuple[str, ...] = ()
    userinfo: tuple[str, ...] = ()
    essential_acr: tuple[str, ...] = ()

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes that these claims are in."""
        return frozenset(SCOPE_OF[each] for each in (*self.id_token, *self.userinfo))

    def text(self) -> str | None:
        """As it is kept with a grant."""
        if not self.id_token and not self.userinfo:
            return None
        return json.dumps({"id_token": self.id_token, "userinfo": self.userinfo})


def asked_claims(text: str | None) -> AskedClaims:
    """What a `claims` parameter asks for; what is not known here is let be. Raises `OAuthError` for nonsense."""
    if text is None:
        return AskedClaims()
    try:
        given = json.loads(text) if len(text) <= LONGEST_CLAIMS else None
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or not all(
        isinstance(given.get(each, {}), dict) for each in ("id_token", "userinfo")
    ):
        raise invalid_request("claims is not a JSON object of claims.")
    id_token, userinfo = given.get("id_token", {}), given.get("userinfo", {})
    return AskedClaims(_known(id_token), _known(userinfo), _essential_acr(id_token.get("acr")))


def kept_claims(text: str | None) -> AskedClaims:
    """What was kept with a grant."""
    given = {} if text is None else json.loads(text)
    return AskedClaims(tuple(given.get("id_token", ())), tuple(given.get("userinfo", ())))


async def load_claims(
    tx: AsyncConnection, account_id: UUID, scopes: Iterable[str], names: Iterable[str] = ()
) -> dict[str, Any]:
    """The claims of these scopes, and those of these names, of a person."""
    wanted = {claim for scope in scopes for claim in CLAIMS_OF.get(scope, ())} | set(names)
    if not wanted:
        return {}
    row = (await tx.execute(select(ACCOUNT).where(ACCOUNT.c.id == account_id))).one()
    verified = getattr(row, "email_verified_at", None) is not None
    known = {"name": row.name, "email": row.email, "email_verified": verified}
    return {name: value for name, value in known.items() if name in wanted and value not in {None, ""}}


def _known(given: dict[str, Any]) -> tuple[str, ...]:
    return tuple(name for name in given if name in SCOPE_OF)


def _essential_acr(asked: Any) -> tuple[str, ...]:
    """The values of which one must be reached, or the sign-in is refused (section 5.5.1.1)."""
    if not isinstance(asked, dict) or asked.get("essential") is not True:
        return ()
    values = asked.get("values", [asked["value"]] if "value" in asked else [])
    return tuple(each for each in values if isinstance(each, str)) if isinstance(values, list) else ()
