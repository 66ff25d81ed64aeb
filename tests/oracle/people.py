"""Who there is on the square of the proof: its sites, its accounts, and who is what on which site.

Promises: every role, every level of visibility and access, who left and who never came, one suspended site and one
without anything on it. A site's `secret` stands in every text that is only there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid5

from auth.policy import Level, Role
from auth.viewer import ANONYMOUS, PlatformRole, Viewer

NAMES = (
    "anna bram carla daan els fatima gijs hans iris joost karin lars mies noor otto petra".split()  # noqa: SIM905
)
SPACE = UUID("5b1f3a52-6e0c-4b7e-9d0a-2f4f0f0f0f0f")
ACCOUNT_IDS = {name: uuid5(SPACE, name) for name in NAMES}

LEFT = -1
"""In place of a role: was a member, and left."""


@dataclass(frozen=True)
class Community:
    """A site to be: its levels, and the roles of its members besides the owner. `rounds`: how much is on it."""

    slug: str
    name: str
    visibility: Level
    access: Level
    joining: str
    roles: dict[str, int] = field(default_factory=dict)
    owner: str = "anna"
    state: str = "ACTIVE"
    rounds: int = 1

    @property
    def secret(self) -> str:
        """What stands in every text that is only on this site."""
        return f"zwijg-{self.slug}"


COMMUNITIES = (
    Community(
        "aster",
        "Gemeente Aster",
        Level.PUBLIC,
        Level.PUBLIC,
        "OPEN",
        {
            "bram": Role.ADMIN,
            "carla": Role.EDITOR,
            "daan": Role.MODERATOR,
            "els": Role.MEMBER,
            "fatima": Role.GUEST,
            "gijs": Role.MEMBER,
            "hans": Role.MEMBER,
            "iris": LEFT,
            "karin": Role.MEMBER,
            "lars": Role.MEMBER,
            "noor": Role.GUEST,
        },
        rounds=2,
    ),
    Community(
        "beuk",
        "zwijg-beuk: besloten",
        Level.MEMBERS,
        Level.MEMBERS,
        "INVITATION",
        {"mies": Role.ADMIN, "karin": Role.MEMBER, "iris": Role.MEMBER, "gijs": Role.GUEST},
        owner="petra",
    ),
    Community(
        "ceder",
        'Onderwijs "Ceder" & co',
        Level.ACCOUNTS,
        Level.ACCOUNTS,
        "DOMAIN",
        {"els": Role.ADMIN, "karin": Role.MEMBER, "hans": Role.GUEST, "fatima": Role.MEMBER},
    ),
    Community(
        "den",
        "Überhaupt den",
        Level.PUBLIC,
        Level.MEMBERS,
        "REQUEST",
        {"bram": Role.GUEST, "karin": Role.MODERATOR, "lars": LEFT, "noor": Role.MEMBER},
    ),
    Community(
        "eik",
        "Geschorst",
        Level.PUBLIC,
        Level.PUBLIC,
        "OPEN",
        {"karin": Role.MEMBER, "els": Role.MEMBER, "hans": Role.ADMIN},
        state="SUSPENDED",
    ),
    Community("fluit", "Ongevonden", Level.MEMBERS, Level.PUBLIC, "OPEN", {"karin": Role.EDITOR, "daan": Role.OWNER}),
    Community("gagel", 'Onderwijs "Ceder" & co', Level.PUBLIC, Level.ACCOUNTS, "OPEN", rounds=0),
)

GROUP_PLACES = {
    ("aster", "gijs"): (0, 1, 2, 3),
    ("aster", "iris"): (0, 1),
    ("aster", "noor"): (0,),
    ("aster", "fatima"): (1,),
    ("aster", "karin"): (0, 2),
    ("aster", "els"): (2,),
    ("beuk", "gijs"): (0,),
    ("beuk", "karin"): (1,),
    ("ceder", "hans"): (0, 1),
    ("den", "bram"): (0,),
    ("den", "lars"): (0, 1, 2, 3),
    ("eik", "karin"): (0, 1, 2, 3),
    ("fluit", "karin"): (0,),
}
"""Who is in which of a site's four groups, those who left the site included: their rows may still be there."""

SESSIONS = {"anna": "session 3", "karin": "session 2"}
"""By which of their sessions somebody comes; Anna's is on a site's host, and made from another."""

VIEWERS: dict[str, Viewer] = {
    "anonymous": ANONYMOUS,
    **{
        name: Viewer(
            id_,
            PlatformRole.OPERATOR if name == "otto" else PlatformRole.NONE,
            session_id=uuid5(id_, SESSIONS[name]) if name in SESSIONS else None,
        )
        for name, id_ in ACCOUNT_IDS.items()
    },
}
"""Whoever may ask. `joost` has an account and is nowhere a member."""

FOR_OPERATORS = {"Query.audit": "otto", "Query.issuers": "otto"}
"""Lists that only an operator sees, and one who is."""


def who_sees(place: str, otherwise: str) -> str:
    """Who sees what there is in a list (`Type.field`)."""
    return FOR_OPERATORS.get(place, otherwise)
