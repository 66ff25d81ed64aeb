"""The people of the demo that one can be at once: a handful of accounts, one for each part there is to play.

Promises: address, identity and id are the same in every demo, whatever its seed and scale.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.policy import Role
from auth.viewer import PlatformRole


@dataclass(frozen=True, slots=True)
class Part:
    """Somebody well known: on which sites (by size, 0 the largest) with which role."""

    name: str
    email: str
    places: tuple[tuple[int, Role], ...] = ()
    platform_role: PlatformRole = PlatformRole.NONE


def _on(role: Role, *places: int) -> tuple[tuple[int, Role], ...]:
    return tuple((place, role) for place in places)


CAST = (
    Part("Irene Bakker", "operator@example.org", platform_role=PlatformRole.OPERATOR),
    Part("Thijs Smeets", "analyst@example.org", platform_role=PlatformRole.ANALYST),
    Part("Marijke van den Berg", "owner@example.org", _on(Role.OWNER, 0, 1, 4, 7)),
    Part("Ahmed el Amrani", "admin@example.org", _on(Role.ADMIN, 0, 2, 3)),
    Part("Sjoerd Hoekstra", "editor@example.org", _on(Role.EDITOR, 0, 1, 5)),
    Part("Hélène de Wit", "moderator@example.org", _on(Role.MODERATOR, 0, 6)),
    Part("Noor Dijkstra", "traveller@example.org", _on(Role.MEMBER, *range(10))),
    Part("Kees Brouwer", "member@example.org", _on(Role.MEMBER, 0)),
    Part("Zoë in ’t Veld", "guest@example.org", _on(Role.GUEST, 0, 2)),
    Part("Joris Çelik", "newcomer@example.org"),
)
