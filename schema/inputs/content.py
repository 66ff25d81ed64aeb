"""Inputs about items and what is said about them.

Promises: a kind with details of its own has a field of its own here, made from `KIND_OF`.
"""

from typing import TypeVar

import strawberry

from schema.content.every import KIND_OF
from schema.inputs.fields import idempotency_key, optional, required, version
from schema.kinds import ContentKind
from schema.levels import AccessLevel, ReactionKind

T = TypeVar("T", bound=type)


def with_details(cls: T) -> T:
    """Class decorator: one optional field for each kind that has details."""
    for word, kind in KIND_OF.items():
        if kind.input_type is not None:
            cls.__annotations__ = {**cls.__annotations__, kind.input_name: kind.input_type | None}
            setattr(cls, kind.input_name, optional(f"What only the kind {word} has; for no other kind."))
    return cls


@strawberry.input(description="An item to publish.")
@with_details
class CreateContentInput:
    """An item to publish."""

    site: strawberry.ID = required("The site it is on.")
    kind: ContentKind = required("What kind of item it is; never changes. NEWS and PAGE are for editors.")
    title: str | None = optional("Its title: 1 to 300 characters. A kind without titles (STATUS) takes none.")
    body: str | None = optional(
        "Its text, in Markdown: 100,000 characters at most. A kind without titles (STATUS): 1 to 500 characters."
    )
    group: strawberry.ID | None = optional(
        "The group it is in, of which one must be a member. Outside groups if not given."
    )
    access: AccessLevel | None = optional(
        "Who may read it, as far as group and site allow. GROUP in a group and MEMBERS outside if not given."
    )
    tags: list[str] | None = optional("Words to file it under: 20 at most, 1 to 50 characters each.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="Changes to an item; what is not given stays as it is.")
@with_details
class UpdateContentInput:
    """Changes to an item."""

    id: strawberry.ID = required("The item.")
    version: int = version()
    title: str | None = optional("Its title: 1 to 300 characters. A kind without titles (STATUS) takes none.")
    body: str | None = optional(
        "Its text, in Markdown: 100,000 characters at most. A kind without titles (STATUS): 1 to 500 characters."
    )
    access: AccessLevel | None = optional(
        "Who may read it, as far as group and site allow. Only its author can make it PRIVATE."
    )
    tags: list[str] | None = optional("All words to file it under: 20 at most, 1 to 50 characters each.")


@strawberry.input(description="An item to delete.")
class DeleteContentInput:
    """An item to delete."""

    id: strawberry.ID = required("The item.")
    version: int | None = optional("If given and no longer the current one, nothing is deleted: CONFLICT.")


@strawberry.input(description="Something to say about an item or a comment.")
class AddCommentInput:
    """Something to say about an item or a comment."""

    subject: strawberry.ID = required("The item, or the comment that it answers.")
    body: str = required("The text, in Markdown: 1 to 10,000 characters.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="What one thinks of an item or a comment.")
class ReactInput:
    """What one thinks of an item or a comment."""

    subject: strawberry.ID = required("The item or comment.")
    reaction: ReactionKind | None = optional(
        "The one reaction to give, instead of an earlier one; null, or nothing, takes it back."
    )
