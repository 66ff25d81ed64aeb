"""Inputs about sites and who is on them."""

import strawberry

from schema.inputs.fields import idempotency_key, optional, required, version
from schema.levels import AccessLevel, Joining


@strawberry.input(description="A site to start.")
class CreateSiteInput:
    """A site to start."""

    name: str = required("Its name for people: 1 to 200 characters.")
    slug: str = required(
        "Its name in addresses, unique on the square: 2 to 63 lower-case letters, digits and single hyphens, a letter "
        "first. Names that the square needs itself, such as `www` and `api`, are refused. It cannot be changed later."
    )
    description: str | None = optional("What it is for: 5,000 characters at most. Empty if not given.")
    language: str | None = optional("Its main language as a BCP 47 tag, such as `nl` or `fy`. `nl` if not given.")
    visibility: AccessLevel | None = optional(
        "Who may find it in lists: MEMBERS, ACCOUNTS or PUBLIC. PUBLIC if not given."
    )
    access: AccessLevel | None = optional(
        "Who may read it, a ceiling for all on it: MEMBERS, ACCOUNTS or PUBLIC. MEMBERS if not given."
    )
    joining: Joining | None = optional("How one becomes a member. REQUEST if not given.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to a site; what is not given stays as it is.")
class UpdateSiteInput:
    """Changes to a site."""

    id: strawberry.ID = required("The site.")
    version: int = version()
    name: str | None = optional("Its name for people: 1 to 200 characters.")
    description: str | None = optional("What it is for: 5,000 characters at most.")
    language: str | None = optional("Its main language as a BCP 47 tag, such as `nl` or `fy`.")
    visibility: AccessLevel | None = optional("Who may find it in lists: MEMBERS, ACCOUNTS or PUBLIC.")
    access: AccessLevel | None = optional(
        "Who may read it, a ceiling for all on it: MEMBERS, ACCOUNTS or PUBLIC. Works at once and can be undone."
    )
    joining: Joining | None = optional("How one becomes a member.")
    requires_second_factor: bool | None = optional(
        "Whether it knows only people who signed in with a second factor. Works at once. Whoever asks for it must have."
    )
    sign_in_issuers: list[str] | None = optional(
        "The addresses of the issuers whose people it knows, 20 at most; an empty list for all. Each must be one that "
        "people can sign in with here, or `urn:plein:local`. Works at once. One's own must be among them."
    )


@strawberry.input(description="A site to suspend.")
class SuspendSiteInput:
    """A site to suspend."""

    id: strawberry.ID = required("The site.")


@strawberry.input(description="A site to resume.")
class ResumeSiteInput:
    """A site to resume."""

    id: strawberry.ID = required("The site.")


@strawberry.input(description="A site to join.")
class JoinSiteInput:
    """A site to join."""

    site: strawberry.ID = required("The site.")


@strawberry.input(description="A site to leave.")
class LeaveSiteInput:
    """A site to leave."""

    site: strawberry.ID = required("The site.")
