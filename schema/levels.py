"""The small vocabularies of the schema: levels, roles, ways to join, states, reactions.

Promises: what Postgres stores by rank (levels, roles) is listed here in that order.
"""

from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, Text, literal
from sqlalchemy.dialects.postgresql import array

from auth.policy import Level, Role, Row, Terms
from schema.bind import Expression


def value(name: str, description: str) -> Any:
    """An enum value that is its own name."""
    return strawberry.enum_value(name, description=description)


@strawberry.enum(name="AccessLevel", description="Who may read a thing, from fewest to most.")
class AccessLevel(Enum):
    """Who may read a thing, from fewest to most."""

    PRIVATE = value("PRIVATE", "Its author only.")
    GROUP = value("GROUP", "The members of its group.")
    MEMBERS = value("MEMBERS", "The members of its site.")
    ACCOUNTS = value("ACCOUNTS", "Everybody who is signed in on the square.")
    PUBLIC = value("PUBLIC", "Everybody, signed in or not.")


@strawberry.enum(name="MemberRole", description="What a member may do on a site, from least to most.")
class MemberRole(Enum):
    """What a member may do on a site, from least to most."""

    GUEST = value("GUEST", "Reads what is open to all accounts, and takes part in the groups that they were let into.")
    MEMBER = value("MEMBER", "Reads and writes.")
    MODERATOR = value("MODERATOR", "Also removes what others wrote.")
    EDITOR = value("EDITOR", "Also changes what others wrote, and writes news and pages.")
    ADMIN = value("ADMIN", "Also changes the site, its groups and its members.")
    OWNER = value("OWNER", "Also suspends the site and hands it over.")


@strawberry.enum(
    name="PlatformRole", description="What an account may do on the square as a whole, from least to most."
)
class PlatformRole(Enum):
    """What an account may do on the square as a whole, from least to most."""

    NONE = value("NONE", "Nothing in particular, as nearly everybody.")
    ANALYST = value("ANALYST", "Reads the square's statistics.")
    OPERATOR = value("OPERATOR", "Runs the square: suspends sites and accounts, gives these roles, reads the audit.")


@strawberry.enum(name="Joining", description="How one becomes a member.")
class Joining(Enum):
    """How one becomes a member."""

    OPEN = value("OPEN", "By joining.")
    REQUEST = value("REQUEST", "By asking; an admin decides.")
    DOMAIN = value("DOMAIN", "By joining, with an e-mail address of an allowed domain.")
    INVITATION = value("INVITATION", "By invitation only.")


@strawberry.enum(name="SiteState", description="Whether a site answers.")
class SiteState(Enum):
    """Whether a site answers."""

    ACTIVE = value("ACTIVE", "It answers.")
    SUSPENDED = value("SUSPENDED", "It is closed for now: its name can be seen, nothing in it can.")


@strawberry.enum(name="SuspendedBy", description="Who suspended a site, and so who can resume it.")
class SuspendedBy(Enum):
    """Who suspended a site."""

    OWNER = value("OWNER", "One of its owners: any of them can resume it, and any operator.")
    OPERATOR = value("OPERATOR", "An operator of the platform: only operators can resume it.")


@strawberry.enum(name="ReactionKind", description="What somebody thinks of an item or a comment.")
class ReactionKind(Enum):
    """What somebody thinks of an item or a comment."""

    LIKE = value("LIKE", "I like this.")
    SUPPORT = value("SUPPORT", "I am behind this.")
    INSIGHTFUL = value("INSIGHTFUL", "I learned from this.")
    THANKS = value("THANKS", "Thank you for this.")


def ranked(column: str, ranks: type[Level] | type[Role]) -> Expression:
    """A field whose column holds a rank and whose value is the rank's name."""
    names = array([literal(rank.name, Text) for rank in ranks])

    def build(row: Row, _terms: Terms) -> ColumnElement[Any]:
        return names[row.c[column] + 1]

    return Expression(build)
