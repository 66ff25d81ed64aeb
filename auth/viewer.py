"""Whoever asks now: an account of the platform, or nobody in particular.

Promises: immutable, small, made once per request at the door, passed on as an argument.
Never says what the viewer may see: that is decided by the site's own rows, at the moment of reading.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from uuid import UUID


class PlatformRole(IntEnum):
    """What an account may do on the platform as a whole, by rank."""

    NONE = 0
    ANALYST = 1
    OPERATOR = 2


@dataclass(frozen=True, slots=True)
class Viewer:
    """`account_id` is None for anonymous visitors; `expires_at` is when the credential ends, in seconds since 1970."""

    account_id: UUID | None = None
    platform_role: PlatformRole = PlatformRole.NONE
    expires_at: float | None = field(default=None, compare=False)

    @property
    def is_operator(self) -> bool:
        """Whether the viewer may act on every site."""
        return self.platform_role >= PlatformRole.OPERATOR


ANONYMOUS = Viewer()
