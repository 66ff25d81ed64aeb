"""Discussions, as a kind of content."""

import strawberry

from schema.content.base import Content, Kind


@strawberry.type(description="A subject to talk about.")
class Discussion(Content):
    """A subject to talk about."""


KIND = Kind(Discussion)
