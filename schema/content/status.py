"""Short messages, as a kind of content."""

import strawberry

from schema.content.base import Content, Kind


@strawberry.type(description="A short message without a title.")
class Status(Content):
    """A short message without a title."""


KIND = Kind(Status, titled=False)
