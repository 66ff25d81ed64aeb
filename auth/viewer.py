"""Whoever asks now: an account of the platform, or nobody in particular.

Promises: immutable, small, made once per request at the door, passed on as an argument.
Never says what the viewer may see: that is decided by the site's own rows, at the moment of reading.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import lru_cache
from uuid import UUID

from auth.assurance import UNSURE, Assurance
from auth.scopes import SQUARE_WIDE, Scope


class PlatformRole(IntEnum):
    """What an account may do on the platform as a whole, by rank."""

    NONE = 0
    ANALYST = 1
    OPERATOR = 2


@dataclass(frozen=True, slots=True, eq=False)
class Narrowing:
    """What a credential is good for, at most: the scopes (None: all), and whether for some sites only.

    Made by `narrowing_of`, so that two alike are one.
    """

    scopes: frozenset[str] | None
    has_sites: bool

    def allows(self, scope: Scope) -> bool:
        """Whether it is good for this. What is of no one site is not for a credential for some sites."""
        if self.has_sites and scope in SQUARE_WIDE:
            return False
        return self.scopes is None or scope in self.scopes


@lru_cache(maxsize=1024)
def narrowing_of(scopes: frozenset[str] | None, *, has_sites: bool) -> Narrowing | None:
    """The one narrowing of this kind; None where a credential narrows nothing."""
    return Narrowing(scopes, has_sites) if has_sites or scopes is not None else None


@dataclass(frozen=True, slots=True)
class Viewer:
    """`account_id` is None for anonymous visitors; `expires_at` is when the credential ends, in seconds since 1970.

    `scopes` (with those that they include) and `sites` narrow what the account may do; None: all that it may, on every
    site. By which credential they came is one of `session_id`, `key_id` and `client_id` (an OAuth client), or none. A
    client's access token hangs on a grant, `grant_id`, and mostly on the session that the grant came from.
    """

    account_id: UUID | None = None
    platform_role: PlatformRole = PlatformRole.NONE
    expires_at: float | None = field(default=None, compare=False)
    scopes: frozenset[str] | None = None
    sites: frozenset[UUID] | None = None
    session_id: UUID | None = field(default=None, compare=False)
    key_id: UUID | None = field(default=None, compare=False)
    client_id: UUID | None = field(default=None, compare=False)
    grant_id: UUID | None = field(default=None, compare=False)
    assurance: Assurance = UNSURE

    key: bytes | None = field(init=False, compare=False, repr=False)
    """The account's id as Postgres reads it."""

    session_key: bytes | None = field(init=False, compare=False, repr=False)
    """The session's id as Postgres reads it."""

    site_keys: bytes | None = field(init=False, compare=False, repr=False)
    """The ids of the sites as Postgres reads an array."""

    narrowing: Narrowing | None = field(init=False, compare=False, repr=False)
    """How the credential narrows what the account may do; None where it does not."""

    def __post_init__(self) -> None:
        """Write what every request needs, once for all of them."""
        sites = None if self.sites is None else b"{%s}" % ",".join(map(str, self.sites)).encode()
        object.__setattr__(self, "narrowing", narrowing_of(self.scopes, has_sites=self.sites is not None))
        object.__setattr__(self, "key", None if self.account_id is None else str(self.account_id).encode())
        object.__setattr__(self, "session_key", None if self.session_id is None else str(self.session_id).encode())
        object.__setattr__(self, "site_keys", sites)

    @property
    def is_operator(self) -> bool:
        """Whether the viewer may act on every site."""
        return self.platform_role >= PlatformRole.OPERATOR and self.allows(Scope.PLATFORM)

    def allows(self, scope: Scope) -> bool:
        """Whether the credential lets its bearer do this, if the account may."""
        narrowing = self.narrowing
        return narrowing is None or narrowing.allows(scope)

    def narrowed_to(self, scopes: frozenset[str] | None, sites: frozenset[UUID] | None) -> Viewer:
        """The same account by a credential for these scopes and sites. A role that it is not for is not in it."""
        narrowed = replace(self, scopes=scopes, sites=sites)
        role = min(self.platform_role, PlatformRole.OPERATOR if narrowed.allows(Scope.PLATFORM) else narrowed._least())
        return replace(narrowed, platform_role=role)

    def _least(self) -> PlatformRole:
        return PlatformRole.ANALYST if self.allows(Scope.STATISTICS) else PlatformRole.NONE

    def reaches(self, tenant_id: UUID) -> bool:
        """Whether the credential is for this site among others."""
        return self.sites is None or tenant_id in self.sites

    def hangs_on(self, credential_id: UUID) -> bool:
        """Whether they came by this session, key, client or grant, and go with it."""
        return credential_id in (self.session_id, self.key_id, self.client_id, self.grant_id)

    @property
    def credential(self) -> str:
        """By which credential they came, for the audit: never the credential itself."""
        kinds = (("client", self.client_id), ("session", self.session_id), ("key", self.key_id))
        return next((f"{kind}:{id_}" for kind, id_ in kinds if id_ is not None), "token" if self.account_id else "")


ANONYMOUS = Viewer()
